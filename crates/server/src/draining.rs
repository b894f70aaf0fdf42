//! Whether this core is to end as soon as what is under way is done, because another one takes over.

use tokio::sync::watch;

/// What a door waits on. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Draining(watch::Receiver<bool>);

/// What says that it begins.
pub(crate) struct Drain(watch::Sender<bool>);

/// Nothing drains yet.
pub(crate) fn channel() -> (Drain, Draining) {
    let (sender, receiver) = watch::channel(false);
    (Drain(sender), Draining(receiver))
}

impl Drain {
    /// Tells every door.
    pub(crate) fn begin(&self) {
        self.0.send_replace(true);
    }
}

impl Draining {
    /// Completes when it begins; never, if the core ends without it.
    pub(crate) async fn begun(&mut self) {
        if self.0.wait_for(|begun| *begun).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
