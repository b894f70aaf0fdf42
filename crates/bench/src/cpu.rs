//! What a process and its descendants use, from `/proc`: CPU time, memory, wake-ups.

use std::{collections::HashMap, fs, time::Duration};

/// Clock ticks a second, as Linux tells programs whatever the kernel's own are.
const TICKS: u64 = 100;

/// User and system time of the process and of everything that it started, ended children included.
pub fn of_tree(root: u32) -> Duration {
    let processes: Vec<Process> = listed();
    let mut children: HashMap<u32, Vec<&Process>> = HashMap::new();
    for process in &processes {
        children.entry(process.parent).or_default().push(process);
    }
    let mut waiting: Vec<&Process> = processes.iter().filter(|process| process.id == root).collect();
    let mut ticks = waiting.first().map_or(0, |process| process.of_ended_children);
    while let Some(process) = waiting.pop() {
        ticks += process.own;
        waiting.extend(children.get(&process.id).into_iter().flatten());
    }
    Duration::from_millis(ticks * 1000 / TICKS)
}

/// The memory that a process has in use, in MiB.
pub fn resident(process: u32) -> f64 {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    f64::from(u32::try_from(number(&status, "VmRSS:")).unwrap_or(u32::MAX)) / 1024.0
}

/// How often a process's threads have gone to sleep so far; each time something wakes them up.
pub fn sleeps(process: u32) -> u64 {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return 0 };
    let statuses = threads.flatten().filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok());
    statuses.map(|status| number(&status, "voluntary_ctxt_switches:")).sum()
}

fn number(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

struct Process {
    id: u32,
    parent: u32,
    own: u64,
    of_ended_children: u64,
}

fn listed() -> Vec<Process> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter_map(|id: u32| parse(id, &fs::read_to_string(format!("/proc/{id}/stat")).ok()?)).collect()
}

/// The program's name, in brackets, may contain anything; the numbers come after its last bracket.
fn parse(id: u32, stat: &str) -> Option<Process> {
    let fields: Vec<u64> =
        stat.rsplit_once(')')?.1.split_whitespace().map(|field| field.parse().unwrap_or(0)).collect();
    let parent = u32::try_from(*fields.get(1)?).ok()?;
    Some(Process {
        id,
        parent,
        own: fields.get(11)? + fields.get(12)?,
        of_ended_children: fields.get(13)? + fields.get(14)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_confuse() {
        let stat = "7 (a) b) c) S 3 7 7 0 -1 4194304 1 2 3 4 50 6 70 8 20 0 1 0";
        let process = parse(7, stat).map(|process| (process.parent, process.own, process.of_ended_children));
        assert_eq!(process, Some((3, 56, 78)));
    }

    #[test]
    fn we_use_memory_and_sleep_ourselves() {
        let ours = std::process::id();
        let before = sleeps(ours);
        while sleeps(ours) == before {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!((0.5..10_000.0).contains(&resident(ours)), "{}", resident(ours));
    }

    #[test]
    fn we_use_time_ourselves() {
        let mut sum = 0_u64;
        while of_tree(std::process::id()).is_zero() {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
    }
}
