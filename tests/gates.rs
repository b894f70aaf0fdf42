//! The reliability gates, a few rounds of each: what a person would lose by kills, expiries, faults and clients that
//! leave. `cargo xtask gates` runs the full numbers; docs/reliability.md has what came of them.
#![allow(clippy::print_stdout, reason = "what came of a run is worth reading when it fails")]

use keybearer_stories::gates::callers::{Caller, worked};
use keybearer_stories::gates::kills::Grace;
use keybearer_stories::gates::progress::Listener;
use keybearer_stories::gates::works::{SERVER, Works};
use keybearer_stories::gates::{crowd, faults, kills, leavers};

/// Each run has the same dice, so that what fails once can be looked at again.
const SEED: u64 = 20_261_130;

#[test]
fn sec_43_a_hundred_kills_cost_no_sign_in_where_the_issuer_has_a_grace() {
    let outcome = kills::run(Grace::TenSeconds, 100, SEED, Listener::Nobody);
    println!("{outcome:?}");
    assert_eq!((outcome.kills, outcome.pids.len()), (100, 100));
    assert!(outcome.losses.is_empty(), "{:?}", outcome.losses);
    assert_eq!(outcome.overlaps, 0);
    assert!(outcome.fell.iter().all(|kills| *kills > 0), "no kill fell on some part of it: {:?}", outcome.fell);
}

#[test]
fn sec_43_without_a_grace_a_kill_costs_a_sign_in_only_within_the_window_and_it_is_told() {
    let outcome = kills::run(Grace::None, 100, SEED, Listener::Nobody);
    println!("{outcome:?}");
    assert_eq!((outcome.kills, outcome.pids.len()), (100, 100));
    assert!(outcome.losses.iter().all(|loss| loss.in_window), "{:?}", outcome.losses);
    assert!(outcome.losses.iter().all(|loss| loss.told == "interrupted"), "{:?}", outcome.losses);
    assert_eq!(outcome.overlaps, 0);
}

#[test]
fn sec_41_sixty_four_clients_and_two_hundred_expiries_make_one_renewal_each() {
    let outcome = crowd::run(64, 200, Listener::Nobody);
    println!("{outcome:?}");
    assert_eq!((outcome.calls, outcome.failed), (64 * 200, 0), "{:?}", outcome.first_failure);
    assert_eq!((outcome.not_once, outcome.sign_ins), (Vec::new(), 0));
}

#[test]
fn sec_45_three_hundred_faults_cost_no_sign_in_and_no_token_is_sent_twice_at_a_time() {
    let outcome = faults::run(300, SEED, Listener::Nobody);
    println!("{outcome:?}");
    assert_eq!((outcome.sign_ins, outcome.refused, outcome.overlaps), (0, 0, 0));
    assert!(outcome.faults.values().sum::<u32>() >= 300);
}

#[test]
fn sec_42_a_thousand_clients_that_leave_cancel_no_renewal() {
    let outcome = leavers::run(1000, SEED, Listener::Nobody);
    println!("{outcome:?}");
    assert_eq!((outcome.rounds, outcome.abandoned, outcome.refused, outcome.sign_ins), (1000, 0, 0, 0));
    assert_eq!(outcome.renewals, 250, "one for each time that the bearer ended");
}

#[test]
fn a_keychain_that_ends_comes_back_with_all_that_it_held() {
    let mut works = Works::with_grace(0);
    let core = works.core();
    let caller = Caller::register(&works.home, "steady", SERVER);
    works.sign_in();
    assert!(worked(&caller.call()));
    works.end_keychain();
    // What the core holds of the old one is of no use: it has to ask the new one to keep the next token.
    works.end_access_tokens();
    let answer = caller.call();
    assert!(worked(&answer), "{answer:?}");
    assert_eq!(works.keychain_ended(), 1);
    assert!(core.stop(&works.home).success());
    works.end_keychain();
    let core = works.core();
    works.end_access_tokens();
    let answer = caller.call();
    assert!(worked(&answer), "{answer:?}");
    assert_eq!((works.keychain_ended(), works.sign_ins(), works.refused()), (2, 1, 0));
    assert!(core.stop(&works.home).success());
}
