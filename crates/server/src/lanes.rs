//! The threads that carry calls, one event loop each.
//!
//! A connection stays on the lane that it was put on, and so do the lines to servers that its calls use: a call wakes no
//! other thread, and shares no lock with another lane's. What a person or the disk is waited for runs elsewhere.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::forward::Forwarder;

/// More lanes than this serve nobody: the programs of one person do not call that often.
const MOST: usize = 4;

/// All lanes. Dropping them ends what runs there, and waits for that end; never drop them on a lane.
pub(crate) struct Lanes {
    lanes: Vec<Lane>,
    turns: AtomicUsize,
}

/// One of them.
pub(crate) struct Lane {
    /// Where its tasks are spawned.
    pub(crate) runtime: Handle,
    /// The forwarder whose lines belong to this event loop.
    pub(crate) forwarder: Arc<Forwarder>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lanes {
    /// Opens one lane for each core of the machine, with a forwarder like this one each.
    ///
    /// # Errors
    /// If the system gives no thread or no event loop.
    pub(crate) fn open(forwarder: &Forwarder) -> io::Result<Self> {
        let count = thread::available_parallelism().map_or(1, usize::from).min(MOST);
        let lanes = (0..count).map(|_| Lane::open(forwarder.another())).collect::<io::Result<_>>()?;
        Ok(Self { lanes, turns: AtomicUsize::new(0) })
    }

    /// The lane for one more connection: they take turns.
    pub(crate) fn next(&self) -> &Lane {
        let turn = self.turns.fetch_add(1, Ordering::Relaxed);
        &self.lanes[turn % self.lanes.len()]
    }
}

impl Lane {
    fn open(forwarder: Forwarder) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let (stop, stopped) = oneshot::channel();
        let thread = thread::Builder::new().name("lane".to_owned()).spawn(move || drive(runtime, stopped))?;
        Ok(Self { runtime: handle, forwarder: Arc::new(forwarder), stop: Some(stop), thread: Some(thread) })
    }
}

fn drive(runtime: Runtime, stopped: oneshot::Receiver<()>) {
    // Told so, or nobody is left who could: both are the end.
    let _ = runtime.block_on(stopped);
    // A name that is still being looked up must not hold up the end.
    runtime.shutdown_background();
}

impl Drop for Lane {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_take_turns_and_all_ends_with_the_lanes() {
        let tls = rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
        let tls =
            tls.with_safe_default_protocol_versions().unwrap().with_root_certificates(rustls::RootCertStore::empty());
        let lanes = Lanes::open(&Forwarder::new(Arc::new(tls.with_no_client_auth()))).unwrap();
        let count = lanes.lanes.len();
        let (held, ended) = std::sync::mpsc::channel::<()>();
        let threads: std::collections::HashSet<_> = (0..2 * count)
            .map(|_| {
                let (tell, told) = std::sync::mpsc::channel();
                let held = held.clone();
                lanes.next().runtime.spawn(async move {
                    tell.send(thread::current().id()).unwrap();
                    std::future::pending::<()>().await;
                    drop(held);
                });
                told.recv().unwrap()
            })
            .collect();
        assert_eq!(threads.len(), count);
        drop((lanes, held));
        assert!(ended.try_recv().is_err_and(|error| error == std::sync::mpsc::TryRecvError::Disconnected));
    }
}
