//! The one thread that writes the trail.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keybearer_model::time::Timestamp;
use tokio::sync::watch;

use super::chain::Chain;
use super::inbox::{Batch, Outlet};
use super::records::{Records, Words};
use super::{Entry, Event};

/// How long a record of a call may be on its way to the disk. Events go there at once.
const LAG: Duration = Duration::from_secs(1);

/// The most records that are written in one go.
const BATCH: usize = 1024;

/// The most records that are kept in memory while they cannot be written.
const MOST_PENDING: usize = 20_000;

/// The thread's state.
pub(super) struct Writer {
    dir: PathBuf,
    /// Absent after an error: the end of the file is unknown then.
    chain: Option<Chain>,
    /// The number of the last record before those that are pending.
    written: u64,
    pending: Records,
    lost: u64,
    /// When the oldest record came that may not be on the disk yet.
    unsynced_since: Option<Timestamp>,
    urgent: bool,
    healthy: Arc<AtomicBool>,
    /// Tells whoever looks on how far the trail goes.
    recorded: watch::Sender<u64>,
}

impl Writer {
    pub(super) fn open(
        dir: &Path,
        now: Timestamp,
        healthy: Arc<AtomicBool>,
        recorded: watch::Sender<u64>,
    ) -> io::Result<Self> {
        let (mut chain, note) = Chain::open(dir)?;
        if let Some(note) = note {
            let mut first = Records::default();
            first.push(now, &Words::of(&Entry::Event(note)));
            chain.append(first.iter())?;
        }
        chain.sync()?;
        Ok(Self {
            dir: dir.to_owned(),
            written: chain.seq(),
            chain: Some(chain),
            pending: Records::default(),
            lost: 0,
            unsynced_since: None,
            urgent: false,
            healthy,
            recorded,
        })
    }

    /// Writes until the last handle has gone.
    pub(super) fn run(mut self, outlet: &Outlet) {
        let (mut batch, mut open) = (Batch::default(), true);
        while open {
            let idle = self.pending.is_empty() && self.unsynced_since.is_none();
            (batch, open) = outlet.wait((!idle).then_some(LAG), batch);
            self.urgent |= !open || batch.urgent || batch.records.is_empty();
            self.take(&mut batch.records);
            self.write();
            batch.urgent = false;
            for done in batch.waiting.drain(..) {
                let _ = done.send(());
            }
        }
    }

    fn take(&mut self, records: &mut Records) {
        if let (Some(oldest), Some(newest)) = (records.oldest(), records.newest()) {
            let since = *self.unsynced_since.get_or_insert(oldest);
            self.urgent |= newest.since(since) >= LAG;
        }
        self.pending.append(records);
    }

    fn write(&mut self) {
        let result = self.try_write();
        let healthy = result.is_ok();
        if let Err(error) = result {
            self.chain = None;
            let excess = self.pending.len().saturating_sub(MOST_PENDING);
            self.pending.drop_first(excess);
            self.lost += excess as u64;
            if self.healthy.load(Ordering::Relaxed) {
                tracing::error!(%error, "the audit trail cannot be written");
            }
        }
        self.healthy.store(healthy, Ordering::Relaxed);
        if healthy && *self.recorded.borrow() != self.written {
            self.recorded.send_replace(self.written);
        }
    }

    fn try_write(&mut self) -> io::Result<()> {
        let chain = match &mut self.chain {
            Some(chain) => chain,
            None => {
                let chain = Self::reopen(&self.dir, self.written, &mut self.pending, &mut self.lost)?;
                self.chain.insert(chain)
            }
        };
        self.written = chain.seq();
        while !self.pending.is_empty() {
            chain.append(self.pending.iter().take(BATCH))?;
            self.pending.drop_first(BATCH);
            self.written = chain.seq();
        }
        if std::mem::take(&mut self.urgent) {
            chain.sync()?;
            self.unsynced_since = None;
        }
        Ok(())
    }

    /// Opens the chain after an error. Of the pending records some may have been written before it.
    fn reopen(dir: &Path, written: u64, pending: &mut Records, lost: &mut u64) -> io::Result<Chain> {
        let (chain, note) = Chain::open(dir)?;
        let arrived = usize::try_from(chain.seq().saturating_sub(written)).unwrap_or(usize::MAX);
        pending.drop_first(arrived);
        let time = pending.oldest();
        if let (Some(time), 1..) = (time, *lost) {
            pending.push_before(time, Event::Lost { records: std::mem::take(lost) });
        }
        if let (Some(note), Some(time)) = (note, time) {
            pending.push_before(time, note);
        }
        Ok(chain)
    }
}
