//! Opening a page in the system's browser, on a desktop whose browser records what it is given.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs")]

mod hostile;

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::fs::{CWD, FileType, Mode, mknodat};

/// A desktop with one browser, which tells its arguments through a pipe.
struct Desktop {
    place: tempfile::TempDir,
}

impl Desktop {
    /// A path with nothing on it.
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        let desktop = Self { place };
        mknodat(CWD, desktop.told(), FileType::Fifo, Mode::RWXU, 0).unwrap();
        desktop
    }

    fn told(&self) -> PathBuf {
        self.place.path().join("told")
    }

    fn install(&self, name: &str, script: &str) -> PathBuf {
        let program = self.place.path().join(name);
        fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&program, Permissions::from_mode(0o700)).unwrap();
        program
    }

    fn install_browser(&self, name: &str) -> PathBuf {
        self.install(name, &format!("printf '%s\\n' \"$#\" \"$@\" > '{}'", self.told().display()))
    }

    /// Makes `browser` the one of the desktop's settings (freedesktop.org desktop entries).
    fn settle_on(&self, browser: &Path) {
        let entries = self.place.path().join("applications");
        fs::create_dir(&entries).unwrap();
        let entry = format!("[Desktop Entry]\nType=Application\nName=Browser\nExec={} %u\n", browser.display());
        fs::write(entries.join("kb.desktop"), entry).unwrap();
        self.install("xdg-settings", "echo kb.desktop");
    }

    /// The program that shows pages, on this desktop.
    fn presenter(&self, variables: &[(&str, &str)]) -> Presenter {
        let tests = std::env::current_exe().unwrap();
        let example = tests.parent().unwrap().parent().unwrap().join("examples/browser");
        let mut command = Command::new(example);
        command.env_clear().env("PATH", self.place.path()).env("XDG_DATA_HOME", self.place.path());
        let mut child =
            command.envs(variables.iter().copied()).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (asks, tells) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Presenter { child, asks, tells }
    }

    fn present(&self, addresses: &[&str], variables: &[(&str, &str)]) -> String {
        let mut presenter = self.presenter(variables);
        addresses.iter().map(|address| presenter.present(address) + "\n").collect()
    }

    /// What the opener was given: it writes before it ends, and reading waits for it.
    fn arguments(&self) -> String {
        fs::read_to_string(self.told()).unwrap()
    }
}

/// The program that shows pages: one answer for each address.
struct Presenter {
    child: Child,
    asks: Option<ChildStdin>,
    tells: BufReader<ChildStdout>,
}

impl Presenter {
    fn present(&mut self, address: &str) -> String {
        writeln!(self.asks.as_mut().unwrap(), "{}", STANDARD.encode(address)).unwrap();
        let mut said = String::new();
        self.tells.read_line(&mut said).unwrap();
        said.trim_end().to_owned()
    }
}

impl Drop for Presenter {
    fn drop(&mut self) {
        drop(self.asks.take());
        let ended = self.child.wait().unwrap();
        assert!(ended.success() || std::thread::panicking(), "{ended}");
    }
}

const PAGE: &str = "https://idp.example.com/authorize?state=a&scope=a%20b&x=$(touch%20/tmp/x);!*";

#[test]
fn a_page_is_one_argument_whatever_is_in_it() {
    let desktop = Desktop::new();
    desktop.settle_on(&desktop.install_browser("browser"));
    assert_eq!(desktop.present(&[PAGE], &[("DISPLAY", ":0")]), "opened\n");
    assert_eq!(desktop.arguments(), format!("1\n{PAGE}\n"));
}

#[test]
fn hostile_addresses_reach_no_browser() {
    let desktop = Desktop::new();
    desktop.settle_on(&desktop.install_browser("browser"));
    let hostile = [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "--help",
        "https://a b/",
        "https://a/`id`",
        "http://10.0.0.1/",
        "",
    ];
    let addresses = [&hostile[..], &[PAGE]].concat();
    let said = desktop.present(&addresses, &[("DISPLAY", ":0")]);
    assert_eq!(said, format!("{}opened\n", "refused\n".repeat(hostile.len())));
    assert_eq!(desktop.arguments(), format!("1\n{PAGE}\n"), "something else was opened first");
}

#[test]
fn the_persons_own_choice_of_browser_is_kept() {
    let desktop = Desktop::new();
    let chosen = desktop.install_browser("browser");
    let variable = format!("{} --new-window %s", chosen.display());
    assert_eq!(desktop.present(&[PAGE], &[("BROWSER", &variable)]), "opened\n");
    assert_eq!(desktop.arguments(), format!("2\n--new-window\n{PAGE}\n"));
}

#[test]
fn without_a_desktop_or_an_opener_there_is_no_browser() {
    let desktop = Desktop::new();
    assert_eq!(desktop.present(&[PAGE], &[("DISPLAY", ":0")]), "no browser\n");
    desktop.settle_on(&desktop.install_browser("browser"));
    assert_eq!(desktop.present(&[PAGE], &[]), "no browser\n");
}
