//! The audit trail: one line of JSON for each thing that happened, each with the hash of the line before it.
//!
//! Handing a record over never blocks; one thread writes. Names of arguments are recorded, never their values, nor
//! tokens, nor an issuer's identifier of a person (SEC-65). `audit.head` beside the records says how far they go, so
//! that a cut end is noticed. The chain has no key: it shows a change to whoever kept a copy of the head, and an
//! accident to everybody; somebody who can write as the person can also write both files anew.

use std::cell::RefCell;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;

use keybearer_model::call::Call;
use tokio::sync::watch;

use crate::ports::Clock;

mod chain;
mod entry;
mod inbox;
mod records;
mod span;
mod tail;
mod verify;
mod writer;

pub use entry::{About, CallEntry, Decision, Entry, Event, Outcome};
pub use span::Span;
pub use tail::tail;
pub use verify::{Tampering, Verified, VerifyError, verify};

use inbox::{Inbox, Outlet, Urgency};
use records::Words;
use writer::Writer;

/// A handle on the trail. Cheap to clone; when the last one goes, everything has been written.
#[derive(Clone)]
pub struct Trail(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    healthy: Arc<AtomicBool>,
    inbox: Arc<Inbox>,
    recorded: watch::Sender<u64>,
    writer: Option<JoinHandle<()>>,
}

impl Trail {
    /// Opens the trail in `dir` and goes on where it ended. A line that was cut off by a crash is kept and followed by
    /// a record that says so; a trail that was changed goes on too, with a record that keeps the fact.
    ///
    /// # Errors
    /// If its files cannot be read or written.
    pub fn open(dir: &Path, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let healthy = Arc::new(AtomicBool::new(true));
        let inbox = Arc::new(Inbox::default());
        let outlet = Outlet(Arc::clone(&inbox));
        let recorded = watch::Sender::new(0);
        let writer = Writer::open(dir, clock.now(), Arc::clone(&healthy), recorded.clone())?;
        let writer = std::thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(&outlet))?;
        Ok(Self(Arc::new(Shared { clock, healthy, inbox, recorded, writer: Some(writer) })))
    }

    /// Begins the record of a call; it is written when the span is settled or dropped.
    pub fn begin(&self, call: Arc<Call>) -> Span {
        Span::begin(self.clone(), call)
    }

    /// Records an event.
    pub fn event(&self, event: Event) {
        self.append(&Entry::Event(event));
    }

    /// Hands a record over; it carries the time of this call. It is put into words here, before any lock is taken.
    pub fn append(&self, entry: &Entry) {
        thread_local! {
            static WORDS: RefCell<Words> = const { RefCell::new(Words::none()) };
        }
        let urgency = match entry {
            Entry::Event(_) => Urgency::AtOnce,
            Entry::Call(_) => Urgency::Soon,
        };
        WORDS.with_borrow_mut(|words| {
            words.say(entry);
            self.0.inbox.push(self.0.clock.now(), words, urgency);
        });
    }

    /// Waits until everything that was handed over has been written to the disk, or has failed to be.
    pub fn flush(&self) {
        let (done, waits) = mpsc::channel();
        self.0.inbox.flush(done);
        // The writer ends after the last handle only: this one has it.
        let _ = waits.recv();
    }

    /// Tells the number of the last record that is written, whenever there are more.
    pub fn recorded(&self) -> watch::Receiver<u64> {
        self.0.recorded.subscribe()
    }

    /// Whether records arrive on the disk. Those that do not are kept in memory and tried again.
    pub fn is_healthy(&self) -> bool {
        self.0.healthy.load(Ordering::Relaxed)
    }

    fn clock(&self) -> &dyn Clock {
        self.0.clock.as_ref()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.inbox.close();
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

#[cfg(test)]
mod tests;
