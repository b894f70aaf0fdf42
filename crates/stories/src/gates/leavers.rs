//! Clients that leave: whatever a call was waiting for goes on to its end without it (SEC-42).

use std::time::Duration;

use super::callers::{Caller, worked};
use super::dice::Dice;
use super::progress::{Listener, Progress};
use super::works::{SERVER, Works};

/// The longest that a client stays; most calls are answered by then.
const STAY: Duration = Duration::from_millis(60);
/// So many leave for each time that the bearer ends.
const AT_A_TIME: u32 = 4;
/// The longest wait for a renewal that a client has left behind.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many clients left.
    pub rounds: u32,
    /// How many renewals there were.
    pub renewals: u64,
    /// Renewals that were begun and of which nothing came.
    pub abandoned: u32,
    /// Refresh tokens that the issuer refused: what a renewal that was cancelled half-way leaves behind.
    pub refused: u64,
    /// How many sign-ins there were after the first.
    pub sign_ins: u64,
    /// How long it took.
    pub took: Duration,
}

/// Lets so many clients leave, at an issuer that takes no refresh token twice.
pub fn run(rounds: u32, seed: u64, listener: Listener) -> Outcome {
    let works = Works::with_grace(0);
    let core = works.core();
    let caller = Caller::register(&works.home, "hasty", SERVER);
    works.sign_in();
    let answer = caller.call();
    assert!(worked(&answer), "it does not work to begin with: {answer:?}");
    let (renewals, refused) = (works.renewals(), works.refused());

    let mut dice = Dice::new(seed);
    let mut outcome = Outcome::default();
    let mut progress = Progress::of("clients that leave", rounds, listener);
    while outcome.rounds < rounds {
        works.end_access_tokens();
        for _ in 0..AT_A_TIME {
            caller.call_and_leave(dice.time(STAY));
            outcome.rounds += 1;
        }
        let whole = works.relay.until(PATIENCE, |book| book.uses.iter().all(|used| used.delivered.is_some()));
        outcome.abandoned += u32::from(!whole);
        let answer = caller.call();
        assert!(worked(&answer), "after {} had left: {answer:?}", outcome.rounds);
        progress.done(outcome.rounds, || format!("{} renewals came to nothing", outcome.abandoned));
    }
    outcome.took = progress.elapsed();
    outcome.renewals = works.renewals() - renewals;
    outcome.refused = works.refused() - refused;
    outcome.sign_ins = works.sign_ins() - 1;
    assert!(core.stop(&works.home).success());
    works.assert_no_secret();
    outcome
}
