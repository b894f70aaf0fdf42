//! Measures the desktop program over a real core, as a person has it: an icon in a panel, a click, a window.
//!
//! Started by `cargo xtask figures`: `desktop_figures [ROUNDS]` prints what it measured as one line of JSON. Each round has a
//! shell of its own, that of this build or the one that `KEYBEARER_DESKTOP_SHELL` names.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool of the project's own")]
#![allow(clippy::disallowed_methods, reason = "it starts programs and measures time")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "what it measured is what it prints")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

#[allow(dead_code, reason = "nothing is driven here, and nothing refused")]
mod desktop;
#[path = "desktop/process.rs"]
mod process;
#[path = "desktop/screen.rs"]
mod screen;

use desktop::panel::{Panel, TrayMenu};
use desktop::{Core, PATIENCE, Running};
use screen::Screen;

const ROUNDS: usize = 7;
/// How often the window is opened again in a round.
const AGAIN: usize = 2;
/// What is left to happen when a window has come or gone, or the shell has started: threads that end, caches that go.
const SETTLING: Duration = Duration::from_secs(12);
/// How long a shell that has nothing to do is watched.
const WATCHED: Duration = Duration::from_secs(10);

const TITLE: &str = "Keybearer";
/// The process that has the window's page in it.
const PAGE: &str = "WebKitWebProcess";

/// Each number in each round, by its name.
type Figures = BTreeMap<&'static str, Vec<f64>>;

fn main() {
    let given = std::env::args().nth(1);
    let rounds = given.as_deref().map_or(ROUNDS, |rounds| rounds.parse().unwrap());
    if !desktop::is_inside_with(&[&rounds.to_string()]) {
        return;
    }
    // A page of a file that is not on the disk yet is dirty, and would count as memory of whoever runs it.
    File::open(desktop::shell()).unwrap().sync_all().unwrap();
    let (panel, screen, core) = (Panel::open(), Screen::open(), Core::run());
    warm_up(&panel, &screen, &core);
    let (mut figures, mut left) = (Figures::new(), BTreeSet::new());
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        left.extend(measure(&panel, &screen, &core, &mut figures));
    }
    println!("{}", json!({ "rounds": rounds, "left": left, "figures": figures }));
}

/// The first program with GTK in a session finds out what its screen can do, which takes 10 MiB and leaves a note for the
/// others; the first page fills caches on the disk. A session that people have has seen both.
fn warm_up(panel: &Panel, screen: &Screen, core: &Core) {
    let (shell, menu) = start(panel, core);
    open(screen, &menu);
    close(screen, shell.0.id());
    end(shell, &menu);
}

/// One round; returns which programs the shell keeps running when its window is closed.
fn measure(panel: &Panel, screen: &Screen, core: &Core, figures: &mut Figures) -> Vec<String> {
    let mut note = |name, value| figures.entry(name).or_default().push(value);
    let (shell, menu) = start(panel, core);
    let process = shell.0.id();
    rest(process, ["tray_alone_mib", "tray_mib", "tray_threads", "tray_wakeups"], &mut note);

    note("first_window_ms", open(screen, &menu));
    thread::sleep(SETTLING);
    note("window_alone_mib", mebibytes(&[process]));
    note("window_mib", mebibytes(&process::family(process)));
    close(screen, process);
    for _ in 0..AGAIN {
        note("later_window_ms", open(screen, &menu));
        close(screen, process);
    }
    rest(process, ["closed_alone_mib", "closed_mib", "closed_threads", "closed_wakeups"], &mut note);

    let left = process::family(process).into_iter().skip(1).filter_map(process::program).collect();
    end(shell, &menu);
    left
}

fn start(panel: &Panel, core: &Core) -> (Running, TrayMenu) {
    let mut shell = Command::new(desktop::shell());
    shell.arg("--minimized").env("KEYBEARER_HOME", core.home()).env("LANGUAGE", "en").env("LANG", "C.UTF-8");
    let shell = Running(shell.spawn().unwrap());
    let menu = panel.menu();
    menu.has("1 of 2 tools ready");
    (shell, menu)
}

fn end(mut shell: Running, menu: &TrayMenu) {
    menu.click("Close the tray icon");
    assert!(shell.0.wait().unwrap().success(), "the shell ends well");
}

/// What a shell without a window has in memory, and how often it wakes up.
fn rest(process: u32, names: [&'static str; 4], note: &mut impl FnMut(&'static str, f64)) {
    thread::sleep(SETTLING);
    let [alone, whole, threads, wakeups] = names;
    note(alone, mebibytes(&[process]));
    note(whole, mebibytes(&process::family(process)));
    note(threads, count(process::threads(process)));
    let (before, work) = (process::sleeps(process), process::work());
    thread::sleep(WATCHED);
    // Nothing of ours does anything now: whatever works is something else, and works while windows are opened, too.
    note("others_percent", process::work().percent_since(work));
    note(wakeups, count(process::wakeups(&before, &process::sleeps(process)).try_into().unwrap()));
}

/// Clicks, and waits until the window can be read; how long that took, in milliseconds.
fn open(screen: &Screen, menu: &TrayMenu) -> f64 {
    let item = menu.item("Open Keybearer");
    let begun = Instant::now();
    menu.click_item(item);
    screen.drawn(TITLE, begun).as_secs_f64() * 1e3
}

/// Closes the window, and waits until its page is gone.
fn close(screen: &Screen, process: u32) {
    screen.close(TITLE);
    let begun = Instant::now();
    while process::family(process).into_iter().filter_map(process::program).any(|program| program == PAGE) {
        assert!(begun.elapsed() < PATIENCE, "the page lives on without its window");
        thread::sleep(Duration::from_millis(20));
    }
}

fn mebibytes(processes: &[u32]) -> f64 {
    let kibibytes = processes.iter().map(|process| process::private_dirty(*process)).sum::<u64>();
    count(kibibytes.try_into().unwrap()) / 1024.0
}

fn count(number: usize) -> f64 {
    u32::try_from(number).unwrap().into()
}
