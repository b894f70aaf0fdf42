//! Who a program is: what started the bridge, from which file, and what that file was when it was registered.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "a client's program is started, and waited for by the clock on the wall")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use keybearer_stories::core::keybearer;
use keybearer_stories::house::House;
use keybearer_testkit::upstream::FakeUpstream;
use serde_json::{Value, json};

const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_account"}}"#;

/// A client of this name may do everything, and nobody is there to ask about another.
const RULE: &str = "[[rules]]\neffect = \"allow\"\nclient = \"desk-app\"\nserver = \"crm\"\n";

/// A program of the user that starts what it is told to and stays its parent: a copy of `timeout` under another name.
const STARTER: &str = "/usr/bin/timeout";

async fn house() -> (House, FakeUpstream) {
    let upstream = FakeUpstream::open().await.unwrap();
    let house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{RULE}", upstream.url()));
    (house, upstream)
}

/// A process that stands between the test and the bridge, with the pipes of the bridge.
struct Started(Child, Option<ChildStdin>);

impl Started {
    fn by(house: &House, program: &Path, arguments: &[&str]) -> Self {
        let bridge = keybearer();
        let arguments = arguments.iter().map(|word| word.replace("BRIDGE", bridge.to_str().unwrap()));
        let mut command: Command = house.home.command(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = loop {
            match command.spawn() {
                // Another test's process, just begun, holds a fresh copy open for writing until it executes.
                Err(cause) if cause.kind() == std::io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                begun => break begun.unwrap(),
            }
        };
        let input = child.stdin.take();
        Self(child, input)
    }

    /// Sends one call and returns what the client reads for it.
    fn call(mut self) -> Value {
        let mut input = self.1.take().unwrap();
        input.write_all(format!("{CALL}\n").as_bytes()).unwrap();
        let mut line = String::new();
        BufReader::new(self.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
        drop(input);
        self.0.wait().unwrap();
        serde_json::from_str(&line).unwrap_or_else(|_| panic!("no answer: {line}"))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether the call went through, or nobody was there to ask about a program that is unknown.
#[track_caller]
fn is_known(answer: &Value) -> bool {
    match (answer.get("result"), answer["error"]["data"]["code"].as_str()) {
        (Some(_), None) => true,
        (None, Some("nobody_to_ask")) => false,
        _ => panic!("{answer}"),
    }
}

fn starter(folder: &Path, name: &str, more: &[u8]) -> PathBuf {
    let program = folder.join(name);
    let beside = folder.join(format!("{name}.new"));
    std::fs::copy(STARTER, &beside).unwrap();
    if !more.is_empty() {
        std::fs::OpenOptions::new().append(true).open(&beside).unwrap().write_all(more).unwrap();
    }
    // As an updater does it: the file is another one, the path is the same.
    std::fs::rename(&beside, &program).unwrap();
    program
}

fn by_starter(house: &House, program: &Path) -> bool {
    is_known(&Started::by(house, program, &["--foreground", "60", "BRIDGE", "stdio", "crm"]).call())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_starts_is_not_that_client() {
    let (mut house, _upstream) = house().await;
    let me = std::env::current_exe().unwrap();
    house.run(&["clients", "add", "desk-app", "--program", me.to_str().unwrap(), "--json"]).json();
    let direct = Started::by(&house, &keybearer(), &["stdio", "crm"]);
    assert!(is_known(&direct.call()));
    for script in ["'BRIDGE' stdio crm; true", "exec -a desk-app sh -c \"'BRIDGE' stdio crm; true\""] {
        let shell = Started::by(&house, Path::new("/bin/bash"), &["-c", script]);
        assert!(!is_known(&shell.call()), "{script}");
    }
    // One that becomes the bridge is gone: what started it is what counts.
    let exec = Started::by(&house, Path::new("/bin/bash"), &["-c", "exec -a claude 'BRIDGE' stdio crm"]);
    assert!(is_known(&exec.call()));
    // A launcher that only root can change is no name either.
    let launcher = Started::by(&house, Path::new(STARTER), &["--foreground", "60", "BRIDGE", "stdio", "crm"]);
    assert!(!is_known(&launcher.call()));
    let calls = house.recorded_calls();
    let shell = std::fs::canonicalize("/bin/bash").unwrap();
    assert_eq!(calls.len(), 5);
    let (known, unknown) = (&calls[0], &calls[1]);
    assert_eq!(known["client"], "desk-app");
    assert_eq!(known["program"], json!(me));
    assert!(known["attribution"] == "medium" && known["started_by"].is_array(), "{known}");
    assert_eq!((&unknown["client"], &unknown["program"]), (&Value::Null, &json!(shell)), "{unknown}");
    assert_eq!((&unknown["attribution"], &unknown["started_by"][0]), (&json!("weak"), &json!(me)), "{unknown}");
    assert_eq!((&calls[4]["attribution"], &calls[4]["program"]), (&json!("weak"), &json!(STARTER)), "{}", calls[4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_or_a_link_of_a_client_is_not_that_client_and_a_link_to_it_is() {
    let (house, _upstream) = house().await;
    let folder = house.home.path().join("bin");
    let program = starter(&folder, "desk-app", b"");
    house.run(&["clients", "add", "desk-app", "--program", program.to_str().unwrap(), "--json"]).json();
    assert!(by_starter(&house, &program));
    let link = folder.join("link");
    std::os::unix::fs::symlink(&program, &link).unwrap();
    assert!(by_starter(&house, &link), "a link leads to the program itself");
    let copy = starter(&folder, "copy", b"");
    assert!(!by_starter(&house, &copy), "a copy is another file, in another place");
    let other = folder.join("other");
    std::fs::create_dir(&other).unwrap();
    assert!(!by_starter(&house, &starter(&other, "desk-app", b"")), "the name of the file is no name");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_program_is_unknown_until_it_is_registered_again_or_is_itself_again() {
    let (mut house, _upstream) = house().await;
    let program = starter(&house.home.path().join("bin"), "desk-app", b"");
    let add = ["clients", "add", "desk-app", "--program", program.to_str().unwrap(), "--json"];
    house.run(&add).json();
    assert!(by_starter(&house, &program));
    // The same content in another file: taken for the client as soon as its hash is known.
    starter(program.parent().unwrap(), "desk-app", b"");
    until(|| by_starter(&house, &program));
    starter(program.parent().unwrap(), "desk-app", b"something else");
    assert!(!by_starter(&house, &program));
    until(|| problem(&house).contains("the program of `desk-app` is not the one that was registered"));
    assert!(!by_starter(&house, &program));
    // It is found out, too, if it happens while no core runs.
    house.restart();
    until(|| problem(&house).contains("`desk-app`"));
    starter(program.parent().unwrap(), "desk-app", b"");
    until(|| by_starter(&house, &program));
    assert_eq!(problem(&house), "");
    starter(program.parent().unwrap(), "desk-app", b"a new version");
    house.run(&["clients", "revoke", "desk-app", "--json"]).json();
    house.run(&add).json();
    assert!(by_starter(&house, &program));
    house.stop();
    let changed: Vec<_> = house.home.audit().into_iter().filter(|told| told["event"] == "program_changed").collect();
    assert_eq!(changed.len(), 2, "{changed:?}");
    assert!(changed.iter().all(|told| told["client"] == "desk-app" && told["sha256"].as_str().unwrap().len() == 64));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_script_cannot_be_registered_as_a_program() {
    let (house, _upstream) = house().await;
    let script = house.home.path().join("bin/desk-app");
    std::fs::write(&script, "#!/bin/sh\n").unwrap();
    let refused = house.run(&["clients", "add", "desk-app", "--program", script.to_str().unwrap()]);
    assert!(!refused.status.success() && refused.err.contains("it is a script"), "{refused:?}");
    let folder = house.run(&["clients", "add", "desk-app", "--program", "/usr"]);
    assert!(!folder.status.success(), "{folder:?}");
    assert_eq!(house.run(&["status", "--json"]).json()["clients"], json!([]));
}

/// What the status says is wrong.
fn problem(house: &House) -> String {
    let status = house.run(&["status", "--json"]).json();
    status["problems"].as_array().unwrap().iter().filter_map(|problem| problem["message"].as_str()).collect()
}

/// Tries until it is so: hashes are computed beside.
#[track_caller]
fn until(so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(30);
    while !so() {
        assert!(Instant::now() < end, "it does not become so");
    }
}
