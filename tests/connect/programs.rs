//! The clients themselves read what was written for them: the programs, or their makers' own validators.

use std::process::Command;

use keybearer_stories::parts;
use serde_json::Value;

use crate::{Person, tools};

/// A folder of `tests/parts/node_modules`.
fn module(name: &str) -> std::path::PathBuf {
    parts::root().join("tests/parts/node_modules").join(name)
}

impl Person {
    fn node(&self, script: impl AsRef<std::ffi::OsStr>, words: &[&str]) -> Command {
        let mut command = self.home.command(parts::node());
        command.arg(script).args(words);
        command
    }

    /// Claude Code, without an account and without a word to anybody outside.
    fn claude_code(&self, words: &[&str]) -> Command {
        let installed = std::fs::read_dir(module("@anthropic-ai")).unwrap();
        let mut installed = installed.map(|entry| entry.unwrap().path().join("claude"));
        let mut command = self.home.command(installed.find(|program| program.is_file()).expect("Claude Code"));
        for name in ["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "DISABLE_AUTOUPDATER", "DISABLE_TELEMETRY"] {
            command.env(name, "1");
        }
        command.args(words);
        command
    }
}

#[test]
fn claude_code_connects_by_what_was_written() {
    let person = Person::new();
    person.write(".claude.json", "{\n  \"numStartups\": 3\n}");
    let mut keys = Vec::new();
    for transport in ["stdio", "http"] {
        assert!(tools(&person.connect("claude-code", &["--transport", transport])) > 5);
        let printed = person.run(person.claude_code(&["mcp", "list"]));
        let line = printed.lines().find(|line| line.starts_with("everything:")).unwrap_or_else(|| panic!("{printed}"));
        assert!(line.ends_with("Connected"), "{printed}");
        let settings: Value = serde_json::from_str(&person.read(".claude.json")).unwrap();
        if let Some(header) = settings["mcpServers"]["everything"]["headers"]["Authorization"].as_str() {
            keys.push(header.trim_start_matches("Bearer ").to_owned());
        }
        // It has written its file anew meanwhile.
        person.disconnect("claude-code");
        let left: Value = serde_json::from_str(&person.read(".claude.json")).unwrap();
        assert!(left["mcpServers"]["everything"].is_null() && left["numStartups"].is_number(), "{left}");
    }
    person.end(&keys);
}

#[test]
fn gemini_connects_by_what_was_written() {
    let person = Person::new();
    let mine = "{\n  // mine\n  \"security\": { \"folderTrust\": { \"enabled\": false } },\n  \"mcp\": { \"allowed\": [\"other\"] }\n}\n";
    person.write(".gemini/settings.json", mine);
    for transport in ["stdio", "http"] {
        assert!(tools(&person.connect("gemini-cli", &["--transport", transport])) > 5);
        let gemini = module("@google/gemini-cli/bundle/gemini.js");
        let mut listing = person.node(gemini, &["mcp", "list"]);
        listing.env("NO_COLOR", "1").env("GEMINI_TELEMETRY_ENABLED", "false");
        let printed = person.run(listing);
        let line = printed.lines().find(|line| line.contains("everything:")).unwrap_or_else(|| panic!("{printed}"));
        assert!(line.trim_end().ends_with("- Connected"), "{printed}");
        assert_eq!(person.disconnect("gemini-cli"), ["restored"]);
    }
    assert_eq!(person.read(".gemini/settings.json"), mine);
    person.end(&[]);
}

#[test]
fn librechat_accepts_what_was_written() {
    let person = Person::new();
    let mine = "version: 1.2.1\ncache: true\n\nmcpSettings:\n  allowedDomains:\n    - example.com # mine\n";
    person.write("chat/librechat.yaml", mine);
    let folder = person.path("chat").display().to_string();
    for placement in ["native", "docker-desktop"] {
        person.connect("librechat", &["--file", &folder, "--placement", placement]);
        let yaml = person.path("chat/librechat.yaml").display().to_string();
        let read: Value =
            serde_json::from_str(&person.run(person.node(parts::script("librechat.mjs"), &[&yaml]))).unwrap();
        assert_eq!(read["success"], true, "{read}");
        let entry = &read["data"]["mcpServers"]["everything"];
        assert_eq!(
            (entry["type"].as_str(), entry["timeout"].as_u64()),
            (Some("streamable-http"), Some(120_000)),
            "{read}"
        );
        let url = entry["url"].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap().split('/').next().unwrap();
        assert_eq!(read["data"]["mcpSettings"]["allowedAddresses"][0], address, "{read}");
        assert_eq!(read["data"]["mcpSettings"]["allowedDomains"][0], format!("http://{address}"), "{read}");
        assert_eq!(person.disconnect("librechat"), ["restored", "removed"]);
        assert_eq!(person.read("chat/librechat.yaml"), mine);
    }
    person.end(&[]);
}

#[test]
fn the_bundle_is_one() {
    let person = Person::new();
    let file = person.path("keybearer.mcpb");
    let written = person.keybearer(&["connect", "claude-desktop", "--bundle", &file.display().to_string(), "--json"]);
    assert!(written.status.success(), "{written:?}");
    let unpacked = person.path("unpacked");
    let (file, folder) = (file.display().to_string(), unpacked.display().to_string());
    let mcpb = module("@anthropic-ai/mcpb/dist/cli/cli.js");
    person.run(person.node(&mcpb, &["unpack", &file, &folder]));
    let printed = person.run(person.node(&mcpb, &["validate", &format!("{folder}/manifest.json")]));
    assert!(printed.contains("valid"), "{printed}");
    // What it would start is there, and is Keybearer.
    let mut bridge = person.home.command(unpacked.join("server/keybearer"));
    bridge.arg("--version");
    assert!(person.run(bridge).starts_with("keybearer "));
    person.refused(&["connect", "cursor", "--bundle", &file], "bad_request");
    person.end(&[]);
}
