//! What processes use, from `/proc`: memory of their own, wake-ups, threads; and how busy the machine is.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool stops where it fails")]

use std::collections::HashMap;
use std::fs;
use std::path::Path;

/// A process, and everything that it has started and that still runs, itself first.
pub(crate) fn family(root: u32) -> Vec<u32> {
    let processes: Vec<(u32, u32)> = listed();
    let mut family = vec![root];
    let mut at = 0;
    while let Some(parent) = family.get(at).copied() {
        family.extend(processes.iter().filter(|(_, of)| *of == parent).map(|(process, _)| *process));
        at += 1;
    }
    family
}

/// Every process with the one that started it.
fn listed() -> Vec<(u32, u32)> {
    let ids = fs::read_dir("/proc").unwrap().flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|process| Some((process, parent(&fs::read_to_string(format!("/proc/{process}/stat")).ok()?)?)))
        .collect()
}

/// The program's name, in brackets, may contain anything; the numbers come after its last bracket.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// The program's file.
pub(crate) fn program(process: u32) -> Option<String> {
    let file = fs::read_link(format!("/proc/{process}/exe")).ok()?;
    Some(Path::new(&file).file_name()?.to_str()?.to_owned())
}

/// The memory that would be free again without this process, as far as it has written to it: in KiB. A process that has
/// just ended has none.
pub(crate) fn private_dirty(process: u32) -> u64 {
    let Ok(rollup) = fs::read_to_string(format!("/proc/{process}/smaps_rollup")) else { return 0 };
    number(&rollup, "Private_Dirty:")
}

/// How often each thread has gone to sleep so far; each time something wakes it up.
pub(crate) fn sleeps(process: u32) -> HashMap<String, u64> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return HashMap::new() };
    let threads = threads.flatten().filter_map(|thread| {
        let status = fs::read_to_string(thread.path().join("status")).ok()?;
        Some((thread.file_name().into_string().ok()?, number(&status, "voluntary_ctxt_switches:")))
    });
    threads.collect()
}

/// How many wake-ups lie between two of those. Of a thread that has ended in between, nothing is known any more.
pub(crate) fn wakeups(before: &HashMap<String, u64>, after: &HashMap<String, u64>) -> u64 {
    after.iter().map(|(thread, sleeps)| sleeps.saturating_sub(before.get(thread).copied().unwrap_or(0))).sum()
}

pub(crate) fn threads(process: u32) -> usize {
    sleeps(process).len()
}

/// What the machine's processors have done so far.
#[derive(Clone, Copy)]
pub(crate) struct Work {
    all: u64,
    idle: u64,
}

pub(crate) fn work() -> Work {
    let stat = fs::read_to_string("/proc/stat").unwrap();
    // User, nice, system, idle, waiting for disks, and what interrupts and other machines took.
    let times: Vec<u64> = stat.split_whitespace().skip(1).take(8).map(|time| time.parse().unwrap()).collect();
    Work { all: times.iter().sum(), idle: times[3] + times[4] }
}

impl Work {
    /// How much of its time the machine has worked since then, in percent.
    pub(crate) fn percent_since(self, before: Self) -> f64 {
        let share = |part: u64, whole: u64| part as f64 * 100.0 / whole.max(1) as f64;
        100.0 - share(self.idle - before.idle, self.all - before.all)
    }
}

fn number(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}
