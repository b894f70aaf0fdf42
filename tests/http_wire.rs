//! HTTP/1.1 below the messages, over raw sockets in both directions: framing cut at odd places, framing that is wrong,
//! and connections that end when they should not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]

#[path = "http_wire/connections.rs"]
mod connections;
#[path = "http_wire/from_clients.rs"]
mod from_clients;
#[path = "http_wire/from_servers.rs"]
mod from_servers;
#[path = "http_wire/half_closed.rs"]
mod half_closed;

use keybearer_stories::house::{ALLOW_ALL, App, House};
use keybearer_stories::raw_upstream::{RawUpstream, Reading, Saying};

/// A house with one server below HTTP.
struct Yard {
    house: House,
    upstream: RawUpstream,
    app: App,
}

impl Yard {
    /// The server reads whole requests; `script` says what it answers to which.
    fn with(script: impl Fn(usize) -> Saying + Send + Sync + 'static) -> Self {
        let upstream = RawUpstream::start(Reading::Whole, script);
        let house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", upstream.url()));
        let app = house.client("chat-app", &[]);
        Self { house, upstream, app }
    }

    /// The bodies of the requests that the server was sent.
    fn bodies(&self) -> Vec<String> {
        let text = |request: &Vec<u8>| String::from_utf8(request.clone()).unwrap();
        let body = |text: String| text.split_once("\r\n\r\n").unwrap().1.to_owned();
        self.upstream.requests().iter().map(text).map(body).collect()
    }

    /// How the calls ended, by the audit trail; the house is closed by it.
    fn outcomes(&mut self) -> Vec<String> {
        let word = |record: serde_json::Value| record["outcome"].as_str().unwrap().to_owned();
        self.house.recorded_calls().into_iter().map(word).collect()
    }
}

/// A call of a tool with this id.
fn call(id: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"get_account"}}}}"#)
}

/// What a server answers to every call.
const RESULT: &str = r#"{"jsonrpc":"2.0","id":1,"result":{"content":[],"isError":false}}"#;

/// The answer as most servers frame it.
fn plain() -> String {
    let length = RESULT.len();
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{RESULT}")
}

/// Bytes in chunks of this size, each with an extension, and trailers behind them.
fn chunked(bytes: &str, size: usize) -> String {
    let mut text = String::new();
    for piece in bytes.as_bytes().chunks(size) {
        let piece = std::str::from_utf8(piece).unwrap();
        text += &format!("{:X};odd=\"\\\" x\"\r\n{piece}\r\n", piece.len());
    }
    text + "000;last\r\nX-Trailing: one\r\nContent-Length: 7\r\n\r\n"
}
