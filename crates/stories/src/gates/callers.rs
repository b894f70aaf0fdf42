//! Clients at the HTTP door that outlive the core: their key and its port stay, and a core that is gone is no surprise.

use std::io::{self, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::core::Home;
use crate::http::{self, Answer};

const CALL: &str =
    r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo","arguments":{"text":"still here"}}}"#;

/// A client with a key.
#[derive(Clone)]
pub struct Caller {
    url: String,
    authorization: String,
}

impl Caller {
    /// Registers a client while a core runs in this home.
    pub fn register(home: &Home, name: &str, server: &str) -> Self {
        let added = home.keybearer(&["clients", "add", name, "--json"]).json();
        let status = home.keybearer(&["status", "--json"]).json();
        let door = status["http_door"]["addresses"][0].as_str().unwrap_or_else(|| panic!("no HTTP door: {status}"));
        Self {
            url: format!("{door}/mcp/{server}"),
            authorization: format!("Bearer {}", added["key"].as_str().unwrap()),
        }
    }

    /// Registers another client at the same door.
    pub fn beside(&self, home: &Home, name: &str) -> Self {
        let added = home.keybearer(&["clients", "add", name, "--json"]).json();
        Self { url: self.url.clone(), authorization: format!("Bearer {}", added["key"].as_str().unwrap()) }
    }

    /// Calls a tool. An error means that no whole answer came.
    ///
    /// # Errors
    /// When the core is gone, or goes meanwhile.
    pub fn call(&self) -> io::Result<Answer> {
        let (door, bytes) = self.request();
        http::exchange(door, &bytes)
    }

    /// Calls a tool and hangs up after a while, whatever has come by then.
    pub fn call_and_leave(&self, after: Duration) {
        let (door, bytes) = self.request();
        let Ok(mut stream) = TcpStream::connect(door) else { return };
        let _ = stream.write_all(&bytes);
        std::thread::park_timeout(after);
    }

    fn request(&self) -> (&str, Vec<u8>) {
        let fields = [
            ("Content-Type", "application/json"),
            ("Accept", "application/json, text/event-stream"),
            ("MCP-Protocol-Version", "2025-11-25"),
            ("Authorization", self.authorization.as_str()),
        ];
        http::written("POST", &self.url, &fields, CALL.as_bytes())
    }
}

/// Whether a call came back with what the tool says.
pub fn worked(answer: &io::Result<Answer>) -> bool {
    answer.as_ref().is_ok_and(|answer| answer.status == 200 && answer.text().contains("still here"))
}
