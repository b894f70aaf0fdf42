//! What holds a client's connection together while cores come and go.
//!
//! One thread reads the client, one reads the core; while one core hands over to another, a third reads the other.

mod coming;
mod going;

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keybearer_model::name::ServerName;

use super::connection::{Connection, Opened};
use super::lines::{Chunk, LONGEST_HELD, Lines};
use super::reach::Reach;
use crate::exit::Exit;

/// How much of what the client says is kept while there is no core; then the client has to wait.
const MOST_KEPT: usize = 4 * LONGEST_HELD;

/// How long after a failed try to reach a core the next one follows, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// After so many failed tries the client is told, and it is tried on.
const TRIES_IN_SILENCE: u32 = 8;

/// How often it is looked whether Keybearer was turned on again.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Tells a client that its server may have other tools now.
const TOOLS_CHANGED: &[u8] = br#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#;

/// One client's connection.
pub(super) struct Relay<W> {
    reach: Reach,
    /// How the server is called in what the client is told.
    called: ServerName,
    out: Mutex<W>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    link: Link,
    /// Counts connections, so that one of yesterday changes nothing today.
    current: u64,
    kept: VecDeque<Vec<u8>>,
    kept_bytes: usize,
    handshake: Option<Handshake>,
    client_ended: bool,
    /// Threads that read a core or look for one.
    readers: usize,
}

#[derive(Default)]
enum Link {
    /// Lines go there.
    Up(Arc<Connection>),
    /// Lines are kept.
    #[default]
    Down,
    /// Requests are answered here.
    Off,
}

/// What is said again to another core.
#[derive(Clone)]
struct Handshake {
    id: Box<str>,
    request: Vec<u8>,
    answered: bool,
    initialized: Option<Vec<u8>>,
}

impl<W: Write + Send + 'static> Relay<W> {
    pub(super) fn new(reach: Reach, called: ServerName, out: W) -> Arc<Self> {
        let state = State { readers: 1, ..State::default() };
        Arc::new(Self { reach, called, out: Mutex::new(out), state: Mutex::new(state), changed: Condvar::new() })
    }

    /// Passes the client's lines on until it ends.
    pub(super) fn hear_client(&self, client: impl Read) {
        let mut lines = Lines::new(client);
        while let Ok(Some(chunk)) = lines.next() {
            match chunk {
                Chunk::Lines(whole) => self.send(whole),
                Chunk::Piece(first) => {
                    let first = first.to_vec();
                    self.send_long(&first, &mut lines);
                }
            }
        }
        let mut state = self.state();
        state.client_ended = true;
        let up = if let Link::Up(connection) = &state.link { Some(Arc::clone(connection)) } else { None };
        drop(state);
        self.changed.notify_all();
        if let Some(connection) = up {
            connection.finish();
        }
    }

    /// Passes a core's lines on, and those of the cores that follow it, until nothing is left to do.
    pub(super) fn serve(self: &Arc<Self>, opened: Option<Opened>) {
        let mut next = opened.or_else(|| self.look_for_a_core());
        while let Some(mut opened) = next {
            let number = self.greet(&opened.connection);
            self.deliver(&opened.connection, &mut opened.lines, number);
            let was_last = self.lost(&opened.connection, number);
            next = if was_last { None } else { self.look_for_a_core() };
        }
        let mut state = self.state();
        state.readers -= 1;
        if state.readers == 0 {
            std::process::exit(Exit::Ok.number().into());
        }
    }

    /// Sends a line of ours.
    fn tell(&self, message: &[u8]) {
        write(&mut *self.out(), &[message, b"\n"].concat());
    }

    fn pass(&self, lines: &[u8]) {
        if !lines.is_empty() {
            write(&mut *self.out(), lines);
        }
    }

    fn out(&self) -> MutexGuard<'_, W> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(out: &mut impl Write, bytes: &[u8]) {
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        // Nobody reads any more: the client is gone.
        std::process::exit(Exit::Ok.number().into());
    }
}
