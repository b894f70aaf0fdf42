//! The sign-in window as a person uses it: by keyboard, under a display of its own, with the real core, shell and issuer.
//!
//! Each story has a network of its own, too: what listens there, and who connects, is of this story alone.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs, and give up on them after a while")]

#[allow(dead_code, reason = "the shell's own window is not looked at here")]
mod desktop;
#[path = "desktop_sign_in/hostile.rs"]
mod hostile;
#[path = "desktop_sign_in/lone.rs"]
mod lone;
#[path = "desktop_sign_in/screen.rs"]
mod screen;
#[path = "desktop_sign_in/web.rs"]
mod web;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use desktop::Running;
use keybearer_stories::core::{Core, Home, keybearer};
use keybearer_stories::parts::Part;
use keybearer_stories::search;
use serde_json::Value;

use screen::{Screen, patiently, within_a_moment};

/// Set for the process that runs in a network of its own.
const APART: &str = "KEYBEARER_DESKTOP_APART";

/// Runs the test `name` again in a network and a desktop session of its own, or says that this is that run.
fn is_inside(name: &str) -> bool {
    if std::env::var_os(APART).is_some() {
        return desktop::is_inside(name);
    }
    let listed = Command::new(std::env::current_exe().unwrap()).args(["--list", "--exact", name]).output().unwrap();
    assert!(String::from_utf8_lossy(&listed.stdout).contains("1 test,"), "there is no test `{name}`");
    let mut apart = Command::new("unshare");
    apart.args(["--user", "--map-root-user", "--net", "--", "sh", "-ec", "ip link set lo up; exec \"$0\" \"$@\""]);
    apart.arg(std::env::current_exe().unwrap()).args(["--exact", name, "--nocapture"]);
    let ended = apart.env(APART, "1").env("LC_ALL", "C.UTF-8").status().unwrap();
    assert!(ended.success(), "`{name}` failed in a network of its own");
    false
}

/// A company, a core, and a shell that opens its windows.
struct Desk {
    issuer: Part,
    _guard: Part,
    _open: Part,
    home: Home,
    core: Core,
    _shell: Running,
    screen: Screen,
}

impl Desk {
    fn set_up(issuer_settings: &[(&str, &str)]) -> Self {
        let issuer = Part::issuer(issuer_settings);
        let open = Part::start("everything.mjs", &[]);
        let guard = Part::start("guard.mjs", &[("TARGET", open.said("url")), ("ISSUER", issuer.said("issuer"))]);
        let url = guard.said("url");
        let home = Home::new(&format!(
            "keystore = \"memory\"\n[servers.crm]\nurl = \"{url}\"\n[[rules]]\neffect = \"allow\"\n"
        ));
        let core = Core::start(&home);
        let mut shell = home.command(env!("CARGO_BIN_EXE_keybearer-desktop"));
        shell.arg("--minimized").env("DBUS_SESSION_BUS_ADDRESS", std::env::var("DBUS_SESSION_BUS_ADDRESS").unwrap());
        let shell = Running(shell.spawn().unwrap());
        core.log().has("sign-in windows are offered");
        Self { issuer, _guard: guard, _open: open, home, core, _shell: shell, screen: Screen }
    }

