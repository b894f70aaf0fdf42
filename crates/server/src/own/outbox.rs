//! Where messages for the client go, and what we ask the client on a server's behalf.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot};

use super::raw::{Answer, Frame, message, raw};

/// A way to the client: one message each, in order.
#[derive(Clone)]
pub(super) struct Outbox(mpsc::Sender<Bytes>);

impl Outbox {
    pub(super) fn new(sender: mpsc::Sender<Bytes>) -> Self {
        Self(sender)
    }

    /// A way that leads nowhere.
    pub(super) fn closed() -> Self {
        Self(mpsc::channel(1).0)
    }

    /// Sends a message. `false`: nobody reads there any more.
    pub(super) async fn send(&self, message: Bytes) -> bool {
        self.0.send(message).await.is_ok()
    }

    pub(super) fn is_open(&self) -> bool {
        !self.0.is_closed()
    }
}

/// The requests that the client has not answered yet, under ids of ours.
#[derive(Default)]
pub(super) struct Asked {
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, oneshot::Sender<Answer>>>,
}

impl Asked {
    /// Asks the client and waits for its answer. Whoever stops waiting calls the question off.
    pub(super) async fn ask(self: &Arc<Self>, to: &Outbox, method: &str, params: Option<&RawValue>) -> Answer {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        self.waiting().insert(id, sender);
        let mut question = Question { asked: Arc::clone(self), to: to.clone(), id, open: true };
        let unheard = || Answer::error(-32603, "nobody_listens", "the client does not listen for requests");
        if !to.send(message(Some(&raw(&id)), method, params)).await {
            question.open = false;
            self.waiting().remove(&id);
            return unheard();
        }
        let answer = answer.await;
        question.open = false;
        answer.unwrap_or_else(|_| unheard())
    }

    /// Takes an answer of the client's in.
    pub(super) fn answered(&self, frame: Frame) {
        let id = frame.id.as_ref().and_then(|id| id.get().parse().ok());
        let waiting = id.and_then(|id: u64| self.waiting().remove(&id));
        if let Some(waiting) = waiting {
            let _ = waiting.send(frame.answer());
        }
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Answer>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Question {
    asked: Arc<Asked>,
    to: Outbox,
    id: u64,
    open: bool,
}

impl Drop for Question {
    fn drop(&mut self) {
        if self.open && self.asked.waiting().remove(&self.id).is_some() {
            let params = raw(&serde_json::json!({ "requestId": self.id }));
            let _ = self.to.0.try_send(message(None, "notifications/cancelled", Some(&params)));
        }
    }
}
