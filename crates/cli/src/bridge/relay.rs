//! What holds a client's connection together while cores come and go.
//!
//! One thread reads the client, one reads the core; while one core hands over to another, a third reads the other.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keybearer_control::bridge::{NOTICE_MARK, Notice};
use keybearer_mcp::envelope::{Envelope, Seen};
use keybearer_mcp::reply::{self, Obstacle};
use keybearer_model::name::ServerName;

use super::connection::{Connection, Opened, requests, same, whole_lines};
use super::lines::{Chunk, LONGEST_HELD, Lines};
use super::reach::{Reach, Unreached};
use crate::exit::Exit;
use crate::out;

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
    pub(super) fn from_client(&self, client: impl Read) {
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

    // The client's side.

    fn send(&self, lines: &[u8]) {
        let mut rest = lines.to_vec();
        while !rest.is_empty() {
            let Some(connection) = self.way_for(&rest) else { return };
            let written = connection.write(&rest);
            let sent = whole_lines(&rest, written);
            rest.drain(..sent);
            if !rest.is_empty() {
                self.take_back(&connection, &mut rest);
            }
        }
    }

    /// Where whole lines go now; `None` when they are kept or answered.
    fn way_for(&self, lines: &[u8]) -> Option<Arc<Connection>> {
        let mut state = self.state();
        loop {
            match &state.link {
                Link::Up(connection) => {
                    let connection = Arc::clone(connection);
                    note_sent(&mut state, &connection, lines);
                    return Some(connection);
                }
                Link::Off if self.reach.is_turned_off() => {
                    drop(state);
                    self.answer_all(lines, Obstacle::TurnedOff);
                    return None;
                }
                Link::Down if state.kept_bytes + lines.len() > MOST_KEPT && !state.kept.is_empty() => {
                    state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
                Link::Down | Link::Off => {
                    state.link = Link::Down;
                    state.kept_bytes += lines.len();
                    state.kept.push_back(lines.to_vec());
                    drop(state);
                    self.changed.notify_all();
                    return None;
                }
            }
        }
    }

    /// After a broken write: nothing more goes there, and of what was not sent, what the reader has answered already
    /// is not sent at all.
    fn take_back(&self, connection: &Arc<Connection>, unsent: &mut Vec<u8>) {
        let mut state = self.state();
        if matches!(&state.link, Link::Up(up) if Arc::ptr_eq(up, connection)) {
            state.link = Link::Down;
        }
        drop(state);
        let mut still = Vec::with_capacity(unsent.len());
        for line in unsent.split_inclusive(|byte| *byte == b'\n') {
            if requests(line).iter().all(|id| connection.settle(id)) {
                still.extend_from_slice(line);
                self.forget_said(line);
            }
        }
        *unsent = still;
    }

    /// What will be sent later is not said again before that.
    fn forget_said(&self, line: &[u8]) {
        let mut state = self.state();
        match Envelope::of(line).seen() {
            Seen::Request { method: "initialize", .. } => state.handshake = None,
            Seen::Notification { method: "notifications/initialized" } => {
                if let Some(handshake) = &mut state.handshake {
                    handshake.initialized = None;
                }
            }
            Seen::Request { .. } | Seen::Notification { .. } | Seen::Answer { .. } | Seen::Other => {}
        }
    }

    /// A line that is too long to be held: it goes to one connection or to none.
    fn send_long(&self, first: &[u8], lines: &mut Lines<impl Read>) {
        let connection = self.way_for_long();
        let mut turn = connection.as_ref().map(|connection| connection.turn());
        let mut envelope = Envelope::default();
        let mut piece = first.to_vec();
        while piece.last() != Some(&b'\n') {
            envelope.feed(&piece);
            turn = turn.and_then(|mut turn| (turn.write(&piece) == piece.len()).then_some(turn));
            match lines.next() {
                Ok(Some(Chunk::Piece(next) | Chunk::Lines(next))) => piece = next.to_vec(),
                Ok(None) | Err(_) => return,
            }
        }
        envelope.feed(&piece);
        let id = request_id(&envelope);
        let told = match (connection.as_ref(), turn, &id) {
            (Some(connection), Some(mut turn), Some(id)) => {
                connection.expect(id);
                // If it broke, the reader may have answered it.
                turn.write(&piece) == piece.len() || !connection.settle(id)
            }
            (_, Some(mut turn), None) => turn.write(&piece) == piece.len(),
            (_, _, _) => false,
        };
        if let Some(id) = id.filter(|_| !told) {
            let why = if connection.is_some() { Obstacle::Interrupted } else { Obstacle::TurnedOff };
            self.tell(&reply::obstacle(&id, why, &self.called));
        }
    }

    fn way_for_long(&self) -> Option<Arc<Connection>> {
        let mut state = self.state();
        loop {
            match &state.link {
                Link::Up(connection) => return Some(Arc::clone(connection)),
                Link::Off => return None,
                Link::Down => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }

    // The core's side.

    /// Passes on what comes until the connection ends.
    fn deliver(self: &Arc<Self>, connection: &Arc<Connection>, lines: &mut Lines<impl Read>, number: u64) {
        let mut within: Option<(MutexGuard<'_, W>, Envelope)> = None;
        while let Ok(Some(chunk)) = lines.next() {
            match chunk {
                Chunk::Lines(whole) => self.deliver_lines(connection, whole, number),
                Chunk::Piece(piece) => {
                    let (out, envelope) = within.get_or_insert_with(|| (self.out(), Envelope::default()));
                    envelope.feed(piece);
                    let ends = piece.last() == Some(&b'\n');
                    if let (true, Seen::Answer { id, .. }) = (ends, envelope.seen()) {
                        connection.settle(id);
                    }
                    write(&mut **out, piece);
                    if ends {
                        within = None;
                    }
                }
            }
        }
        if let Some((mut out, _)) = within {
            // What the client has of this line is no message; the next one must be.
            write(&mut *out, b"\n");
        }
    }

    fn deliver_lines(self: &Arc<Self>, connection: &Arc<Connection>, whole: &[u8], number: u64) {
        let mut passing = 0..0;
        for line in whole.split_inclusive(|byte| *byte == b'\n') {
            let end = passing.end + line.len();
            if self.is_for_client(connection, line, number) {
                passing.end = end;
                continue;
            }
            self.pass(whole.get(passing.clone()).unwrap_or_default());
            passing = end..end;
        }
        self.pass(whole.get(passing).unwrap_or_default());
    }

    fn is_for_client(self: &Arc<Self>, connection: &Arc<Connection>, line: &[u8], number: u64) -> bool {
        if line.first() == Some(&NOTICE_MARK) {
            match serde_json::from_slice(line.get(1..).unwrap_or_default()) {
                Ok(Notice::Draining) => self.hand_over(connection, number),
                // A core of tomorrow may say more.
                Err(_) => {}
            }
            return false;
        }
        let envelope = Envelope::of(line);
        let Seen::Answer { id, failed } = envelope.seen() else { return true };
        if connection.is_replaying() && self.state().handshake.as_ref().is_none_or(|said| same(&said.id, id)) {
            self.greeted_again(connection, number);
            return false;
        }
        if connection.settle(id) {
            self.shaken(id, failed);
        } else if failed && id == "null" {
            connection.refused_one();
        }
        true
    }

    /// Notes the answer to the handshake.
    fn shaken(&self, id: &str, failed: bool) {
        let mut state = self.state();
        match &mut state.handshake {
            Some(handshake) if !handshake.answered && same(&handshake.id, id) => {
                handshake.answered = true;
                if failed {
                    state.handshake = None;
                }
            }
            Some(_) | None => {}
        }
    }

    /// Begins on a new connection: what the client has said to begin with is said again.
    fn greet(self: &Arc<Self>, connection: &Arc<Connection>) -> u64 {
        let mut state = self.state();
        state.current += 1;
        let number = state.current;
        let again = state.handshake.clone();
        drop(state);
        match again {
            None => self.flush(connection, number),
            Some(handshake) => {
                if handshake.answered {
                    connection.set_replaying(true);
                } else {
                    connection.expect(&handshake.id);
                }
                // If it breaks, the reader sees it at once.
                connection.write(&handshake.request);
                if !handshake.answered {
                    self.flush(connection, number);
                }
            }
        }
        number
    }

    /// The new core knows the client now.
    fn greeted_again(self: &Arc<Self>, connection: &Arc<Connection>, number: u64) {
        connection.set_replaying(false);
        let initialized = self.state().handshake.as_ref().and_then(|handshake| handshake.initialized.clone());
        if let Some(initialized) = initialized {
            connection.write(&initialized);
            self.tell(TOOLS_CHANGED);
        }
        self.flush(connection, number);
    }

    /// Sends what was kept, and opens the way for what comes.
    fn flush(self: &Arc<Self>, connection: &Arc<Connection>, number: u64) {
        if self.state().kept.is_empty() {
            return self.flush_kept(connection, number);
        }
        // Not on the thread that reads the core: it must go on reading.
        let (relay, connection) = (Arc::clone(self), Arc::clone(connection));
        std::thread::spawn(move || relay.flush_kept(&connection, number));
    }

    fn flush_kept(&self, connection: &Arc<Connection>, number: u64) {
        loop {
            let mut state = self.state();
            if state.current != number {
                return;
            }
            let Some(mut lines) = state.kept.pop_front() else {
                state.link = Link::Up(Arc::clone(connection));
                let ended = state.client_ended;
                drop(state);
                self.changed.notify_all();
                return if ended {
                    connection.finish()
                };
            };
            state.kept_bytes -= lines.len();
            note_sent(&mut state, connection, &lines);
            drop(state);
            self.changed.notify_all();
            let written = connection.write(&lines);
            lines.drain(..whole_lines(&lines, written));
            if !lines.is_empty() {
                self.take_back(connection, &mut lines);
                let mut state = self.state();
                state.kept_bytes += lines.len();
                return state.kept.push_front(lines);
            }
        }
    }

    /// Another core takes over: nothing more goes to this one, but what is open there is still answered.
    fn hand_over(self: &Arc<Self>, connection: &Arc<Connection>, number: u64) {
        connection.retire();
        let mut state = self.state();
        if state.current == number {
            state.current += 1;
            state.link = Link::Down;
        }
        state.readers += 1;
        drop(state);
        let (relay, connection) = (Arc::clone(self), Arc::clone(connection));
        std::thread::spawn(move || {
            connection.finish();
            relay.serve(None);
        });
    }

    /// After a connection's end: what was open on it is answered. Says whether somebody else looks for the next core.
    fn lost(&self, connection: &Arc<Connection>, number: u64) -> bool {
        let mut state = self.state();
        if state.current == number {
            state.current += 1;
            state.link = Link::Down;
        }
        let shaking = state.handshake.as_ref().filter(|handshake| !handshake.answered).map(|it| it.id.clone());
        let all_said = state.client_ended && connection.may_be_done();
        drop(state);
        for id in connection.give_up().into_iter().filter(|_| !all_said) {
            // A handshake that was not answered is said again; nothing was done for it.
            if shaking.as_ref() != Some(&id) || connection.is_retired() {
                self.tell(&reply::obstacle(&id, Obstacle::Interrupted, &self.called));
            }
        }
        connection.is_retired()
    }

    /// Connects, starting a core where none runs; `None` when nobody needs one any more.
    fn look_for_a_core(&self) -> Option<Opened> {
        let mut pause = FIRST_PAUSE;
        let mut tries = 0;
        loop {
            let state = self.state();
            if state.client_ended && state.kept.is_empty() {
                return None;
            }
            drop(state);
            match self.reach.bridge() {
                Ok(opened) => return Some(opened),
                Err(Unreached::TurnedOff) => {
                    self.stay_off();
                    continue;
                }
                Err(Unreached::Refused(failure)) => {
                    self.answer_kept(Obstacle::Internal);
                    out::failure(out::Format::Text, &failure);
                    std::process::exit(Exit::NoCore.number().into());
                }
                Err(Unreached::Ending) => tries += 1,
                Err(Unreached::Failed(failure)) => {
                    tries += 1;
                    if tries == TRIES_IN_SILENCE {
                        out::failure(out::Format::Text, &failure);
                    }
                }
            }
            if tries >= TRIES_IN_SILENCE {
                self.answer_kept(Obstacle::Internal);
            }
            self.rest(pause);
            pause = LONGEST_PAUSE.min(pause * 2);
        }
    }

    fn rest(&self, pause: Duration) {
        let state = self.state();
        if !state.client_ended || !state.kept.is_empty() {
            drop(self.changed.wait_timeout(state, pause).unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Answers requests until Keybearer is turned on again.
    fn stay_off(&self) {
        self.state().link = Link::Off;
        self.answer_kept(Obstacle::TurnedOff);
        self.changed.notify_all();
        loop {
            let mut state = self.state();
            if state.client_ended || matches!(state.link, Link::Down) || !self.reach.is_turned_off() {
                state.link = Link::Down;
                return;
            }
            drop(self.changed.wait_timeout(state, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn answer_kept(&self, why: Obstacle) {
        let mut state = self.state();
        let kept = std::mem::take(&mut state.kept);
        state.kept_bytes = 0;
        drop(state);
        self.changed.notify_all();
        kept.iter().for_each(|lines| self.answer_all(lines, why));
    }

    fn answer_all(&self, lines: &[u8], why: Obstacle) {
        requests(lines).iter().for_each(|id| self.tell(&reply::obstacle(id, why, &self.called)));
    }

    // The client's ear.

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

/// Notes what must be answered and what must be said again, before it is sent.
fn note_sent(state: &mut State, connection: &Connection, lines: &[u8]) {
    for line in lines.split_inclusive(|byte| *byte == b'\n') {
        match Envelope::of(line).seen() {
            Seen::Request { id, method } => {
                connection.expect(id);
                if method == "initialize" {
                    let (id, request) = (id.into(), line.to_vec());
                    state.handshake = Some(Handshake { id, request, answered: false, initialized: None });
                }
            }
            Seen::Notification { method: "notifications/initialized" } => {
                if let Some(handshake) = &mut state.handshake {
                    handshake.initialized = Some(line.to_vec());
                }
            }
            Seen::Notification { method: "notifications/cancelled" } => connection.cancelled(line),
            Seen::Notification { .. } | Seen::Answer { .. } | Seen::Other => {}
        }
    }
}

fn request_id(envelope: &Envelope) -> Option<Box<str>> {
    match envelope.seen() {
        Seen::Request { id, .. } => Some(id.into()),
        Seen::Notification { .. } | Seen::Answer { .. } | Seen::Other => None,
    }
}

fn write(out: &mut impl Write, bytes: &[u8]) {
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        // Nobody reads any more: the client is gone.
        std::process::exit(Exit::Ok.number().into());
    }
}
