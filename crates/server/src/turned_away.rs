//! What the doors turn away before it is a call: counted, and recorded once a minute for each reason rather than each
//! time, so that nobody can fill the audit trail from outside.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use keybearer_core::broker::Broker;
use keybearer_model::name::ClientName;

/// How long is counted before it is recorded.
const MINUTE: Duration = Duration::from_secs(60);

/// Counts. Cheap to clone.
#[derive(Clone)]
pub(crate) struct TurnedAway(Arc<Shared>);

struct Shared {
    broker: Broker,
    // Held to count, never across an await.
    counts: Mutex<HashMap<Kind, u64>>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
struct Kind {
    door: &'static str,
    reason: &'static str,
    client: Option<ClientName>,
}

impl TurnedAway {
    pub(crate) fn new(broker: Broker) -> Self {
        Self(Arc::new(Shared { broker, counts: Mutex::default() }))
    }

    /// Counts one more request; `client` is who sent it, where that is known.
    pub(crate) fn count(&self, door: &'static str, reason: &'static str, client: Option<&ClientName>) {
        let mut counts = self.0.counts();
        if counts.is_empty() {
            // Runs while there is something to record, so that an idle core has nothing to wake up for.
            let shared = Arc::downgrade(&self.0);
            tokio::spawn(async move {
                tokio::time::sleep(MINUTE).await;
                if let Some(shared) = shared.upgrade() {
                    shared.record();
                }
            });
        }
        *counts.entry(Kind { door, reason, client: client.cloned() }).or_default() += 1;
    }
}

impl Shared {
    fn counts(&self) -> MutexGuard<'_, HashMap<Kind, u64>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn record(&self) {
        for (Kind { door, reason, client }, times) in std::mem::take(&mut *self.counts()) {
            self.broker.record_turned_away(door, reason, client, times);
        }
    }
}

impl Drop for Shared {
    /// A core that ends does not wait for the minute.
    fn drop(&mut self) {
        self.record();
    }
}

/// The word for what the gate refuses with this status.
pub(crate) fn reason(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => "host_or_origin",
        StatusCode::BAD_REQUEST => "upgrade",
        StatusCode::METHOD_NOT_ALLOWED => "method",
        StatusCode::NOT_FOUND => "path",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "content_type",
        StatusCode::UNAUTHORIZED => "key",
        StatusCode::PAYLOAD_TOO_LARGE => "size",
        _ => "other",
    }
}
