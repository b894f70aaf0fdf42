//! The fault gate: every way in which a network spoils a renewal, again and again, and nobody has to sign in.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::callers::{Caller, worked};
use super::dice::Dice;
use super::progress::{Listener, Progress};
use super::relay::{ALL, Fault, Until};
use super::works::{SERVER, Works};

/// How long a used refresh token serves: longer than a request that hangs is waited for, and the next attempt after it.
const GRACE: u32 = 60;
/// The longest wait until a call works again after a fault.
const PATIENCE: Duration = Duration::from_secs(50);
/// How long somebody whose call failed takes to call again.
const BETWEEN: Duration = Duration::from_millis(20);
/// A connection that hangs for ever takes as long as the core waits: one in so many does, the others hang for a moment.
const ONE_HANGS_IN: u64 = 40;
const A_MOMENT: Duration = Duration::from_millis(300);
/// How many works there are at a time.
const LANES: u32 = 3;

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many renewals were spoilt, by the kind of fault.
    pub faults: BTreeMap<String, u32>,
    /// How many calls were told that the company sign-in does not answer, and worked when they came again.
    pub told: u64,
    /// How many sign-ins there were after the first.
    pub sign_ins: u64,
    /// Refresh tokens that the issuer refused.
    pub refused: u64,
    /// How often a refresh token was used while the reply to its last use was still to come.
    pub overlaps: usize,
    /// The longest time from a fault to a call that worked again.
    pub longest: Duration,
    /// How long it took.
    pub took: Duration,
}

/// Spoils so many renewals, on several works at a time: most of it is waiting.
pub fn run(faults: u32, seed: u64, listener: Listener) -> Outcome {
    let spoilt = AtomicU32::new(0);
    let mut progress = Progress::of("faults", faults, listener);
    let mut outcome = Outcome::default();
    std::thread::scope(|scope| {
        let lane = |lane| {
            let spoilt = &spoilt;
            scope.spawn(move || Lane::open(seed + u64::from(lane)).run(faults, spoilt))
        };
        let lanes: Vec<_> = (0..LANES).map(lane).collect();
        while !lanes.iter().all(std::thread::ScopedJoinHandle::is_finished) {
            std::thread::park_timeout(BETWEEN);
            progress.done(spoilt.load(Ordering::Relaxed).min(faults - 1), String::new);
        }
        lanes.into_iter().for_each(|lane| outcome.add(lane.join().unwrap()));
    });
    outcome.took = progress.elapsed();
    outcome
}

/// One of several works.
struct Lane {
    works: Works,
    caller: Caller,
    dice: Dice,
    outcome: Outcome,
}

impl Lane {
    fn open(seed: u64) -> Self {
        let works = Works::with_grace(GRACE);
        let core = works.core();
        let caller = Caller::register(&works.home, "steady", SERVER);
        works.sign_in();
        let answer = caller.call();
        assert!(worked(&answer), "it does not work to begin with: {answer:?}");
        assert!(core.stop(&works.home).success());
        Self { works, caller, dice: Dice::new(seed), outcome: Outcome::default() }
    }

    fn run(mut self, faults: u32, spoilt: &AtomicU32) -> Outcome {
        let core = self.works.core();
        let answer = self.caller.call();
        assert!(worked(&answer), "after a restart: {answer:?}");
        while spoilt.load(Ordering::Relaxed) < faults {
            // Now and then two in a row.
            let row = if self.dice.once_in(4) { 2 } else { 1 };
            for _ in 0..row {
                let fault = throw(&mut self.dice, spoilt.fetch_add(1, Ordering::Relaxed));
                *self.outcome.faults.entry(kind_of(fault)).or_default() += 1;
                self.works.relay.spoil(fault);
            }
            self.works.end_access_tokens();
            self.outlive();
        }
        self.outcome.sign_ins = self.works.sign_ins() - 1;
        self.outcome.refused = self.works.refused();
        self.outcome.overlaps = self.works.relay.book().overlaps;
        assert!(core.stop(&self.works.home).success());
        self.works.assert_no_secret();
        self.outcome
    }

    /// Calls until a call works.
    fn outlive(&mut self) {
        let begun = Instant::now();
        loop {
            let answer = self.caller.call();
            if worked(&answer) {
                break;
            }
            self.outcome.told += 1;
            assert!(begun.elapsed() < PATIENCE, "no call works any more: {answer:?}, {}", self.works.standing());
            std::thread::park_timeout(BETWEEN);
        }
        self.outcome.longest = self.outcome.longest.max(begun.elapsed());
    }
}

impl Outcome {
    fn add(&mut self, other: Self) {
        for (kind, count) in other.faults {
            *self.faults.entry(kind).or_default() += count;
        }
        self.told += other.told;
        self.sign_ins += other.sign_ins;
        self.refused += other.refused;
        self.overlaps += other.overlaps;
        self.longest = self.longest.max(other.longest);
    }
}

/// The next fault. The first of each kind is as bad as it can be.
fn throw(dice: &mut Dice, spoilt: u32) -> Fault {
    if let Some(fault) = ALL.get(spoilt as usize) {
        return *fault;
    }
    let for_ever = dice.once_in(ONE_HANGS_IN);
    let fault = dice.one_of(&ALL);
    if for_ever { fault } else { fault.lasting(Until::Reset(dice.time(A_MOMENT))) }
}

fn kind_of(fault: Fault) -> String {
    let named = format!("{fault:?}");
    named.split_once("(Reset").map_or(named.clone(), |(kind, _)| format!("{kind}(Moment)"))
}
