//! Between those who record and the one thread that writes.
//!
//! A record wakes the writer only out of a sleep, and it then gathers for a moment what else comes: calls in a row cost
//! no wake-up each. What cannot wait does not.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::writer::Message;

/// How long the writer gathers.
const GATHER: Duration = Duration::from_millis(10);

/// The messages on their way to the writer.
#[derive(Default)]
pub(super) struct Inbox {
    // Held for a push or a swap, never while anything is written.
    state: Mutex<State>,
    woken: Condvar,
}

#[derive(Default)]
struct State {
    messages: Vec<Message>,
    /// Whether the writer waits for any message at all.
    sleeping: bool,
    /// Whether it should look at once.
    urgent: bool,
    closed: bool,
}

impl Inbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands a message over; never waits for the writer. Where nobody writes any more it is dropped.
    pub(super) fn push(&self, message: Message) {
        let mut state = self.state();
        if state.closed {
            return;
        }
        // Only what changes something for the writer wakes it: each wake-up is a system call.
        let presses = message.is_urgent() && !std::mem::replace(&mut state.urgent, true);
        let wakes = std::mem::take(&mut state.sleeping) || presses;
        state.messages.push(message);
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
    /// Waits for messages, for `limit` at most if there is one, and appends what has come to `messages`; they may be
    /// none. Returns whether more may follow.
    pub(super) fn wait(&self, limit: Option<Duration>, messages: &mut Vec<Message>) -> bool {
        let Inbox { woken, .. } = &*self.0;
        let mut state = self.0.state();
        state.sleeping = state.messages.is_empty();
        let asleep = |state: &mut State| state.sleeping && !state.urgent && !state.closed;
        state = match limit {
            None => woken.wait_while(state, asleep).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => woken.wait_timeout_while(state, limit, asleep).unwrap_or_else(PoisonError::into_inner).0,
        };
        state.sleeping = false;
        if !state.messages.is_empty() {
            let gathering = |state: &mut State| !state.urgent && !state.closed;
            state = woken.wait_timeout_while(state, GATHER, gathering).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.urgent = false;
        messages.append(&mut state.messages);
        !state.closed
    }
}

impl Drop for Outlet {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.closed = true;
        state.messages.clear();
    }
}
