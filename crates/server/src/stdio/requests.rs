//! The requests of a client that have no answer yet, so that it can take them back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

/// By id, as JSON text.
#[derive(Default)]
pub(super) struct Requests(Arc<Mutex<HashMap<String, Open>>>);

struct Open {
    modern: bool,
    sent: Arc<AtomicBool>,
    ending: oneshot::Sender<()>,
}

/// A request under way; dropping it forgets it.
pub(super) struct UnderWay {
    requests: Arc<Mutex<HashMap<String, Open>>>,
    id: String,
    /// Whether a byte of it went upstream.
    pub(super) sent: Arc<AtomicBool>,
    taken_back: oneshot::Receiver<()>,
}

/// What a cancellation means for the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cancelled {
    /// It hears of it like of any message; its stream goes on.
    Tell,
    /// It has not heard of the request, or hears it from the end of the stream.
    Done,
}

impl Requests {
    /// Notes a request before it is started.
    pub(super) fn begin(&self, id: &str, modern: bool) -> UnderWay {
        let (ending, taken_back) = oneshot::channel();
        let sent = Arc::new(AtomicBool::new(false));
        self.open().insert(id.to_owned(), Open { modern, sent: Arc::clone(&sent), ending });
        UnderWay { requests: Arc::clone(&self.0), id: id.to_owned(), sent, taken_back }
    }

    /// The client takes a request back. In the modern era the end of its stream says so (2026-07-28); before, the
    /// server is told, unless it never saw the request.
    pub(super) fn cancel(&self, id: &str) -> Cancelled {
        let mut open = self.open();
        let stays = open.get(id).is_none_or(|request| !request.modern && request.sent.load(Ordering::Acquire));
        if stays {
            return Cancelled::Tell;
        }
        // A request that has just ended needs no ending.
        let _ = open.remove(id).map(|request| request.ending.send(()));
        Cancelled::Done
    }

    fn open(&self) -> MutexGuard<'_, HashMap<String, Open>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl UnderWay {
    /// Completes when the client takes the request back.
    pub(super) async fn taken_back(&mut self) {
        if (&mut self.taken_back).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_request_that_was_not_sent_ends_without_a_word() {
        let requests = Requests::default();
        let mut request = requests.begin("7", false);
        assert_eq!(requests.cancel("7"), Cancelled::Done);
        request.taken_back().await;
    }

    #[tokio::test]
    async fn of_one_that_was_sent_the_server_is_told_in_the_legacy_era_alone() {
        let requests = Requests::default();
        for (modern, want) in [(false, Cancelled::Tell), (true, Cancelled::Done)] {
            let request = requests.begin("\"a\"", modern);
            request.sent.store(true, Ordering::Release);
            assert_eq!(requests.cancel("\"a\""), want);
        }
        assert_eq!(requests.cancel("\"a\""), Cancelled::Tell);
    }
}
