//! The core's side: what it says goes to the client, and when it goes another one is found.

use std::io::{Read, Write};
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use keybearer_control::bridge::{NOTICE_MARK, Notice};
use keybearer_mcp::envelope::{Envelope, Seen};
use keybearer_mcp::reply::{self, Obstacle};
use keybearer_os::footprint;

use super::super::connection::{Connection, Opened, requests, same, whole_lines};
use super::super::lines::{Chunk, Lines};
use super::super::reach::Unreached;
use super::going::note_sent;
use super::{FIRST_PAUSE, LONGEST_PAUSE, LOOK_AGAIN, Link, Relay, TOOLS_CHANGED, TRIES_IN_SILENCE, write};
use crate::exit::Exit;
use crate::out;

impl<W: Write + Send + 'static> Relay<W> {
    /// Passes on what comes until the connection ends.
    pub(super) fn deliver(self: &Arc<Self>, connection: &Arc<Connection>, lines: &mut Lines<impl Read>, number: u64) {
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
                drop(state);
                // Most of what has run until now never runs again.
                footprint::forget_program();
            }
            Some(_) | None => {}
        }
    }

    /// Begins on a new connection: what the client has said to begin with is said again.
    pub(super) fn greet(self: &Arc<Self>, connection: &Arc<Connection>) -> u64 {
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
                if ended {
                    connection.finish();
                }
                return;
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
    pub(super) fn lost(&self, connection: &Arc<Connection>, number: u64) -> bool {
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
    pub(super) fn look_for_a_core(&self) -> Option<Opened> {
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

    pub(super) fn answer_all(&self, lines: &[u8], why: Obstacle) {
        requests(lines).iter().for_each(|id| self.tell(&reply::obstacle(id, why, &self.called)));
    }
}
