//! The kill gate: the core is killed at random moments around a renewal, and the next one has to go on from there.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use super::callers::{Caller, worked};
use super::dice::Dice;
use super::progress::{Listener, Progress};
use super::relay::Relay;
use super::works::Works;
use crate::core::Core;

/// The longest wait for a renewal to begin or to end.
const PATIENCE: Duration = Duration::from_secs(20);
/// After this time without a core that lived long enough to keep what it got, one is let live: kills that follow each
/// other for longer than the issuer's grace cost a sign-in by right.
const TOO_LONG: Duration = Duration::from_secs(3);
/// How long after the reply to a token request a kill still falls on what is done about it.
const STORING: Duration = Duration::from_millis(60);
/// About how long a core takes until it is ready, the reply to a token request, and a call from its start to its answer,
/// until they were measured.
const AT_FIRST: [Duration; 3] = [Duration::from_millis(100), Duration::from_millis(10), Duration::from_millis(150)];

/// When the core dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    /// Before it is ready.
    Starting,
    /// At any time from then until it has answered a call.
    Answering,
    /// While the reply to a token request is still to come, mostly.
    AfterRequest,
    /// While a new token is being stored, mostly.
    AfterReply,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Outcome {
    /// How many cores were killed.
    pub kills: u32,
    /// Their process ids, which are all different.
    pub pids: BTreeSet<u32>,
    /// Kills before a token request was seen, before its reply was whole, before the new token was in the keychain, and
    /// after.
    pub fell: [u32; 4],
    /// How many calls came back whole in between.
    pub calls: u32,
    /// How often somebody had to sign in again.
    pub losses: Vec<Loss>,
    /// How often a refresh token was used while the reply to its last use was still to come.
    pub overlaps: usize,
    /// How often the keychain's daemon ended by itself, and its bus started another.
    pub keychain_ended: usize,
    /// How long it took.
    pub took: Duration,
}

/// A sign-in that was lost.
#[derive(Debug)]
pub struct Loss {
    /// How many cores had been killed by then.
    pub after: u32,
    /// Whether it was lost between the token request and the storing of the new token.
    pub in_window: bool,
    /// How long after its first use the refresh token was refused.
    pub age: Duration,
    /// What the core said of it.
    pub told: String,
    /// How many kills before it the keychain's daemon last ended by itself, if it ever did.
    pub keychain_ended: Option<u32>,
}

/// What an issuer lets go, and so what a kill may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grace {
    /// A used refresh token serves for ten more seconds: nothing may be lost.
    TenSeconds,
    /// It never serves again: what dies between request and storing is lost, and nothing else.
    None,
}

/// Kills so many cores.
pub fn run(grace: Grace, kills: u32, seed: u64, listener: Listener) -> Outcome {
    let (seconds, name) = match grace {
        Grace::TenSeconds => (10, "kills, grace of 10 s"),
        Grace::None => (0, "kills, no grace"),
    };
    let mut killing = Killing::begin(seconds, grace, seed);
    let mut progress = Progress::of(name, kills, listener);
    for kill in 1..=kills {
        killing.round();
        let Outcome { calls, losses, .. } = &killing.outcome;
        progress.done(kill, || format!("{calls} calls came back between, {} sign-ins lost", losses.len()));
    }
    let mut outcome = killing.end();
    outcome.took = progress.elapsed();
    outcome
}

struct Killing {
    works: Works,
    grace: Grace,
    caller: Caller,
    dice: Dice,
    /// How long things take, as [`AT_FIRST`] names them.
    usual: [Duration; 3],
    sign_ins: u64,
    /// What each use of a refresh token was to the core that made it, in order.
    kept: Vec<Kept>,
    /// After how many kills the keychain's daemon had last ended by itself.
    keychain_ended: Option<u32>,
    outcome: Outcome,
}

/// Whether a use of a refresh token had its fruit in the keychain when its core was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    Yes,
    No,
}