    fn begin_login(&self) -> Child {
        let mut login = self.home.command(keybearer());
        login.args(["login", "crm", "--json"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// Where the window says that it is.
    fn title(&self) -> String {
        format!("127.0.0.1:{} – Sign in – Keybearer", self.issuer.ready["port"])
    }

    fn counts(&self, what: &str) -> u64 {
        self.issuer.ask("/__counts")[what].as_u64().unwrap()
    }

    /// Answers the page that is shown, once it can hear it. A key that comes too early is pressed again, as people do.
    fn answer_page(&self, press: impl Fn()) {
        let before = self.counts("answered_page");
        patiently("the page is drawn", || self.counts("drawn_page") > before);
        patiently("the page is answered", || {
            press();
            within_a_moment(|| self.counts("answered_page") > before)
        });
    }

    /// Signs in by keyboard until the login ends; what it said.
    fn sign_in_as(&self, name: &str, mut login: Child) -> Value {
        let window = self.screen.window(&self.title());
        // On the page that asks for a name: the name. On the one that asks for leave: its one button.
        self.answer_page(|| {
            if self.issuer.ask("/__counts")["typed"] != name {
                self.screen.keys(&window, &["ctrl+a"]);
                self.screen.types(&window, name);
            }
            if within_a_moment(|| self.issuer.ask("/__counts")["typed"] == name) {
                self.screen.keys(&window, &["Return"]);
            }
        });
        self.answer_page(|| self.screen.keys(&window, &["Return"]));
        patiently("the login ends", || login.try_wait().unwrap().is_some());
        let ended = login.wait_with_output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        serde_json::from_slice(&ended.stdout).unwrap()
    }
}

/// What a person's home has in it: names of files that something in this session wrote.
fn session_files() -> Vec<PathBuf> {
    let mut files = search::files(Path::new(&std::env::var_os("HOME").unwrap()));
    files.sort();
    files
}

#[test]
fn sec_51_signing_in_through_the_window_opens_no_port_and_visits_no_redirect() {
    if !is_inside("sec_51_signing_in_through_the_window_opens_no_port_and_visits_no_redirect") {
        return;
    }
    let desk = Desk::set_up(&[]);
    let redirect = web::Listener::at("127.0.0.1:80");
    let before = web::listening();
    let login = desk.begin_login();
    let window = desk.screen.window(&desk.title());
    assert_eq!(web::listening(), before, "a port was opened for the sign-in");
    let program = desk.screen.program(&window);
    let family = lone::family(program);
    for hidden in ["cmdline", "environ"] {
        let shown = std::fs::read(format!("/proc/{program}/{hidden}")).unwrap();
        let shown = String::from_utf8_lossy(&shown);
        assert!(!shown.contains("state=") && !shown.contains(desk.issuer.said("issuer")), "{hidden}: {shown}");
    }
    let server = desk.sign_in_as("dana", login);
    assert_eq!(server["account"], "dana@example.test", "{server}");
    assert_eq!(redirect.connections(), 0, "somebody connected to the redirect's address");
    assert_eq!((web::listening(), desk.home.visits()), (before, 0));
    lone::gone(&family);

    let mut secrets: Vec<String> = Vec::new();
    for secret in desk.issuer.ask("/__issued")["secrets"].as_array().unwrap() {
        secrets.push(secret.as_str().unwrap().to_owned());
    }
    desk.home.assert_no_secret(&secrets);
    search::assert_not_in("the core's log", &desk.core.logged(), &secrets);
}

#[test]
fn sec_52_nothing_of_a_sign_in_is_there_for_the_next_one() {
    if !is_inside("sec_52_nothing_of_a_sign_in_is_there_for_the_next_one") {
        return;
    }
    let desk = Desk::set_up(&[]);
    assert_eq!(desk.sign_in_as("dana", desk.begin_login())["account"], "dana@example.test");
    // Where a page keeps something, WebKit would have made a place for it.
    let left = session_files();
    let kept = |file: &&PathBuf| {
        let path = file.to_string_lossy().to_lowercase();
        ["cookie", "localstorage", "indexeddb", "webkit", "wry", "hsts", "sign-in"]
            .iter()
            .any(|word| path.contains(word))
    };
    assert_eq!(left.iter().find(kept), None, "of {left:?}");
    for file in &left {
        let text = std::fs::read(file).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        assert!(!text.contains("dana") && !text.contains("_interaction"), "{}", file.display());
    }
    // With Dana's cookie the issuer would not ask who is there.
    desk.home.keybearer(&["logout", "crm"]);
    assert_eq!(desk.sign_in_as("erin", desk.begin_login())["account"], "erin@example.test");
}

#[test]
fn an_issuer_that_refuses_windows_is_signed_in_to_in_the_browser() {
    if !is_inside("an_issuer_that_refuses_windows_is_signed_in_to_in_the_browser") {
        return;
    }
    // WebKit says its name; the browser of this story does not have it.
    let desk = Desk::set_up(&[("REFUSE", "AppleWebKit")]);
    let ended = desk.begin_login().wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let counts = desk.issuer.ask("/__counts");
    assert_eq!((desk.home.visits(), counts["by_grant"]["authorization_code"].as_u64()), (1, Some(1)), "{counts}");
    assert_eq!(counts["registration"], 2, "a redirect for the window, another one for the browser");
    desk.screen.no_window("Keybearer");
}
