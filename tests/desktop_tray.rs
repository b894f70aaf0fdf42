//! The tray as a panel sees it, over a real core.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs")]

use std::process::Command;

mod desktop;

use desktop::panel::Panel;
use desktop::{Core, Running};

const ATTACHED: [&str; 10] = [
    "1 of 2 tools ready",
    "crm: not signed in",
    "  127.0.0.1:9",
    "  Sign in to crm",
    "wiki: ready",
    "  127.0.0.1:9",
    "Stop all access",
    "Open Keybearer",
    "Turn Keybearer off",
    "Close the tray icon",
];
const STOPPED: [&str; 10] = [
    "All access is stopped",
    "crm: not signed in",
    "  127.0.0.1:9",
    "  Sign in to crm",
    "wiki: ready",
    "  127.0.0.1:9",
    "Allow access again",
    "Open Keybearer",
    "Turn Keybearer off",
    "Close the tray icon",
];
const AWAY: [&str; 4] = ["Keybearer is not running", "Start Keybearer", "Open Keybearer", "Close the tray icon"];

#[test]
fn the_tray_shows_every_server_and_outlives_the_core() {
    if !desktop::is_inside("the_tray_shows_every_server_and_outlives_the_core") {
        return;
    }
    let panel = Panel::open();
    let core = Core::run();
    let mut shell = Command::new(desktop::shell());
    let mut shell = Running(shell.arg("--minimized").env("KEYBEARER_HOME", core.home()).spawn().unwrap());
    let menu = panel.menu();

    menu.becomes(&ATTACHED);

    core.cli(&["stop"]);
    menu.becomes(&AWAY);

    menu.click("Start Keybearer");
    menu.becomes(&ATTACHED);

    menu.click("Stop all access");
    menu.becomes(&STOPPED);
    assert!(core.refuses(&["tools", "wiki"]).contains("not allowed"), "every call is refused");
    menu.click("Allow access again");
    menu.becomes(&ATTACHED);

    menu.click("Turn Keybearer off");
    menu.becomes(&AWAY);
    menu.click("Start Keybearer");
    menu.becomes(&ATTACHED);

    menu.click("Close the tray icon");
    assert!(shell.0.wait().unwrap().success());
    assert!(core.cli(&["status"]).contains("wiki"), "the core lives on without the shell");
}
