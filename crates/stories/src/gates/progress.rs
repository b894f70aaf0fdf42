//! How far a gate is, for whoever waits for it.

use std::time::{Duration, Instant};

/// How often a long run says how far it is.
const EVERY: Duration = Duration::from_secs(15);

/// Who is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listener {
    /// Nobody: a test's run is short.
    Nobody,
    /// Who started the program.
    Terminal,
}

/// The way of one gate to its end.
pub struct Progress {
    listener: Listener,
    gate: &'static str,
    total: u32,
    begun: Instant,
    told: Instant,
}

impl Progress {
    /// A way of so many rounds.
    pub fn of(gate: &'static str, total: u32, listener: Listener) -> Self {
        Self { listener, gate, total, begun: Instant::now(), told: Instant::now() }
    }

    /// So many rounds are done; `found` is what there is to say of them.
    pub fn done(&mut self, rounds: u32, found: impl FnOnce() -> String) {
        if self.listener == Listener::Nobody || (self.told.elapsed() < EVERY && rounds < self.total) {
            return;
        }
        self.told = Instant::now();
        let seconds = self.begun.elapsed().as_secs();
        #[expect(clippy::print_stdout, reason = "a run of half an hour tells how far it is")]
        {
            println!("{}: {rounds} of {} in {seconds} s, {}", self.gate, self.total, found());
        }
    }

    /// How long it has taken so far.
    pub fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }
}
