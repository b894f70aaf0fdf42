//! Between those who record and the one thread that writes.
//!
//! A record wakes the writer only out of a sleep, and it then gathers for a moment what else comes: calls in a row cost
//! no wake-up each. What cannot wait does not.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keybearer_model::time::Timestamp;

use super::records::{Records, Words};

/// How long the writer gathers.
const GATHER: Duration = Duration::from_millis(10);

/// How soon a record is to be on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Within a second.
    Soon,
    /// At once.
    AtOnce,
}

/// What has come for the writer.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) records: Records,
    /// Who waits until all that came before is on the disk.
    pub(super) waiting: Vec<Sender<()>>,
    /// Some of it goes to the disk at once.
    pub(super) urgent: bool,
}

/// What is on its way to the writer.
#[derive(Default)]
pub(super) struct Inbox {
    // Held for a push or a swap, never while anything is put into words or written.
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    batch: Batch,
    /// Whether the writer waits for anything at all.
    sleeping: bool,
    closed: bool,
}

impl Batch {
    fn is_empty(&self) -> bool {
        self.records.is_empty() && self.waiting.is_empty()
    }
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a record over; never waits for the writer. Where nobody writes any more it is dropped.
    pub(super) fn push(&self, time: Timestamp, words: &Words, urgency: Urgency) {
        self.put(urgency, |batch| batch.records.push(time, words));
    }

    /// Has `done` told when all that was handed over before is on the disk, or dropped where nobody writes any more.
    pub(super) fn flush(&self, done: Sender<()>) {
        self.put(Urgency::AtOnce, |batch| batch.waiting.push(done));
    }

    fn put(&self, urgency: Urgency, add: impl FnOnce(&mut Batch)) {
        let mut state = self.state();
        if state.closed {
            return;
        }
        // Only what changes something for the writer wakes it: each wake-up is a system call.
        let presses = urgency == Urgency::AtOnce && !std::mem::replace(&mut state.batch.urgent, true);
        let wakes = std::mem::take(&mut state.sleeping) || presses;
        add(&mut state.batch);
        drop(state);
        if wakes {
            self.woken.notify_one();
        }
    }

    /// Says that nothing more will come.
    pub(super) fn close(&self) {
        self.state().closed = true;
        self.woken.notify_one();
    }
}

/// The writer's end. When it goes, also by a panic, nobody waits for the writer any more.
pub(super) struct Outlet(pub(super) Arc<Inbox>);

impl Outlet {
    /// Waits for something to come, for `limit` at most if there is one, and takes it all; it may be nothing. Whether more
    /// may follow is told with it. `spent` is an empty batch whose room is used again.
    pub(super) fn wait(&self, limit: Option<Duration>, spent: Batch) -> (Batch, bool) {
        let Inbox { woken, .. } = &*self.0;
        let mut state = self.0.state();
        state.sleeping = state.batch.is_empty();
        let asleep = |state: &mut State| state.sleeping && !state.batch.urgent && !state.closed;
        state = match limit {
            None => woken.wait_while(state, asleep).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => woken.wait_timeout_while(state, limit, asleep).unwrap_or_else(PoisonError::into_inner).0,
        };
        state.sleeping = false;
        if !state.batch.is_empty() {
            let gathering = |state: &mut State| !state.batch.urgent && !state.closed;
            state = woken.wait_timeout_while(state, GATHER, gathering).unwrap_or_else(PoisonError::into_inner).0;
        }
        (std::mem::replace(&mut state.batch, spent), !state.closed)
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.closed = true;
        state.batch = Batch::default();
    }
}
