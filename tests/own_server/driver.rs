//! An official client that stays connected and does what it is told.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use keybearer_stories::core::{Home, keybearer};
use keybearer_stories::house::House;
use keybearer_stories::parts;
use serde_json::{Value, json};

/// The longest wait for one deed.
const PATIENCE: Duration = Duration::from_secs(90);

/// A client library, in an era.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Library {
    /// `@modelcontextprotocol/sdk`.
    Sdk,
    /// `@modelcontextprotocol/client`, with sessions.
    Client,
    /// The same without.
    Modern,
}

/// All of them.
pub(crate) const LIBRARIES: [Library; 3] = [Library::Sdk, Library::Client, Library::Modern];

/// A connected client.
pub(crate) struct Driver {
    child: Child,
    input: ChildStdin,
    lines: Receiver<Value>,
}

impl Driver {
    /// Connects by starting `keybearer stdio`.
    pub(crate) fn stdio(home: &Home, library: Library) -> Self {
        let mut command = Self::command(home, library);
        command.arg("--").arg(keybearer()).arg("stdio");
        Self::start(command)
    }

    /// Connects over HTTP with a key.
    pub(crate) fn http(home: &Home, library: Library, door: &str, key: &str) -> Self {
        let mut command = Self::command(home, library);
        command.arg(format!("http://{door}/mcp")).env("HEADER", format!("Authorization: Bearer {key}"));
        Self::start(command)
    }

    fn command(home: &Home, library: Library) -> Command {
        let mut command = home.command(parts::node());
        let word = match library {
            Library::Sdk => "sdk",
            Library::Client => "client",
            Library::Modern => "modern",
        };
        command.arg(parts::script("own_client.mjs")).arg(word);
        command
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines() {
                let Ok(Ok(line)) = line.map(|line| serde_json::from_str(&line)) else { return };
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let driver = Self { input: child.stdin.take().unwrap(), child, lines };
        assert_eq!(driver.told()["done"], "keybearer");
        driver
    }

    /// Does something and tells what came of it.
    #[track_caller]
    pub(crate) fn does(&mut self, what: &str, with: Value) -> Value {
        let told = self.tries(what, with);
        assert!(told.get("failed").is_none(), "`{what}` failed: {told}");
        told["done"].clone()
    }

    /// The same; it may fail.
    #[track_caller]
    pub(crate) fn tries(&mut self, what: &str, with: Value) -> Value {
        let mut line = with;
        line["do"] = what.into();
        writeln!(self.input, "{line}").unwrap();
        self.told()
    }

    /// Calls a tool.
    #[track_caller]
    pub(crate) fn calls(&mut self, tool: &str, arguments: Value) -> Value {
        self.does("call", json!({ "tool": tool, "arguments": arguments }))
    }

    /// The names of the tools.
    #[track_caller]
    pub(crate) fn tools(&mut self) -> Vec<String> {
        names(&self.does("tools", json!({})))
    }

    /// Lists the tools again after each change of them, until one is there.
    #[track_caller]
    pub(crate) fn waits_for(&mut self, tool: &str) -> Vec<String> {
        loop {
            let since = self.does("changes", json!({}));
            let tools = self.tools();
            if tools.iter().any(|found| found == tool) {
                return tools;
            }
            self.does("changed", json!({ "since": since }));
        }
    }

    #[track_caller]
    fn told(&self) -> Value {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| panic!("the client says nothing: {error}"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Tells a story with every library at both doors.
pub(crate) fn each(house: &House, story: impl Fn(&mut Driver, Library)) {
    let app = house.client("app", &[]);
    for library in LIBRARIES {
        story(&mut Driver::stdio(&house.home, library), library);
        story(&mut Driver::http(&house.home, library, &app.door, &app.key), library);
    }
}

/// A list of texts.
pub(crate) fn names(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect()
}