impl Killing {
    fn begin(seconds: u32, grace: Grace, seed: u64) -> Self {
        let works = Works::with_grace(seconds);
        // Long enough for a kill to fall on it, and no longer than many a network takes.
        works.relay.book().answers_take = Duration::from_millis(20);
        let core = works.core();
        let caller = Caller::register(&works.home, "steady", super::works::SERVER);
        works.sign_in();
        let answer = caller.call();
        assert!(worked(&answer), "it does not work to begin with: {answer:?}");
        assert!(core.stop(&works.home).success());
        let kept = vec![Kept::Yes; works.relay.book().uses.len()];
        let (dice, outcome) = (Dice::new(seed), Outcome::default());
        Self { works, grace, caller, dice, usual: AT_FIRST, sign_ins: 1, kept, keychain_ended: None, outcome }
    }

    fn round(&mut self) {
        const MOMENTS: [Moment; 6] = [
            Moment::Starting,
            Moment::Answering,
            Moment::AfterRequest,
            Moment::AfterRequest,
            Moment::AfterReply,
            Moment::AfterReply,
        ];
        let moment = if self.is_high_time() { Moment::AfterReply } else { self.dice.one_of(&MOMENTS) };
        let delay = self.delay(moment);
        let before = self.uses();
        if moment == Moment::Starting {
            self.kill_while_it_starts(delay);
        } else {
            self.kill_while_it_answers(moment, delay, before);
        }
        self.outcome.kills += 1;
        self.note_fall(before);
        self.note_keychain();
        self.note_sign_ins("");
    }

    fn note_keychain(&mut self) {
        let ended = self.works.keychain_ended();
        if ended > self.outcome.keychain_ended {
            self.outcome.keychain_ended = ended;
            self.keychain_ended = Some(self.outcome.kills);
        }
    }

    /// How long after its moment the core dies.
    fn delay(&mut self, moment: Moment) -> Duration {
        let [ready, replied, answered] = self.usual;
        match moment {
            Moment::Starting => self.dice.time(ready),
            Moment::Answering => self.dice.time(answered),
            Moment::AfterRequest => self.dice.time(replied * 3 / 2),
            // Sooner more often than later: most of the work is done soon.
            Moment::AfterReply => self.dice.time(STORING).min(self.dice.time(STORING)),
        }
    }

    fn kill_while_it_starts(&mut self, delay: Duration) {
        let mut core = Core::launch(&self.works.home);
        self.outcome.pids.insert(core.id());
        std::thread::park_timeout(delay);
        core.kill().unwrap();
        core.wait().unwrap();
    }

    fn kill_while_it_answers(&mut self, moment: Moment, delay: Duration, mut before: usize) {
        let begun = Instant::now();
        let core = self.works.core();
        self.usual[0] = average(self.usual[0], begun.elapsed());
        self.outcome.pids.insert(core.pid());
        if self.grace == Grace::None {
            self.look_for_loss();
        }
        // What the core before it had begun may have come to its end: then there has to be another renewal.
        let recovered = self.grace == Grace::None && self.uses() > before;
        if self.dice.once_in(2) || recovered || self.is_high_time() {
            let answer = self.caller.call();
            assert!(worked(&answer), "after {} kills no call works: {answer:?}", self.outcome.kills);
            self.outcome.calls += 1;
            self.works.end_access_tokens();
            before = self.uses();
        }
        let (caller, begun) = (self.caller.clone(), Instant::now());
        let calling = std::thread::spawn(move || (caller.call(), begun.elapsed()));
        wait_for(moment, &self.works.relay, before);
        std::thread::park_timeout(delay);
        core.kill();
        let (answer, took) = calling.join().unwrap();
        if answer.is_ok() {
            assert!(worked(&answer), "kill {}: a call came back, and not well: {answer:?}", self.outcome.kills + 1);
            self.outcome.calls += 1;
            self.usual[2] = average(self.usual[2], took);
        }
    }

