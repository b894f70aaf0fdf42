//! The programs that people use, as they are, at both doors of a Keybearer that has signed in for them: they list a
//! server's tools and call them, and hold no secret of the company's afterwards. What the official libraries do over a
//! sign-in stands in real_parts.rs.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::expect_used, clippy::disallowed_methods, reason = "a story starts the programs that it is about")]

#[path = "clients/assistant.rs"]
mod assistant;
#[path = "clients/inspector.rs"]
mod inspector;
#[path = "clients/signing_in.rs"]
mod signing_in;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use keybearer_stories::clients::{Keyed, Official, ToolCall};
use keybearer_stories::company::Company;
use keybearer_stories::core::{Core, Home, keybearer};
use keybearer_stories::{parts, search};
use serde_json::Value;
use tempfile::TempDir;

const ECHO: ToolCall<'_> = ("echo", r#"{"message":"hello"}"#);
const LONG: ToolCall<'_> = ("trigger-long-running-operation", r#"{"duration":2,"steps":4}"#);

/// Somebody's desk: a company, a Keybearer that has signed in there, and a folder for what other programs keep.
struct Desk {
    company: Company,
    home: Home,
    core: Core,
    keyed: Keyed,
    kept: TempDir,
    /// What programs printed.
    told: String,
}

impl Desk {
    fn new() -> Self {
        let company = Company::open();
        let mut home = Home::new(&company.config("memory"));
        let kept = tempfile::Builder::new().prefix("kb").tempdir().unwrap();
        home.set("HOME", kept.path());
        let core = Core::start(&home);
        let keyed = Keyed::register(&home, "desk");
        home.keybearer(&["login", "everything", "--json"]).json();
        Self { company, home, core, keyed, kept, told: String::new() }
    }

    /// What `keybearer` is to a program that starts it: the words of its command line.
    fn bridge() -> [OsString; 3] {
        [keybearer().into(), "stdio".into(), "everything".into()]
    }

    /// A program of npm's, by the path of its script.
    fn node(&self, script: &str) -> Command {
        let mut command = self.home.command(parts::node());
        command.arg(module(script));
        command
    }

    /// Runs a program to its end and returns what it printed.
    #[track_caller]
    fn run(&mut self, command: Command) -> String {
        let ended = parts::end_of(command);
        self.told.push_str(&ended.out);
        self.told.push_str(&ended.err);
        assert!(ended.status.success(), "it ended with {}: {} {}", ended.status, ended.out, ended.err);
        ended.out
    }

    /// What a library reported of `ECHO` and `LONG`.
    #[track_caller]
    fn has_used(&mut self, report: &Value) {
        self.told.push_str(&report.to_string());
        let tools = report["tools"].as_array().unwrap();
        assert!(tools.iter().any(|tool| tool == ECHO.0), "no `{}` among {tools:?}", ECHO.0);
        assert_eq!(report["results"][0]["text"], "Echo: hello");
        let steps = report["results"][1]["progress"].as_u64().unwrap();
        assert!((3..=4).contains(&steps), "four steps were to be told: {report}");
    }

    /// What holds at the end of every story: nothing of the company's is in anybody's hands.
    #[track_caller]
    fn end(self) {
        let secrets = self.company.secrets();
        search::assert_not_in("what programs printed", &self.told, &secrets);
        search::assert_nowhere(self.home.path(), &secrets);
        if !search::files(self.kept.path()).is_empty() {
            search::assert_nowhere(self.kept.path(), &secrets);
        }
        let seen = self.company.guard.ask("/__seen").to_string();
        assert!(self.keyed.traces().iter().all(|trace| !seen.contains(trace)), "the client's key went to the server");
        assert!(self.core.stop(&self.home).success());
    }
}

/// A file of an npm package.
fn module(path: &str) -> PathBuf {
    parts::script("node_modules").join(path)
}

#[test]
fn fastmcp_uses_a_protected_server_at_both_doors() {
    let mut desk = Desk::new();
    let report = Official::FastMcp.over_http(&desk.home, &desk.keyed, "everything", &[ECHO, LONG]);
    desk.has_used(&report);
    let report = Official::FastMcp.over_stdio(&desk.home, "everything", &[ECHO, LONG]);
    desk.has_used(&report);
    desk.home.assert_recorded("tools/call", 4);
    desk.end();
}

/// For programs that can start a server and no more: mcp-remote on the client's side, our HTTP door on the other.
#[test]
fn mcp_remote_carries_a_stdio_client_to_the_http_door() {
    let mut desk = Desk::new();
    for client in [Official::TypeScriptSdk, Official::Python] {
        let mut program: Vec<OsString> = vec![parts::node().into(), module("mcp-remote/dist/proxy.js").into()];
        program.extend([desk.keyed.url("everything"), "--transport", "http-only", "--header"].map(Into::into));
        program.push(format!("Authorization: {}", desk.keyed.authorization()).into());
        let report = client.over_program(&desk.home, &program, &[ECHO, LONG]);
        desk.has_used(&report);
    }
    desk.home.assert_recorded("tools/call", 4);
    desk.end();
}
