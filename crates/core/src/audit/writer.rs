//! The one thread that writes the trail.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::time::Duration;

use keybearer_model::time::Timestamp;
use tokio::sync::watch;

use super::chain::Chain;
use super::inbox::Outlet;
use super::{Entry, Event};

/// How long a record of a call may be on its way to the disk. Events go there at once.
const LAG: Duration = Duration::from_secs(1);

/// The most records that are written in one go.
const BATCH: usize = 1024;

/// The most records that are kept in memory while they cannot be written.
const MOST_PENDING: usize = 20_000;

/// What the thread is told.
pub(super) enum Message {
    /// A record, and when it came.
    Append(Timestamp, Entry),
    /// Bring everything to the disk and say so.
    Flush(Sender<()>),
}

impl Message {
    /// Whether it goes to the disk at once.
    pub(super) fn is_urgent(&self) -> bool {
        match self {
            Self::Append(_, Entry::Event(_)) | Self::Flush(_) => true,
            Self::Append(_, Entry::Call(_)) => false,
        }
    }
}

/// The thread's state.
pub(super) struct Writer {
    dir: PathBuf,
    /// Absent after an error: the end of the file is unknown then.
    chain: Option<Chain>,
    /// The number of the last record before those that are pending.
    written: u64,
    pending: VecDeque<(Timestamp, Entry)>,
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
            chain.append([(now, Entry::Event(note))].iter())?;
        }
        chain.sync()?;
        Ok(Self {
            dir: dir.to_owned(),
            written: chain.seq(),
            chain: Some(chain),
            pending: VecDeque::new(),
            lost: 0,
            unsynced_since: None,
            urgent: false,
            healthy,
            recorded,
        })
    }

    /// Writes until the last handle has gone.
    pub(super) fn run(mut self, outlet: &Outlet) {
        let mut messages = Vec::new();
        let mut open = true;
        while open {
            let idle = self.pending.is_empty() && self.unsynced_since.is_none();
            open = outlet.wait((!idle).then_some(LAG), &mut messages);
            self.urgent |= !open || messages.is_empty();
            let mut waiting = Vec::new();
            let mut rest = messages.drain(..).peekable();
            loop {
                rest.by_ref().take(BATCH).for_each(|message| self.take(message, &mut waiting));
                self.write();
                if rest.peek().is_none() {
                    break;
                }
            }
            for done in waiting {
                let _ = done.send(());
            }
        }
    }

    fn take(&mut self, message: Message, waiting: &mut Vec<Sender<()>>) {
        match message {
            Message::Flush(done) => {
                self.urgent = true;
                waiting.push(done);
            }
            Message::Append(time, entry) => {
                let since = *self.unsynced_since.get_or_insert(time);
                self.urgent |= matches!(entry, Entry::Event(_)) || time.since(since) >= LAG;
                if self.pending.len() >= MOST_PENDING {
                    self.pending.pop_front();
                    self.lost += 1;
                }
                self.pending.push_back((time, entry));
            }
        }
    }

    fn write(&mut self) {
        let result = self.try_write();
        let healthy = result.is_ok();
        if let Err(error) = result {
            self.chain = None;
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
        if !self.pending.is_empty() {
            chain.append(self.pending.iter())?;
            self.pending.clear();
            self.written = chain.seq();
        }
        if std::mem::take(&mut self.urgent) {
            chain.sync()?;
            self.unsynced_since = None;
        }
        Ok(())
    }

    /// Opens the chain after an error. Of the pending records some may have been written before it.
    fn reopen(
        dir: &Path,
        written: u64,
        pending: &mut VecDeque<(Timestamp, Entry)>,
        lost: &mut u64,
    ) -> io::Result<Chain> {
        let (chain, note) = Chain::open(dir)?;
        let arrived = usize::try_from(chain.seq().saturating_sub(written)).unwrap_or(usize::MAX);
        pending.drain(..arrived.min(pending.len()));
        let time = pending.front().map(|(time, _)| *time);
        if let (Some(time), 1..) = (time, *lost) {
            pending.push_front((time, Entry::Event(Event::Lost { records: std::mem::take(lost) })));
        }
        if let (Some(note), Some(time)) = (note, time) {
            pending.push_front((time, Entry::Event(note)));
        }
        Ok(chain)
    }
}