    /// Whether the token that was used last has been in use for long, and what came for it was not kept.
    fn is_high_time(&self) -> bool {
        let book = self.works.relay.book();
        let Some(last) = book.uses.last() else { return false };
        let first = book.uses.iter().find(|used| used.token == last.token).map_or(last.came, |first| first.came);
        self.kept.last() != Some(&Kept::Yes) && first.elapsed() > TOO_LONG
    }

    fn uses(&self) -> usize {
        self.works.relay.book().uses.len()
    }

    /// Notes what the core that was just killed had done about the uses of a refresh token since `before`.
    fn note_fall(&mut self, before: usize) {
        let uses = self.works.relay.book().uses[before..].to_vec();
        for used in &uses {
            if let Some(delivered) = used.delivered {
                self.usual[1] = average(self.usual[1], delivered.duration_since(used.came));
            }
            self.kept.push(match &used.given {
                Some(given) if self.works.keeps(given) => Kept::Yes,
                Some(_) | None => Kept::No,
            });
        }
        let fell = match uses.last() {
            None => 0,
            Some(used) if used.delivered.is_none() => 1,
            Some(_) if self.kept.last() == Some(&Kept::No) => 2,
            Some(_) => 3,
        };
        self.outcome.fell[fell] += 1;
    }

    /// Where a new core finds that the sign-in is lost, says what it tells of it, and signs in again.
    fn look_for_loss(&mut self) {
        let end = Instant::now() + PATIENCE;
        let mut standing = self.works.standing();
        while !matches!(standing["kind"].as_str(), Some("signed_in" | "needed")) {
            assert!(Instant::now() < end, "the core does not know where its sign-in stands: {standing}");
            standing = self.works.standing();
        }
        if standing["kind"] == "needed" {
            self.note_keychain();
            self.works.sign_in();
            self.note_sign_ins(standing["because"]["why"].as_str().unwrap_or_default());
        }
    }

    /// Notes a sign-in that was not due.
    fn note_sign_ins(&mut self, told: &str) {
        let sign_ins = self.works.sign_ins();
        if sign_ins == self.sign_ins {
            return;
        }
        self.sign_ins = sign_ins;
        let loss = self.loss(told);
        self.outcome.losses.push(loss);
    }

    /// What is known of a loss: whether the refresh token that was refused last had been spent by a core that died before
    /// it kept the next one.
    fn loss(&self, told: &str) -> Loss {
        let (after, told) = (self.outcome.kills, told.to_owned());
        let keychain_ended = self.keychain_ended.map(|ended| after - ended);
        let book = self.works.relay.book();
        let refused = book.uses.iter().rfind(|used| used.status == Some(400));
        let first = refused
            .and_then(|refused| book.uses.iter().position(|used| used.token == refused.token && used.given.is_some()));
        let (Some(refused), Some(first)) = (refused, first) else {
            return Loss { after, in_window: false, age: Duration::ZERO, told, keychain_ended };
        };
        let age = refused.came.duration_since(book.uses[first].came);
        Loss { after, in_window: self.kept.get(first) == Some(&Kept::No), age, told, keychain_ended }
    }

    fn end(mut self) -> Outcome {
        let core = self.works.core();
        if self.grace == Grace::None {
            self.look_for_loss();
        }
        let answer = self.caller.call();
        assert!(worked(&answer), "after the last kill: {answer:?}");
        self.note_sign_ins("");
        self.outcome.overlaps = self.works.relay.book().overlaps;
        assert!(core.stop(&self.works.home).success());
        self.works.assert_no_secret();
        self.outcome
    }
}

fn average(before: Duration, now: Duration) -> Duration {
    (before * 7 + now) / 8
}

fn wait_for(moment: Moment, relay: &Relay, before: usize) {
    match moment {
        Moment::Starting | Moment::Answering => true,
        Moment::AfterRequest => relay.until(PATIENCE, |book| book.uses.len() > before),
        Moment::AfterReply => {
            relay.until(PATIENCE, |book| book.uses[before..].iter().any(|used| used.delivered.is_some()))
        }
    };
}
