//! The Inspector's command line: one process a question.

use serde_json::Value;

use crate::{Desk, ECHO};

const SCRIPT: &str = "@modelcontextprotocol/inspector/clients/launcher/build/index.js";

impl Desk {
    /// Asks one thing of the server that `target` names, and returns the result.
    #[track_caller]
    fn inspect(&mut self, target: &[String], question: &[&str]) -> Value {
        let mut command = self.node(SCRIPT);
        command.arg("--cli").args(target).args(question);
        let printed = self.run(command);
        serde_json::from_str(&printed).unwrap_or_else(|error| panic!("no JSON ({error}): {printed}"))
    }
}

#[test]
fn the_inspector_uses_a_protected_server_at_both_doors() {
    let mut desk = Desk::new();
    let key = format!("Authorization: {}", desk.keyed.authorization());
    let url = desk.keyed.url("everything").to_owned();
    let http = [url, "--transport".into(), "http".into(), "--header".into(), key];
    let [program, stdio, server] = Desk::bridge().map(|word| word.into_string().unwrap());
    let home = format!("KEYBEARER_HOME={}", desk.home.path().display());
    let bridge = [program, stdio, server, "-e".into(), home];
    for target in [&http, &bridge] {
        let listed = desk.inspect(target, &["--method", "tools/list"]);
        assert!(listed["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == ECHO.0), "{listed}");
        let call = ["--method", "tools/call", "--tool-name", ECHO.0, "--tool-arg", "message=hello"];
        let called = desk.inspect(target, &call);
        assert_eq!(called["content"][0]["text"], "Echo: hello");
    }
    desk.home.assert_recorded("tools/call", 2);
    desk.end();
}
