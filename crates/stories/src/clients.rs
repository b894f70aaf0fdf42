//! The official MCP clients, at both doors.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::core::{Home, keybearer};
use crate::parts;

/// An official client library.
#[derive(Clone, Copy, Debug)]
pub enum Official {
    /// `@modelcontextprotocol/sdk`, which most TypeScript programs use.
    TypeScriptSdk,
    /// `@modelcontextprotocol/client`, its successor.
    TypeScriptClient,
    /// PyPI `mcp`.
    Python,
    /// PyPI `fastmcp`.
    FastMcp,
}

/// A tool and its arguments, as JSON.
pub type ToolCall<'a> = (&'a str, &'a str);

/// A client that is registered with a key.
#[derive(Debug)]
pub struct Keyed {
    /// Its key.
    pub key: String,
    urls: Vec<String>,
}

impl Keyed {
    /// Registers a client and learns its key.
    pub fn register(home: &Home, name: &str) -> Self {
        let told = home.keybearer(&["clients", "add", name, "--json"]).json();
        let urls = told["urls"].as_array().unwrap().iter().map(|url| url.as_str().unwrap().to_owned()).collect();
        Self { key: told["key"].as_str().unwrap().to_owned(), urls }
    }

    /// Where the client reaches a server.
    pub fn url(&self, server: &str) -> &str {
        let end = format!("/{server}");
        self.urls.iter().find(|url| url.ends_with(&end)).unwrap_or_else(|| panic!("no `{server}` in {:?}", self.urls))
    }

    /// What it sends to be known.
    pub fn authorization(&self) -> String {
        format!("Bearer {}", self.key)
    }

    /// What a server would see of its key: SHA-256 of the key, and of the header that carries it here.
    pub fn traces(&self) -> [String; 2] {
        [trace(&self.key), trace(&self.authorization())]
    }
}

/// How the token check tells of a header's value, or of a word in it.
pub fn trace(text: &str) -> String {
    format!("{:x}", Sha256::digest(text))
}

impl Official {
    /// Lists a server's tools and calls some, over HTTP with a key.
    #[track_caller]
    pub fn over_http(self, home: &Home, keyed: &Keyed, server: &str, calls: &[ToolCall<'_>]) -> Value {
        self.over_http_at(home, keyed.url(server), &keyed.authorization(), calls)
    }

    /// Lists the tools at a URL and calls some.
    #[track_caller]
    pub fn over_http_at(self, home: &Home, url: &str, authorization: &str, calls: &[ToolCall<'_>]) -> Value {
        let mut command = self.command(home, "http", Some(url), calls);
        command.env("HEADER", format!("Authorization: {authorization}"));
        done(parts::report_of(command))
    }

    /// Lists a server's tools and calls some, by starting `keybearer stdio`.
    #[track_caller]
    pub fn over_stdio(self, home: &Home, server: &str, calls: &[ToolCall<'_>]) -> Value {
        self.over_program(home, &[keybearer().into(), "stdio".into(), server.into()], calls)
    }

    /// Lists a server's tools and calls some, by starting any program that speaks MCP on its standard streams.
    #[track_caller]
    pub fn over_program(self, home: &Home, program: &[OsString], calls: &[ToolCall<'_>]) -> Value {
        let mut command = self.command(home, "stdio", None, calls);
        command.arg("--").args(program);
        done(parts::report_of(command))
    }

    fn command(self, home: &Home, door: &str, url: Option<&str>, calls: &[ToolCall<'_>]) -> Command {
        let (interpreter, script, words) = self.program(door);
        let mut command = home.command(interpreter);
        command.arg(script).args(words).args(url);
        for (tool, arguments) in calls {
            command.args(["--call", tool, arguments]);
        }
        command
    }

    fn program(self, door: &str) -> (PathBuf, PathBuf, [String; 1]) {
        let typescript =
            |library: &str| (parts::node(), parts::script(&format!("client_{door}.mjs")), [library.to_owned()]);
        match self {
            Self::TypeScriptSdk => typescript("sdk"),
            Self::TypeScriptClient => typescript("client"),
            Self::Python => (parts::python(), parts::script("client.py"), [door.to_owned()]),
            Self::FastMcp => (parts::python(), parts::script("client_fastmcp.py"), [door.to_owned()]),
        }
    }
}

#[track_caller]
fn done(report: Value) -> Value {
    assert_eq!(report["ok"], true, "the client failed: {report}");
    report
}
