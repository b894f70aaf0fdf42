//! The obligation to record how a call ended.

use std::sync::Arc;

use http::HeaderName;
use keybearer_model::call::Call;
use keybearer_model::grant::Account;
use keybearer_model::time::BootTime;

use super::{CallEntry, Decision, Entry, Outcome, Trail};

/// A call that is under way. Dropped without [`Span::settle`] it is recorded as aborted.
#[must_use = "a span that is dropped at once records an aborted call"]
pub struct Span {
    trail: Trail,
    begun: BootTime,
    entry: Option<CallEntry>,
}

impl Span {
    pub(super) fn begin(trail: Trail, call: Arc<Call>) -> Self {
        let begun = trail.clock().boot();
        Self { trail, begun, entry: Some(CallEntry::begun(call)) }
    }

    /// Notes what was decided.
    pub fn decided(&mut self, decision: Decision) {
        if let Some(entry) = &mut self.entry {
            entry.decided(decision);
        }
    }

    /// Notes whose account the call is made as: the record tells its e-mail address.
    pub fn account(&mut self, account: &Arc<Account>) {
        if let Some(entry) = &mut self.entry {
            entry.account(Arc::clone(account));
        }
    }

    /// Notes the names of the headers that go on beyond MCP's own.
    pub fn headers(&mut self, names: Vec<HeaderName>) {
        if let Some(entry) = &mut self.entry {
            entry.headers(names);
        }
    }

    /// Notes the number under which somebody looks at its messages.
    pub fn inspected(&mut self, exchange: u64) {
        if let Some(entry) = &mut self.entry {
            entry.inspected(exchange);
        }
    }

    /// Records the call with this outcome.
    pub fn settle(mut self, outcome: Outcome) {
        self.end(outcome);
    }

    fn end(&mut self, outcome: Outcome) {
        if let Some(mut entry) = self.entry.take() {
            entry.ended(outcome, self.trail.clock().boot().since(self.begun));
            self.trail.append(&Entry::Call(entry));
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        self.end(Outcome::Aborted);
    }
}
