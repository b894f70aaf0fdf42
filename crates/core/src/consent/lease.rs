//! The prompter lease: whoever holds it is shown the questions and brings the answers.

use tokio::sync::watch;

use super::desk::Desk;
use super::question::{NotAnswered, QuestionId, Said, Shown};

/// The lease. It ends when it is dropped; whoever decides who gets it has verified the shell before.
pub struct Lease {
    desk: Desk,
    serial: u64,
    changes: watch::Receiver<u64>,
}

impl Lease {
    pub(super) fn new(desk: Desk, serial: u64, mut changes: watch::Receiver<u64>) -> Self {
        changes.mark_changed();
        Self { desk, serial, changes }
    }

    /// The questions to show, first come first, and how many wait in all. Whoever calls this shows them: from now on they
    /// can be read.
    pub fn look(&mut self) -> (Vec<Shown>, usize) {
        self.changes.mark_unchanged();
        self.desk.look()
    }

    /// Waits until there is something else to show. Cancel-safe.
    pub async fn changed(&mut self) {
        if self.changes.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Brings an answer.
    ///
    /// # Errors
    /// Why it does not count; that is recorded.
    pub fn answer(&self, id: QuestionId, said: Said) -> Result<(), NotAnswered> {
        self.desk.answer(id, said)
    }

    /// Gives the person as much time again, once.
    ///
    /// # Errors
    /// If there is none to give.
    pub fn more_time(&self, id: QuestionId) -> Result<(), NotAnswered> {
        self.desk.more_time(id)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.desk.release(self.serial);
    }
}
