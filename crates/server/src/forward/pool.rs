//! Idle lines to one origin, kept for the next call and let go when nothing comes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::line::Line;

/// More idle lines than this are closed at once.
const MOST_IDLE: usize = 64;

/// An idle line is closed after one to two of these.
const SWEEP: Duration = Duration::from_secs(30);

/// The idle lines to one origin.
#[derive(Default)]
pub(crate) struct Pool {
    // Held for a push or a pop, never across an await.
    idle: Mutex<Idle>,
}

#[derive(Default)]
struct Idle {
    lines: Vec<(Box<Line>, u64)>,
    round: u64,
    sweeping: bool,
}

impl Pool {
    fn idle(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The line used last: the one least likely to have been closed by the upstream.
    pub(super) fn take(&self) -> Option<Box<Line>> {
        self.idle().lines.pop().map(|(line, _)| line)
    }

    /// Keeps a line whose answer was read to its end, if it can carry another.
    pub(super) fn keep(self: &Arc<Self>, mut line: Box<Line>) {
        if !line.can_be_kept() {
            return;
        }
        line.rest();
        let mut idle = self.idle();
        if idle.lines.len() >= MOST_IDLE {
            return;
        }
        let round = idle.round;
        idle.lines.push((line, round));
        if !idle.sweeping {
            idle.sweeping = true;
            tokio::spawn(Arc::clone(self).sweep());
        }
    }

    /// Runs while there are idle lines, so that an idle core has nothing to wake up for.
    async fn sweep(self: Arc<Self>) {
        loop {
            tokio::time::sleep(SWEEP).await;
            let mut idle = self.idle();
            let round = idle.round;
            idle.lines.retain(|(_, kept)| *kept == round);
            idle.round += 1;
            if idle.lines.is_empty() {
                idle.sweeping = false;
                return;
            }
        }
    }
}
