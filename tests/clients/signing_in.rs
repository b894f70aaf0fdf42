//! A client that starts before anybody has signed in, and gives its server 60 seconds, as Claude Desktop does: the
//! handshake does not wait for the person, the one tool that is there signs in, and the others come without a restart.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use keybearer_stories::company::Company;
use keybearer_stories::core::{Core, Home, keybearer};
use keybearer_stories::parts::{self, Watch};
use serde_json::{Value, json};

use crate::ECHO;

/// However the machine is loaded, one of so many handshakes is not held up by it.
const TRIES: usize = 3;

/// A person who does not look at the sign-in page before they are told to.
struct Person {
    /// Kept open, so that the page's side never meets an end.
    word: File,
}

impl Person {
    fn at(home: &mut Home) -> Self {
        let [held, word, browser] = ["held", "word", "browser"].map(|name| home.path().join("bin").join(name));
        assert!(Command::new("mkfifo").arg(&word).status().unwrap().success());
        let script = format!("#!/bin/sh\nread go < '{}'\nexec '{}' \"$@\"\n", word.display(), browser.display());
        std::fs::write(&held, script).unwrap();
        std::fs::set_permissions(&held, Permissions::from_mode(0o755)).unwrap();
        home.set("BROWSER", held);
        Self { word: OpenOptions::new().read(true).write(true).open(word).unwrap() }
    }

    fn signs_in(&mut self) {
        self.word.write_all(b"go\n").unwrap();
    }
}

/// A client at work, and what it has reported.
struct Reporting {
    child: Child,
    lines: BufReader<ChildStdout>,
    _watch: Watch,
}

impl Reporting {
    fn start(home: &Home, interpreter: &Path, script: &str, word: &str) -> Self {
        let mut command = home.command(interpreter);
        command.arg(parts::script(script)).args([word, "--call", ECHO.0, ECHO.1, "--"]);
        command.arg(keybearer()).args(["stdio", "everything"]);
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { _watch: Watch::over(&child), child, lines }
    }

    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("the client reported nothing: {line}"))
    }
}

impl Drop for Reporting {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[track_caller]
fn signs_in_by_the_tool(interpreter: &Path, script: &str, word: &str) {
    let company = Company::open();
    let mut home = Home::new(&company.config("memory"));
    let mut person = Person::at(&mut home);
    let core = Core::start(&home);

    let mut quickest = f64::MAX;
    for last in (0..TRIES).rev() {
        let mut client = Reporting::start(&home, interpreter, script, word);
        let begun = client.next();
        assert_eq!(begun["tools"], json!(["sign_in"]), "the client began with {begun}");
        quickest = quickest.min(begun["handshake_ms"].as_f64().unwrap());
        if last > 0 {
            continue;
        }
        person.signs_in();
        let ended = client.next();
        assert_eq!((&ended["ok"], &ended["sign_in"]["is_error"]), (&json!(true), &json!(false)), "{ended}");
        let tools = ended["tools"].as_array().unwrap();
        assert!(tools.iter().any(|tool| tool == ECHO.0) && !tools.contains(&json!("sign_in")), "{tools:?}");
        assert_eq!(ended["results"][0]["text"], "Echo: hello");
    }
    assert!(quickest < 1000.0, "the quickest of {TRIES} handshakes took {quickest} ms");
    assert_eq!(home.visits(), 1, "one sign-in page for all of it");
    assert!(core.stop(&home).success());
    home.assert_no_secret(&company.secrets());
}

#[test]
fn the_typescript_sdk_signs_in_by_the_tool_and_gets_the_others() {
    signs_in_by_the_tool(&parts::node(), "client_sign_in.mjs", "sdk");
}

#[test]
fn the_new_typescript_client_signs_in_by_the_tool_and_gets_the_others() {
    signs_in_by_the_tool(&parts::node(), "client_sign_in.mjs", "client");
}

#[test]
fn the_python_client_signs_in_by_the_tool_and_gets_the_others() {
    signs_in_by_the_tool(&parts::python(), "client_sign_in.py", "stdio");
}

#[test]
fn a_client_that_asks_for_the_modern_era_signs_in_by_the_tool_and_gets_the_others() {
    signs_in_by_the_tool(&parts::node(), "client_sign_in.mjs", "auto");
}
