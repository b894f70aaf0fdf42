//! An official client that has started `keybearer stdio` and stays connected.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use serde_json::{Value, json};

use crate::core::{Home, keybearer};
use crate::parts;

/// The longest wait for what the client says.
const PATIENCE: Duration = Duration::from_secs(60);

/// The client.
pub struct LiveClient {
    child: Child,
    input: ChildStdin,
    said: Receiver<Value>,
}

impl LiveClient {
    /// Starts one on a library of `client.mjs`, and waits until it is connected.
    pub fn start(home: &Home, library: &str, server: &str) -> Self {
        let mut command = home.command(parts::node());
        command.arg(parts::script("client_live.mjs")).arg(library).arg("--").arg(keybearer()).args(["stdio", server]);
        Self::of(command)
    }

    /// The same of a prepared command, perhaps within another program.
    pub fn of(mut command: Command) -> Self {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (sender, said) = mpsc::channel();
        let out = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let client = Self { input: child.stdin.take().unwrap(), child, said };
        assert_eq!(client.says()["ready"], true);
        client
    }

    /// Lets it call a tool.
    pub fn call(&mut self, tool: &str) {
        writeln!(self.input, "{}", json!({ "name": tool, "arguments": {} })).unwrap();
    }

    /// What it says next.
    pub fn says(&self) -> Value {
        self.said.recv_timeout(PATIENCE).unwrap()
    }

    /// What came of the next call; changes of the tools are passed over, and counted.
    pub fn outcome(&self) -> (Value, usize) {
        let mut changes = 0;
        loop {
            let said = self.says();
            if said["changed"] != true {
                return (said, changes);
            }
            changes += 1;
        }
    }
}

impl Drop for LiveClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
