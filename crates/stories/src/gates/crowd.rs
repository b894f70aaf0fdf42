//! The concurrency gate: many clients meet a bearer that has ended, all at once, and it is renewed once.

use std::sync::{Arc, Barrier};
use std::time::Duration;

use super::callers::{Caller, worked};
use super::progress::{Listener, Progress};
use super::works::{SERVER, Works};

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How often the bearer ended.
    pub expiries: u32,
    /// How many calls came back whole.
    pub calls: u64,
    /// How many did not, and what the first of them got.
    pub failed: u64,
    /// The first call that failed.
    pub first_failure: Option<String>,
    /// Expiries that were followed by another number of renewals than one.
    pub not_once: Vec<(u32, u64)>,
    /// How many sign-ins there were after the first.
    pub sign_ins: u64,
    /// How long it took.
    pub took: Duration,
}

/// Lets the bearer of so many clients end so often.
pub fn run(clients: u32, expiries: u32, listener: Listener) -> Outcome {
    let works = Works::with_grace(0);
    let core = works.core();
    let first = Caller::register(&works.home, "client-1", SERVER);
    let mut callers = vec![first.clone()];
    callers.extend((2..=clients).map(|number| first.beside(&works.home, &format!("client-{number}"))));
    works.sign_in();
    let answer = first.call();
    assert!(worked(&answer), "it does not work to begin with: {answer:?}");

    let mut outcome = Outcome::default();
    let mut progress = Progress::of("expiries", expiries, listener);
    let mut renewals = works.renewals();
    let crowd = Crowd::gather(callers);
    for expiry in 1..=expiries {
        assert_eq!(works.end_access_tokens(), 1, "one bearer is alive before expiry {expiry}");
        outcome.count(crowd.call());
        let now = works.renewals();
        if now != renewals + 1 {
            outcome.not_once.push((expiry, now - renewals));
        }
        renewals = now;
        outcome.expiries = expiry;
        progress.done(expiry, || format!("{} calls, {} not renewed just once", outcome.calls, outcome.not_once.len()));
    }
    drop(crowd);
    outcome.took = progress.elapsed();
    outcome.sign_ins = works.sign_ins() - 1;
    assert!(core.stop(&works.home).success());
    works.assert_no_secret();
    outcome
}

impl Outcome {
    fn count(&mut self, failures: Vec<Option<String>>) {
        for failure in failures {
            match failure {
                None => self.calls += 1,
                Some(failure) => {
                    self.failed += 1;
                    self.first_failure.get_or_insert(failure);
                }
            }
        }
    }
}

/// Clients that all begin at the same moment, again and again.
struct Crowd {
    start: Arc<Barrier>,
    ends: std::sync::mpsc::Receiver<Option<String>>,
    go_on: Arc<std::sync::atomic::AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Crowd {
    fn gather(callers: Vec<Caller>) -> Self {
        let start = Arc::new(Barrier::new(callers.len() + 1));
        let go_on = Arc::new(std::sync::atomic::AtomicBool::new(true));
        let (end, ends) = std::sync::mpsc::channel();
        let threads = callers.into_iter().map(|caller| {
            let (start, go_on, end) = (Arc::clone(&start), Arc::clone(&go_on), end.clone());
            std::thread::spawn(move || {
                loop {
                    start.wait();
                    if !go_on.load(std::sync::atomic::Ordering::Acquire) {
                        return;
                    }
                    let answer = caller.call();
                    let _ = end.send((!worked(&answer)).then(|| format!("{answer:?}")));
                }
            })
        });
        let threads = threads.collect();
        Self { start, ends, go_on, threads }
    }

    /// Lets everybody call once, and waits for all answers; what failed is told.
    fn call(&self) -> Vec<Option<String>> {
        self.start.wait();
        self.ends.iter().take(self.threads.len()).collect()
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.go_on.store(false, std::sync::atomic::Ordering::Release);
        self.start.wait();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
