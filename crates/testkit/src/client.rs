//! A small MCP client for tests: it keeps every byte that it receives.
//!
//! Over HTTP ([`http::HttpClient`]) and over lines, as at the two ends of a pipe ([`lines::LineClient`]).
//! It is lenient on purpose: what a door may send is judged by the test, not by a library.

pub mod answer;
pub mod http;
pub mod lines;

use serde_json::{Value, json};

/// The protocol version that the test client asks for.
pub const VERSION: &str = "2025-11-25";

/// The parameters of `initialize`.
fn hello(name: &str) -> Value {
    json!({
        "protocolVersion": VERSION,
        "capabilities": {},
        "clientInfo": { "name": name, "version": "1.0.0" },
    })
}
