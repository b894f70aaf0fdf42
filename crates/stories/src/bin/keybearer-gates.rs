//! The reliability gates with any numbers: `keybearer-gates [GATE=ROUNDS]...`; what `cargo xtask gates` runs.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "it is a program")]

use std::process::ExitCode;

use keybearer_stories::gates::kills::{self, Grace, Loss};
use keybearer_stories::gates::progress::Listener;
use keybearer_stories::gates::{crowd, faults, leavers};

/// A gate, and how many rounds of it the full numbers are.
struct Gate {
    name: &'static str,
    full: u32,
    /// Runs so many rounds, says what came of them, and whether the gate held.
    run: fn(u32) -> bool,
}

const GATES: [Gate; 5] = [
    Gate { name: "kills", full: 10_000, run: |rounds| kills(Grace::TenSeconds, rounds) },
    Gate { name: "kills-without-grace", full: 10_000, run: |rounds| kills(Grace::None, rounds) },
    Gate { name: "expiries", full: 1_000, run: expiries },
    Gate { name: "faults", full: 10_000, run: faults },
    Gate { name: "leavers", full: 1_000, run: leavers },
];
const CLIENTS: u32 = 64;
const SEED: u64 = 1;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(chosen) = chosen(&words) else {
        let names = GATES.map(|gate| format!("{}={}", gate.name, gate.full));
        eprintln!("usage: keybearer-gates [GATE[=ROUNDS]]...; the gates are {}", names.join(", "));
        return ExitCode::FAILURE;
    };
    // Two at a time: each of them waits a good deal.
    let held = chosen.chunks(2).all(|pair| {
        std::thread::scope(|scope| {
            let running: Vec<_> = pair.iter().map(|(gate, rounds)| scope.spawn(|| (gate.run)(*rounds))).collect();
            running.into_iter().map(|gate| gate.join().unwrap_or(false)).fold(true, |all, held| all & held)
        })
    });
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The gates that these words name, with their rounds; all of them with their full numbers if there is none.
fn chosen(words: &[String]) -> Option<Vec<(&'static Gate, u32)>> {
    if words.is_empty() {
        return Some(GATES.iter().map(|gate| (gate, gate.full)).collect());
    }
    let gate_of = |word: &String| {
        let (name, rounds) = word.split_once('=').map_or((word.as_str(), None), |(name, rounds)| (name, Some(rounds)));
        let gate = GATES.iter().find(|gate| gate.name == name)?;
        Some((gate, rounds.map_or(Some(gate.full), |rounds| rounds.parse().ok())?))
    };
    words.iter().map(gate_of).collect()
}

fn kills(grace: Grace, rounds: u32) -> bool {
    let outcome = kills::run(grace, rounds, SEED, Listener::Terminal);
    for loss in &outcome.losses {
        let Loss { after, in_window, age, told, keychain_ended } = loss;
        let keychain = keychain_ended.map(|kills| format!(", {kills} kills after the keychain's daemon had ended"));
        println!(
            "  lost after {after} kills: within the window: {in_window}, refused after {age:?}, told as `{told}`{}",
            keychain.unwrap_or_default()
        );
    }
    println!(
        "{grace:?}: {} kills of {} processes in {} s: {} before the token request, {} before its reply, {} before it was \
         kept, {} later; {} calls came back between; {} sign-ins lost; {} overlaps; the keychain's \
         daemon ended {} times",
        outcome.kills,
        outcome.pids.len(),
        outcome.took.as_secs(),
        outcome.fell[0],
        outcome.fell[1],
        outcome.fell[2],
        outcome.fell[3],
        outcome.calls,
        outcome.losses.len(),
        outcome.overlaps,
        outcome.keychain_ended
    );
    let allowed = |loss: &Loss| grace == Grace::None && loss.in_window && loss.told == "interrupted";
    outcome.overlaps == 0 && outcome.losses.iter().all(allowed)
}

fn expiries(rounds: u32) -> bool {
    let outcome = crowd::run(CLIENTS, rounds, Listener::Terminal);
    println!(
        "{CLIENTS} clients, {} expiries in {} s: {} calls came back, {} did not ({:?}); not renewed just once: {:?}; {} \
         sign-ins lost",
        outcome.expiries,
        outcome.took.as_secs(),
        outcome.calls,
        outcome.failed,
        outcome.first_failure,
        outcome.not_once,
        outcome.sign_ins
    );
    outcome.failed == 0 && outcome.not_once.is_empty() && outcome.sign_ins == 0
}

fn faults(rounds: u32) -> bool {
    let outcome = faults::run(rounds, SEED, Listener::Terminal);
    println!(
        "{} faults in {} s: {} calls had to come again, the longest time until one worked was {} ms; {} tokens refused; \
         {} overlaps; {} sign-ins lost\n  {:?}",
        outcome.faults.values().sum::<u32>(),
        outcome.took.as_secs(),
        outcome.told,
        outcome.longest.as_millis(),
        outcome.refused,
        outcome.overlaps,
        outcome.sign_ins,
        outcome.faults
    );
    (outcome.sign_ins, outcome.refused, outcome.overlaps) == (0, 0, 0)
}

fn leavers(rounds: u32) -> bool {
    let outcome = leavers::run(rounds, SEED, Listener::Terminal);
    println!(
        "{} clients left in {} s: {} renewals, {} came to nothing; {} tokens refused; {} sign-ins lost",
        outcome.rounds,
        outcome.took.as_secs(),
        outcome.renewals,
        outcome.abandoned,
        outcome.refused,
        outcome.sign_ins
    );
    (outcome.abandoned, outcome.refused, outcome.sign_ins) == (0, 0, 0)
}
