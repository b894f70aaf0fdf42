//! Holds the token endpoint's answers back, so that a test can see how many callers wait for one at the same time.

use std::io;
use std::sync::Arc;

use tokio::sync::watch;

/// A gate that is open unless somebody holds it.
pub(super) struct Gate {
    held: watch::Sender<bool>,
    waiting: Arc<watch::Sender<usize>>,
}

impl Default for Gate {
    fn default() -> Self {
        Self { held: watch::Sender::new(false), waiting: Arc::new(watch::Sender::new(0)) }
    }
}

impl Gate {
    /// Closes it until the returned value is dropped.
    pub(super) fn hold(&self) -> Held {
        self.held.send_replace(true);
        Held { held: self.held.clone(), waiting: self.waiting.subscribe() }
    }

    /// Passes at once, or when the gate is opened.
    pub(super) async fn pass(&self) {
        let _counted = Waiting::count(&self.waiting);
        let _ = self.held.subscribe().wait_for(|held| !held).await;
    }
}

/// One who waits; leaving by any way, a broken connection too, uncounts it.
struct Waiting(Arc<watch::Sender<usize>>);

impl Waiting {
    fn count(waiting: &Arc<watch::Sender<usize>>) -> Self {
        waiting.send_modify(|count| *count += 1);
        Self(Arc::clone(waiting))
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

/// Answers are held back while this value lives.
pub struct Held {
    held: watch::Sender<bool>,
    waiting: watch::Receiver<usize>,
}

impl Held {
    /// How many requests wait now.
    pub fn waiting(&self) -> usize {
        *self.waiting.borrow()
    }

    /// Waits until at least `count` requests wait; fails after twenty seconds.
    pub async fn until_waiting(&self, count: usize) -> io::Result<()> {
        let mut waiting = self.waiting.clone();
        let arrived = tokio::time::timeout(super::PATIENCE, waiting.wait_for(|now| *now >= count)).await;
        match arrived {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(closed)) => Err(io::Error::other(closed)),
            Err(_late) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("only {} of {count} wait", self.waiting())))
            }
        }
    }

    /// Lets the answers go.
    pub fn release(self) {}
}

impl Drop for Held {
    fn drop(&mut self) {
        self.held.send_replace(false);
    }
}
