//! The keychain adapter against a real gnome-keyring, each time in a session, a home and a bus of its own.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs")]

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A bus that starts nobody by itself: whether there is a keychain is the test's to say.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>"#;

fn example() -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    tests.parent().unwrap().parent().unwrap().join("examples/keychain")
}

/// A command that sees nothing of this machine's user.
fn isolated(program: impl AsRef<std::ffi::OsStr>, home: &Path) -> Command {
    let run = home.join("run");
    fs::create_dir_all(&run).unwrap();
    fs::set_permissions(&run, Permissions::from_mode(0o700)).unwrap();
    let mut command = Command::new(program);
    command.env("HOME", home).env("XDG_RUNTIME_DIR", run);
    for (name, folder) in [("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config"), ("XDG_CACHE_HOME", "cache")] {
        command.env(name, home.join(folder));
    }
    for name in ["DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL", "DISPLAY", "WAYLAND_DISPLAY"] {
        command.env_remove(name);
    }
    command
}

fn in_a_session(paces: &str) -> (tempfile::TempDir, String) {
    let home = tempfile::tempdir().unwrap();
    let bus = home.path().join("bus.conf");
    fs::write(&bus, BUS).unwrap();
    let mut session = isolated("dbus-run-session", home.path());
    session.arg("--config-file").arg(&bus).arg("--").arg(example()).arg(paces);
    let told = said(&session.output().expect("`dbus-run-session` must be installed"));
    (home, told)
}

fn said(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{} {errors}", output.status);
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Every file below a folder, read whole.
fn contents(folder: &Path) -> Vec<u8> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { contents(&path) } else { fs::read(&path).unwrap_or_default() }).collect()
}

#[test]
fn a_real_keyring_keeps_secrets_and_writes_none_in_the_clear() {
    let (home, told) = in_a_session("unlock");
    assert_eq!(told, "works");
    assert!(home.path().join("data/keyrings").is_dir(), "the key ring wrote nothing");
    let files = contents(home.path());
    assert!(!files.windows(6).any(|bytes| bytes == b"cAnArY"), "a secret lies in the home folder");
}

#[test]
fn a_locked_keyring_says_so() {
    assert_eq!(in_a_session("locked").1, "locked locked");
}

#[test]
fn a_hanging_keyring_times_out_and_recovers() {
    assert_eq!(in_a_session("hangs").1, "timeout timeout");
}

#[test]
fn a_session_without_a_keyring_says_so() {
    assert_eq!(in_a_session("absent").1, "failed failed");
}

#[test]
fn no_session_at_all_says_so() {
    let home = tempfile::tempdir().unwrap();
    assert_eq!(said(&isolated(example(), home.path()).arg("absent").output().unwrap()), "failed failed");
}
