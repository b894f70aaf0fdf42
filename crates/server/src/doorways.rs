//! The listening sockets of the doors, which go over to the core that takes over: whoever connects meanwhile waits there.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keybearer_os::local::Listener;
use keybearer_os::passed::{Given, Passed};
use tokio::net::TcpListener;

/// Where the HTTP door listens, as a passed socket is called.
const TCP: &str = "tcp";

/// What was given to this core, and what it gives on. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Doorways(Arc<Mutex<Held>>);

#[derive(Debug, Default)]
struct Held {
    given: Given,
    open: Vec<(String, Passed)>,
    handed_over: bool,
}

impl Doorways {
    pub(crate) fn new(given: Given) -> Self {
        Self(Arc::new(Mutex::new(Held { given, ..Held::default() })))
    }

    /// The socket of this name, if one was given.
    pub(crate) fn given(&self, name: &str) -> Option<Passed> {
        self.held().given.take(name)
    }

    /// Notes a socket that is listened on.
    pub(crate) fn note(&self, name: &str, socket: Option<Passed>) {
        self.held().open.extend(socket.map(|socket| (name.to_owned(), socket)));
    }

    /// The given sockets of the HTTP door, if they listen on this port (or on any).
    pub(crate) fn given_tcp(&self, port: Option<u16>) -> Vec<TcpListener> {
        let mut listeners = Vec::new();
        while let Some(socket) = self.given(TCP) {
            match socket.into_tcp().and_then(TcpListener::from_std) {
                Ok(listener) => listeners.push(listener),
                Err(error) => tracing::warn!(%error, "a socket that was passed is no door's"),
            }
        }
        listeners.retain(|listener: &TcpListener| {
            listener
                .local_addr()
                .is_ok_and(|address| address.ip().is_loopback() && port.is_none_or(|port| address.port() == port))
        });
        listeners
    }

    /// Notes the sockets of the HTTP door.
    pub(crate) fn note_tcp(&self, listener: &TcpListener) {
        self.note(TCP, Passed::of(listener));
    }

    /// Forgets the sockets of the HTTP door: it has closed.
    pub(crate) fn forget_tcp(&self) {
        self.held().open.retain(|(name, _)| name != TCP);
    }

    /// A socket of ours is not listened on any more. Where it went over to another core, its file stays.
    pub(crate) fn left(&self, listener: Listener) {
        if self.held().handed_over {
            listener.leave();
        }
    }

    /// All that is listened on, for another core. It can be had once.
    pub(crate) fn hand_over(&self) -> (Vec<String>, Vec<Passed>) {
        let mut held = self.held();
        held.handed_over = !held.open.is_empty();
        std::mem::take(&mut held.open).into_iter().unzip()
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
