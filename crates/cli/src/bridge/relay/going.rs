//! The client's side: what it says goes to the core, is kept for the next one, or is answered here.

use std::io::{Read, Write};
use std::sync::{Arc, PoisonError};

use keybearer_mcp::envelope::{Envelope, Seen};
use keybearer_mcp::reply::{self, Obstacle};

use super::super::connection::{Connection, requests, whole_lines};
use super::super::lines::{Chunk, Lines};
use super::{Handshake, Link, MOST_KEPT, Relay, State};

impl<W: Write + Send + 'static> Relay<W> {
    pub(super) fn send(&self, lines: &[u8]) {
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
    pub(super) fn take_back(&self, connection: &Arc<Connection>, unsent: &mut Vec<u8>) {
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
    pub(super) fn send_long(&self, first: &[u8], lines: &mut Lines<impl Read>) {
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
}

/// Notes what must be answered and what must be said again, before it is sent.
pub(super) fn note_sent(state: &mut State, connection: &Connection, lines: &[u8]) {
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

pub(super) fn request_id(envelope: &Envelope) -> Option<Box<str>> {
    match envelope.seen() {
        Seen::Request { id, .. } => Some(id.into()),
        Seen::Notification { .. } | Seen::Answer { .. } | Seen::Other => None,
    }
}
