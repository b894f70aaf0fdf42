//! What only a process can show: exit codes, the one ready line, one core at a time, an end in good order.

#![expect(clippy::unwrap_used, reason = "tests")]
#![allow(clippy::disallowed_methods, reason = "tests start programs")]

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

/// Settings for a core that needs nobody and no keychain.
const QUIET: &str = "keystore = \"memory\"\nunknown = \"deny\"\n";

struct Home(tempfile::TempDir);

impl Home {
    fn with(settings: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("config.toml"), settings).unwrap();
        Self(home)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keybearer"));
        command.args(line.split(' ')).env("KEYBEARER_HOME", self.path()).env_remove("KEYBEARER_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn run(&self, line: &str) -> Output {
        self.command(line).output().unwrap()
    }

    #[track_caller]
    fn check(&self, line: &str, exit: i32, told: &str) {
        let output = self.run(line);
        let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(exit), "`keybearer {line}` said {out}{err}");
        assert!(out.contains(told) || err.contains(told), "`keybearer {line}` said {out}{err}");
    }

    fn serve(&self) -> Core<'_> {
        let mut child = self.command("serve --json").spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Core { home: self, child, ready: serde_json::from_str(&line).unwrap_or_default() }
    }
}

struct Core<'a> {
    home: &'a Home,
    child: Child,
    ready: Value,
}

impl Core<'_> {
    fn ended(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }
}

impl Drop for Core<'_> {
    fn drop(&mut self) {
        let _ = self.home.run("stop");
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn without_a_core_commands_say_so() {
    let home = Home::with(QUIET);
    home.check("status", 3, "hint: start it with `keybearer start`");
    let told: Value = serde_json::from_slice(&home.run("status --json").stdout).unwrap();
    assert_eq!(told["error"]["code"], "no_core");
    // Turning it off is no question of whether it runs.
    home.check("stop", 0, "turned off");
    home.check("status", 3, "hint: turn it on with `keybearer start`");
}

#[test]
fn a_command_line_without_sense_is_code_two() {
    let home = Home::with(QUIET);
    home.check("fly", 2, "unrecognized subcommand");
    home.check("stdio CRM", 2, "is not a server name");
    home.check("call crm find []", 2, "no JSON object");
    home.check("--version", 0, "keybearer");
    home.check("audit verify --help", 0, "Check that no record");
}

#[test]
fn every_problem_of_the_settings_is_told_and_no_core_starts() {
    let home = Home::with("keystore = \"drawer\"\n[servers.crm]\nurl = \"ftp://crm\"\n");
    for command in ["serve", "start", "stdio crm"] {
        home.check(command, 6, "config.toml:1: ");
        home.check(command, 6, "config.toml:3: ");
    }
    home.check("status", 3, "not running");
}

#[test]
fn a_core_is_ready_in_one_line_alone_in_its_home_and_ends_when_told() {
    let home = Home::with(QUIET);
    let mut core = home.serve();
    assert_eq!(core.ready["ready"], true);
    assert_eq!(core.ready["pid"], core.child.id());
    assert_eq!(core.ready["http"], serde_json::json!([]));
    assert!(core.ready["control"].as_str().is_some_and(|control| control.contains("control")));
    home.check("serve", 8, "already running");
    home.check("start", 0, "runs already");
    home.check("status", 0, "in memory only");
    home.check("stop", 0, "turned off");
    assert_eq!(core.ended(), Some(0));
    home.check("status", 3, "turned off");
}

#[test]
fn sigterm_is_an_end_in_good_order() {
    let home = Home::with(QUIET);
    let mut core = home.serve();
    let told = Command::new("kill").args(["-TERM", &core.child.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert_eq!(core.ended(), Some(0));
}

#[test]
fn a_command_that_needs_the_core_starts_it() {
    let home = Home::with(QUIET);
    home.check("servers list", 0, "No servers yet");
    home.check("status", 0, "Keybearer");
    home.check("stop", 0, "turned off");
    home.check("servers list", 3, "turned off");
    // The next one waits for the end of the one before.
    let core = home.serve();
    assert_eq!(core.ready["ready"], true);
}

#[test]
fn a_bridge_that_is_refused_says_why_and_ends_with_code_three() {
    let home = Home::with(QUIET);
    let _core = home.serve();
    home.check("stdio crm", 3, "crm");
    home.check("tools crm", 1, "crm");
}

#[test]
fn servers_and_clients_come_and_go() {
    let home = Home::with(QUIET);
    let _core = home.serve();
    home.check("servers add crm https://crm.example.com/mcp", 0, "✓ crm is added");
    home.check("servers add crm https://crm.example.com/mcp", 1, "error: ");
    home.check("servers add wiki ftp://wiki.example.com", 2, "error: ");
    home.check("servers show crm", 0, "https://crm.example.com/mcp");
    home.check("servers show wiki", 1, "there is no server `wiki`");
    home.check("clients add librechat --server wiki", 1, "wiki");
    let added: Value = serde_json::from_slice(&home.run("clients add librechat --json").stdout).unwrap();
    assert!(added["key"].as_str().is_some_and(|key| key.len() >= 43));
    assert!(added["urls"][0].as_str().is_some_and(|url| url.ends_with("/mcp/crm")), "{added}");
    let listed = home.run("clients list --json");
    assert!(!String::from_utf8_lossy(&listed.stdout).contains(added["key"].as_str().unwrap()));
    home.check("clients revoke librechat", 0, "✓ librechat is revoked");
    home.check("clients revoke librechat", 1, "librechat");
    home.check("servers remove crm", 0, "✓ crm is removed");
    home.check("servers list", 0, "No servers yet");
    home.check("audit verify", 0, "");
    home.check("audit tail", 0, "librechat");
}

#[test]
fn a_header_s_secret_comes_by_standard_input_and_goes_nowhere() {
    let home = Home::with(QUIET);
    let _core = home.serve();
    let line = "servers add files https://files.example.com/mcp --header X-API-Key --secret-stdin";
    let mut adding = home.command(line).stdin(Stdio::piped()).spawn().unwrap();
    adding.stdin.take().unwrap().write_all(b"cAnArY-of-the-header\n").unwrap();
    let told = adding.wait_with_output().unwrap();
    assert_eq!(told.status.code(), Some(0), "{}", String::from_utf8_lossy(&told.stderr));
    for file in ["config.toml", "state/core.log"] {
        let text = std::fs::read_to_string(home.path().join(file)).unwrap_or_default();
        assert!(!text.contains("cAnArY"), "the secret is in {file}");
    }
    home.check("servers show files", 0, "a header that is kept in the keychain");
    home.check("servers add more https://more.example.com/mcp --header X-API-Key --secret-stdin", 2, "is empty");
}
