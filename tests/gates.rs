//! The reliability gates, a few rounds of each: what a person would lose by kills, expiries, faults and clients that
//! leave. `cargo xtask gates` runs the full numbers; docs/reliability.md has what came of them.
#![allow(clippy::print_stdout, reason = "what came of a run is worth reading when it fails")]

use keybearer_stories::gates::kills::{self, Grace};
use keybearer_stories::gates::progress::Listener;

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
