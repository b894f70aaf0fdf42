//! A coding assistant that knows its servers from its own settings: Claude Code.

use std::process::Command;

use keybearer_stories::parts::Part;
use keybearer_stories::search;
use serde_json::Value;

use crate::{Desk, ECHO, module};

impl Desk {
    /// The assistant, without an account and without a word to anybody outside.
    fn assistant(&self, words: &[&str]) -> Command {
        let folder = module("@anthropic-ai");
        let mut installed = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path().join("claude"));
        let program = installed.find(|program| program.is_file()).expect("it is installed for this machine");
        let mut command = self.home.command(program);
        command.args(words).current_dir(self.kept.path());
        for name in ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY"] {
            command.env(name, "1");
        }
        command
    }

    /// Writes into the assistant's settings how it reaches the server.
    fn introduce_servers(&mut self) {
        let url = self.keyed.url("everything").to_owned();
        let key = format!("Authorization: {}", self.keyed.authorization());
        let add = ["mcp", "add", "--scope", "user"];
        let by_http = [&add[..], &["--transport", "http", "by-http", &url, "--header", &key]].concat();
        let by_http = self.assistant(&by_http);
        self.run(by_http);
        let home = format!("KEYBEARER_HOME={}", self.home.path().display());
        let mut by_stdio = self.assistant(&[&add[..], &["by-stdio", "--env", &home, "--"]].concat());
        by_stdio.args(Desk::bridge());
        self.run(by_stdio);
    }
}

/// The assistant knows one server by both doors, uses its tool for a model, and tells the model no secret: not the
/// company's, and not its own key either.
#[test]
fn claude_code_uses_a_protected_server_at_both_doors() {
    let mut desk = Desk::new();
    desk.introduce_servers();
    let looking = desk.assistant(&["mcp", "list"]);
    let printed = desk.run(looking);
    for name in ["by-http", "by-stdio"] {
        let line = printed.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{printed}"));
        assert!(line.ends_with("Connected"), "{printed}");
    }

    for name in ["by-http", "by-stdio"] {
        let tool = format!("mcp__{name}__{}", ECHO.0);
        let model = Part::start("model.mjs", &[("TOOL", &tool), ("INPUT", ECHO.1)]);
        let mut asking = desk.assistant(&["-p", "Use the tool", "--allowedTools", &tool, "--output-format", "json"]);
        asking.env("ANTHROPIC_BASE_URL", model.said("url")).env("ANTHROPIC_API_KEY", "any");
        // The model is told of every tool at once, and does not have to look for it.
        asking.env("ENABLE_TOOL_SEARCH", "false");
        let answered: Value = serde_json::from_str(&desk.run(asking)).unwrap();
        assert_eq!(answered["result"], "It said: Echo: hello", "{answered}");
        let told = model.ask("/__seen").to_string();
        assert!(told.contains("Echo: hello"));
        let mut secrets = desk.company.secrets();
        secrets.push(desk.keyed.key.clone());
        search::assert_not_in("what the model was told", &told, &secrets);
    }
    desk.home.assert_recorded("tools/call", 2);
    desk.end();
}
