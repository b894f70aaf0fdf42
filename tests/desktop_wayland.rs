//! The prompt where a window cannot raise itself: under a Wayland compositor the person is told by a notification.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs, and give up on them after a while")]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

#[allow(dead_code, reason = "there is nothing of X11 here")]
mod desktop;

use desktop::notices::{self, Notices};
use desktop::{Core, PATIENCE, Running, Said};

/// Its name in the folder of the session.
const DISPLAY: &str = "keybearer-test";
/// What a Wayland client tells the compositor when it makes the prompt, draws it, and takes it away.
const MADE: &str = "set_title(\"Keybearer asks\")";
const GONE: &str = "xdg_toplevel@";

/// Waits until it is so.
#[track_caller]
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "{what} does not come");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

fn compositor() -> Running {
    let mut weston = Command::new("weston");
    weston.args(["--backend=headless-backend.so", "--idle-time=0", "--no-config"]).arg(format!("--socket={DISPLAY}"));
    weston.stdout(Stdio::null()).stderr(Stdio::null());
    let weston = Running(weston.spawn().expect("`weston` is needed: `cargo xtask setup session`"));
    let socket = Path::new(&std::env::var_os("XDG_RUNTIME_DIR").unwrap()).join(DISPLAY);
    until("the compositor", || socket.exists());
    weston
}

#[test]
fn where_a_window_cannot_raise_itself_a_notification_tells_of_the_question() {
    if !desktop::is_inside_for_wayland("where_a_window_cannot_raise_itself_a_notification_tells_of_the_question") {
        return;
    }
    let _weston = compositor();
    let notices = Notices::default();
    let bus = notices.open();
    let core = Core::run_with("ask_timeout = 15\n");
    let mut shell = Command::new(desktop::shell());
    shell.arg("--minimized").env("KEYBEARER_HOME", core.home()).env("LANGUAGE", "en").env("LANG", "C.UTF-8");
    shell.env("WAYLAND_DISPLAY", DISPLAY).env("WAYLAND_DEBUG", "client").stderr(Stdio::piped());
    let mut shell = Running(shell.spawn().unwrap());
    let said = Said::of(&mut shell.0);
    until("the lease", || core.audit().contains("\"prompter_attached\""));

    let mut call = Command::new(desktop::shell().with_file_name("keybearer"));
    call.args(["call", "wiki", "edit_page", "{}"]).env("KEYBEARER_HOME", core.home()).stderr(Stdio::piped());
    let call = call.spawn().unwrap();
    until("the notification", || notices.first().is_some());
    until("the prompt", || said.contains(MADE));
    notices::click(&bus, 1);
    until("the front", || said.contains("the questions come to the front"));
    assert!(!core.audit().contains("\"answered\""), "a click is no answer");

    // Nobody answers: it is a no, and nothing is left on the desktop.
    let ended = call.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(5), "{ended:?}");
    until("the end of the notification", || notices.taken_back().contains(&1));
    until("the end of the prompt", || {
        said.after(MADE).is_some_and(|rest| rest.contains(GONE) && rest.contains(".destroy()"))
    });
    assert!(shell.0.try_wait().unwrap().is_none(), "the shell lives on");
}
