//! What a session has under way. It ends with the session, whatever it waits for.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::JoinSet;

/// Tasks of one session.
#[derive(Default)]
pub(super) struct Tasks {
    /// Requests that wait for their answer.
    requests: Lane,
    /// What goes on in the background and is nobody's answer.
    background: Lane,
}

// Held to add a task or to look for ended ones, never across an await.
#[derive(Default)]
struct Lane(Mutex<JoinSet<()>>);

impl Tasks {
    /// Starts a request.
    pub(super) fn request(&self, request: impl Future<Output = ()> + Send + 'static) {
        self.requests.spawn(request);
    }

    /// Starts something that no client waits for.
    pub(super) fn background(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.background.spawn(task);
    }

    /// Ends the background at once, and the requests when `patience` is over.
    pub(super) async fn finish(&self, patience: Duration) {
        self.background.take().shutdown().await;
        let mut requests = self.requests.take();
        let _ = tokio::time::timeout(patience, async { while requests.join_next().await.is_some() {} }).await;
        requests.shutdown().await;
    }
}

impl Lane {
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task);
    }

    fn take(&self) -> JoinSet<()> {
        std::mem::take(&mut *self.tasks())
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
