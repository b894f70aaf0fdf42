//! The single flight under a model checker: every order in which three threads can meet, with three preemptions each
//! (`LOOM_MAX_PREEMPTIONS` for more). What runs is the keeper's own file, over the checker's atomics and locks.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails")]

#[path = "../src/keeper/single_flight.rs"]
mod single_flight;

/// What the keeper takes from `std` and `arc-swap`.
mod sync {
    use std::sync::Arc;

    pub(super) use loom::sync::atomic::{AtomicU64, Ordering};

    pub(super) struct Pointer<T>(loom::sync::Mutex<Option<Arc<T>>>);

    impl<T> Pointer<T> {
        pub(super) fn empty() -> Self {
            Self(loom::sync::Mutex::new(None))
        }

        pub(super) fn load_full(&self) -> Option<Arc<T>> {
            self.0.lock().unwrap().clone()
        }

        pub(super) fn store(&self, value: Option<Arc<T>>) {
            *self.0.lock().unwrap() = value;
        }
    }
}

use std::sync::Arc;

use loom::sync::mpsc::{Receiver, Sender, channel};
use single_flight::{Arrival, AtHand, Numbered, arrival, is_wanted_ahead};

const PREEMPTIONS: usize = 3;

struct Credential(u64);

impl Numbered for Credential {
    fn serial(&self) -> u64 {
        self.0
    }
}

enum Command {
    /// The server has refused this one.
    Need(u64, Sender<Option<u64>>),
    /// This one is nearly over.
    Ahead(u64),
    /// The renewal that was begun has ended, with a credential or without.
    Done(bool),
    /// A caller has nothing more to ask.
    Bye,
}

/// What the worker is told; the checker's channels do not tell that the other side is gone.
#[derive(PartialEq, Eq)]
enum Task {
    Renew,
    GoHome,
}

/// The keeper's owner as far as it decides who waits and what is begun.
struct Owner {
    at_hand: Arc<AtHand<Credential>>,
    inbox: Receiver<Command>,
    /// Who carries renewals out.
    worker: Sender<Task>,
    is_under_way: bool,
    waiters: Vec<Sender<Option<u64>>>,
    begun: u64,
}

impl Owner {
    /// Serves until everybody has said goodbye and nothing is under way; tells how many renewals were begun.
    fn run(mut self, callers: usize) -> u64 {
        let mut leaving = 0;
        while leaving < callers || self.is_under_way {
            match self.inbox.recv().unwrap() {
                Command::Bye => leaving += 1,
                Command::Need(refused, waiter) => {
                    match arrival(self.at_hand.load(), Some(refused), self.is_under_way) {
                        Arrival::Served(held) => waiter.send(Some(held.serial())).unwrap(),
                        Arrival::Waits => self.waiters.push(waiter),
                        Arrival::Free => {
                            self.waiters.push(waiter);
                            self.begin();
                        }
                    }
                }
                Command::Ahead(serial) => {
                    if is_wanted_ahead(self.at_hand.load().as_deref(), serial, self.is_under_way) {
                        self.begin();
                    }
                }
                Command::Done(brings) => self.end(brings),
            }
        }
        self.worker.send(Task::GoHome).unwrap();
        self.begun
    }

    fn begin(&mut self) {
        assert!(!self.is_under_way, "two renewals at a time");
        self.is_under_way = true;
        self.begun += 1;
        self.worker.send(Task::Renew).unwrap();
    }

    fn end(&mut self, brings: bool) {
        self.is_under_way = false;
        let before = self.at_hand.load().map_or(0, |held| held.serial());
        if brings {
            self.at_hand.replace(Some(Arc::new(Credential(before + 1))));
        } else {
            self.at_hand.may_ask_again(before);
        }
        for waiter in self.waiters.drain(..) {
            waiter.send(brings.then_some(before + 1)).unwrap();
        }
    }
}

/// What two calls do that meet the first credential: the first of them to see that it is nearly over asks for the next;
/// then the server refuses it.
#[derive(Clone, Copy)]
enum Call {
    SeesItsEnd,
    IsRefused,
    SeesItsEndAndIsRefused,
}

fn call(call: Call, at_hand: &AtHand<Credential>, owner: &Sender<Command>) {
    let held = at_hand.load().unwrap().serial();
    let (sees, refused) = match call {
        Call::SeesItsEnd => (true, false),
        Call::IsRefused => (false, true),
        Call::SeesItsEndAndIsRefused => (true, true),
    };
    // Those that come later live long.
    if sees && held == 1 && at_hand.is_first_to_ask(held) {
        owner.send(Command::Ahead(held)).unwrap();
    }
    if refused && held == 1 {
        let (reply, answer) = channel();
        owner.send(Command::Need(held, reply)).unwrap();
        let got = answer.recv().unwrap();
        assert!(got.is_none_or(|another| another > held), "what was refused was given again");
    }
    owner.send(Command::Bye).unwrap();
}

/// Runs both calls against the owner, in every order, where the first renewals end as told; those after them bring
/// something. Returns nothing: each order is judged by `judge`, by how many renewals were begun.
fn check(calls: [Call; 2], ends: &'static [bool], judge: fn(begun: u64, at_hand: u64)) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = model.preemption_bound.or(Some(PREEMPTIONS));
    model.check(move || {
        let at_hand = Arc::new(AtHand::nothing());
        at_hand.replace(Some(Arc::new(Credential(1))));
        let (commands, inbox) = channel();
        let (worker, begun) = channel();
        let done = commands.clone();
        let working = loom::thread::spawn(move || {
            let mut ends = ends.iter();
            while begun.recv().unwrap() == Task::Renew {
                done.send(Command::Done(*ends.next().unwrap_or(&true))).unwrap();
            }
        });
        let calling = calls.map(|what| {
            let (at_hand, commands) = (Arc::clone(&at_hand), commands.clone());
            loom::thread::spawn(move || call(what, &at_hand, &commands))
        });
        let owner =
            Owner { at_hand: Arc::clone(&at_hand), inbox, worker, is_under_way: false, waiters: Vec::new(), begun: 0 };
        let renewals = owner.run(calls.len());
        calling.into_iter().for_each(|caller| caller.join().unwrap());
        working.join().unwrap();
        judge(renewals, at_hand.load().unwrap().serial());
    });
}

fn just_one(begun: u64, at_hand: u64) {
    assert_eq!((begun, at_hand), (1, 2), "one renewal, and everybody has its fruit");
}

#[test]
fn two_calls_that_see_the_end_of_a_bearer_have_it_renewed_once() {
    check([Call::SeesItsEnd, Call::SeesItsEnd], &[true], just_one);
}

#[test]
fn two_calls_whose_bearer_is_refused_have_it_renewed_once() {
    check([Call::IsRefused, Call::IsRefused], &[true], just_one);
}

#[test]
fn a_call_that_sees_the_end_and_one_that_is_refused_have_it_renewed_once() {
    check([Call::SeesItsEnd, Call::SeesItsEndAndIsRefused], &[true], just_one);
}

#[test]
fn after_a_renewal_that_failed_somebody_may_ask_again_and_nobody_waits_for_ever() {
    check([Call::SeesItsEndAndIsRefused, Call::IsRefused], &[false], |begun, at_hand| {
        assert!((1..=3).contains(&begun), "{begun} renewals");
        assert_eq!(at_hand, begun, "each but the first brings one");
    });
}
