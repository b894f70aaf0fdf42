//! The desktop as the machine lives: what the shell does when it wakes up, or when a network comes.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use keybearer_stories::core::{Core, Home};
use zbus::blocking::{Connection, connection};

#[allow(dead_code, reason = "the core of these stories is another one")]
mod desktop;

use desktop::Running;

const CAME_BACK: &str = "the machine has come back";

/// A system bus on which this test is the machine.
struct System {
    address: String,
    machine: Connection,
    _daemon: Running,
}

impl System {
    fn start() -> Self {
        let mut daemon = Command::new("dbus-daemon");
        daemon.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]).stdout(Stdio::piped());
        let mut daemon = Running(daemon.spawn().expect("`dbus-daemon` is needed: `cargo xtask setup session`"));
        let mut address = String::new();
        BufReader::new(daemon.0.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        let machine = connection::Builder::address(&*address).unwrap().build().unwrap();
        Self { address, machine, _daemon: daemon }
    }

    fn sleep(&self, falls_asleep: bool) {
        let (path, interface) = ("/org/freedesktop/login1", "org.freedesktop.login1.Manager");
        self.machine.emit_signal(None::<&str>, path, interface, "PrepareForSleep", &falls_asleep).unwrap();
    }

    fn network(&self, state: u32) {
        let (path, interface) = ("/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager");
        self.machine.emit_signal(None::<&str>, path, interface, "StateChanged", &state).unwrap();
    }
}

/// Waits until the shell says so.
fn says(shell: &mut Child, what: &str) {
    let mut lines = BufReader::new(shell.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(what)), "the shell does not say `{what}`");
    // Whoever writes into a pipe that nobody reads gets stuck, or ends.
    std::thread::spawn(move || lines.for_each(drop));
}

#[test]
fn a_machine_that_wakes_up_and_finds_a_network_has_one_recovery() {
    if !desktop::is_inside("a_machine_that_wakes_up_and_finds_a_network_has_one_recovery") {
        return;
    }
    let home = Home::new("keystore = \"memory\"\n");
    let core = Core::start(&home);
    let system = System::start();
    let mut shell = home.command(env!("CARGO_BIN_EXE_keybearer-desktop"));
    shell.arg("--minimized").env("DBUS_SESSION_BUS_ADDRESS", std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap());
    shell.env("DBUS_SYSTEM_BUS_ADDRESS", &system.address).stderr(Stdio::piped());
    let mut shell = Running(shell.spawn().unwrap());
    says(&mut shell.0, "the system tells of sleep and networks");

    // What a laptop says when its lid is closed and opened again.
    system.sleep(true);
    system.network(10);
    system.sleep(false);
    for state in [20, 40, 50, 60, 70] {
        system.network(state);
    }
    core.log().has(CAME_BACK);
    // Another network, without sleep.
    system.network(40);
    system.network(70);
    core.log().has_times(CAME_BACK, 2);
    let log = core.log();
    assert!(core.stop(&home).success());
    assert_eq!(log.read().matches(CAME_BACK).count(), 2, "one recovery each");
}

/// The process that runs this program, other than `before`; waits for it.
fn runs_again(program: &std::path::Path, before: u32) -> u32 {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let processes = std::fs::read_dir("/proc").unwrap().flatten();
        let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        let runs = |id: &u32| std::fs::read_link(format!("/proc/{id}/exe")).is_ok_and(|path| path == program);
        if let Some(id) = ids.filter(|id| *id != before).find(runs) {
            return id;
        }
        assert!(Instant::now() < end, "nothing runs in the place of the program that was updated");
        std::thread::park_timeout(Duration::from_millis(50));
    }
}

#[test]
fn a_program_that_is_updated_starts_again_as_the_new_one() {
    if !desktop::is_inside("a_program_that_is_updated_starts_again_as_the_new_one") {
        return;
    }
    let home = Home::new("keystore = \"memory\"\n");
    let core = Core::start(&home);
    let system = System::start();
    let folder = tempfile::tempdir().unwrap();
    let installed = folder.path().canonicalize().unwrap().join("keybearer-desktop");
    std::fs::copy(env!("CARGO_BIN_EXE_keybearer-desktop"), &installed).unwrap();
    let mut shell = home.command(&installed);
    shell.arg("--minimized").env("DBUS_SESSION_BUS_ADDRESS", std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap());
    shell.env("DBUS_SYSTEM_BUS_ADDRESS", &system.address).stderr(Stdio::piped());
    let mut shell = Running(shell.spawn().unwrap());
    says(&mut shell.0, "the system tells of sleep and networks");
    // As a package manager does it: the new file takes the name of the old one, which goes on running.
    let new = installed.with_extension("new");
    std::fs::copy(env!("CARGO_BIN_EXE_keybearer-desktop"), &new).unwrap();
    std::fs::rename(&new, &installed).unwrap();
    assert!(shell.0.wait().unwrap().success(), "the old one ends in good order");
    let again = runs_again(&installed, shell.0.id());
    let command = std::fs::read_to_string(format!("/proc/{again}/cmdline")).unwrap();
    assert!(command.contains("--minimized"), "a window that nobody asked for: {command:?}");
    assert!(Command::new("kill").arg(again.to_string()).status().unwrap().success());
    core.stop(&home);
}
