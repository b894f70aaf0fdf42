//! The inspector: what goes between apps and servers, for the person at the shell who has asked to see it.
//!
//! While nobody looks a call costs one relaxed load. While somebody does, a call's messages are kept with their secrets
//! cut, in memory alone, few of them and not for longer than the look lasts. Of headers only names are kept, of the
//! credential only that there was one.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

mod cut;
mod watched;

pub use cut::Messages;
pub(crate) use watched::Watched;

/// So many exchanges are kept.
const MOST: usize = 50;
/// Their texts have so many bytes at most, all together.
const MOST_BYTES: usize = 2 << 20;
/// So many calls are watched at the same time.
const MOST_WATCHED: usize = 32;

/// One call's messages, as they may be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exchange {
    /// Its number; the audit record of the call has it, too.
    pub number: u64,
    /// The names of the headers that the app sent.
    pub came: Vec<String>,
    /// Those of them that did not go on.
    pub stripped: Vec<String>,
    /// The header that carried the credential, where one was attached.
    pub credential: Option<String>,
    /// What the app sent.
    pub sent: Messages,
    /// The server's HTTP status.
    pub status: Option<u16>,
    /// What the server sent.
    pub got: Messages,
}

/// Where exchanges are kept while somebody looks. Cheap to clone.
#[derive(Clone, Default)]
pub struct Inspector(Arc<Shared>);

#[derive(Default)]
struct Shared {
    looking: AtomicBool,
    /// Counts exchanges: numbers are never used twice while a core runs.
    numbers: AtomicU64,
    watched: AtomicUsize,
    // Held to put one in or to take copies out, never across an await.
    kept: Mutex<VecDeque<Arc<Exchange>>>,
    changed: watch::Sender<u64>,
}

/// Somebody's look. It ends when it is dropped, and with it everything that was kept.
pub struct Look {
    inspector: Inspector,
    told: u64,
    changes: watch::Receiver<u64>,
}

impl Inspector {
    /// Begins to look; `None` while somebody else does. Whoever decides who may has verified the shell before.
    pub fn look(&self) -> Option<Look> {
        self.0.looking.compare_exchange(false, true, Ordering::AcqRel, Ordering::Relaxed).ok()?;
        let told = self.0.numbers.load(Ordering::Relaxed);
        Some(Look { inspector: self.clone(), told, changes: self.0.changed.subscribe() })
    }

    /// Begins to watch a call, if somebody looks.
    pub(crate) fn watch(&self) -> Option<Box<Watched>> {
        if !self.0.looking.load(Ordering::Relaxed) {
            return None;
        }
        if self.0.watched.fetch_add(1, Ordering::Relaxed) >= MOST_WATCHED {
            self.0.watched.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        let number = self.0.numbers.fetch_add(1, Ordering::Relaxed) + 1;
        Some(Box::new(Watched::begun(self.clone(), number)))
    }

    /// A watched call has ended.
    fn keep(&self, exchange: Exchange) {
        self.0.watched.fetch_sub(1, Ordering::Relaxed);
        // What ends after the look is nobody's.
        if !self.0.looking.load(Ordering::Acquire) {
            return;
        }
        let mut kept = self.kept();
        kept.push_back(Arc::new(exchange));
        let bytes =
            |kept: &VecDeque<Arc<Exchange>>| kept.iter().map(|one| one.sent.size() + one.got.size()).sum::<usize>();
        while kept.len() > MOST || (kept.len() > 1 && bytes(&kept) > MOST_BYTES) {
            kept.pop_front();
        }
        drop(kept);
        self.0.changed.send_modify(|count| *count += 1);
    }

    fn kept(&self) -> MutexGuard<'_, VecDeque<Arc<Exchange>>> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Look {
    /// The exchanges that have ended since the last answer; waits until there is one. Cancel-safe.
    pub async fn next(&mut self) -> Vec<Arc<Exchange>> {
        loop {
            self.changes.mark_unchanged();
            // A long call ends behind shorter ones that began after it: what was told is taken out.
            let fresh: Vec<Arc<Exchange>> =
                self.inspector.kept().drain(..).filter(|one| one.number > self.told).collect();
            if !fresh.is_empty() {
                return fresh;
            }
            if self.changes.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }
}

impl Drop for Look {
    fn drop(&mut self) {
        self.inspector.0.looking.store(false, Ordering::Release);
        self.inspector.kept().clear();
    }
}

#[cfg(test)]
mod tests;
