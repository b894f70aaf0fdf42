//! The MCP messages that load and upstream exchange.

use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};

/// The protocol's version in every handshake.
pub const VERSION: &str = "2025-11-25";

/// A request as the upstream reads it: borrowed, and no deeper than it must.
#[derive(Debug, Deserialize)]
pub struct Incoming<'a> {
    /// Absent in a notification.
    #[serde(borrow)]
    pub id: Option<&'a RawValue>,
    /// What is asked.
    pub method: &'a str,
    /// The tool and its arguments.
    #[serde(default)]
    pub params: Params,
}

/// What `tools/call` carries.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    /// The tool.
    pub name: String,
    /// Its arguments.
    pub arguments: Arguments,
    #[serde(rename = "_meta")]
    meta: Meta,
}

/// The arguments of all three tools.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Arguments {
    /// For `echo`.
    pub text: String,
    /// For `big`.
    pub bytes: usize,
    /// For `events`.
    pub count: u64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Meta {
    #[serde(rename = "progressToken")]
    token: Value,
}

/// What the upstream says to a request.
#[derive(Debug)]
pub enum Answer {
    /// Nothing: it was a notification.
    Accepted,
    /// One message.
    One(String),
    /// Progress, and then one message.
    Many {
        /// How many progress notifications.
        count: u64,
        /// The token that they carry.
        token: Value,
        /// The message at the end.
        last: String,
    },
}

/// The upstream's whole wisdom.
pub fn answer(request: &Incoming<'_>) -> Answer {
    let Some(id) = request.id.map(RawValue::get) else { return Answer::Accepted };
    let result = |result: &Value| format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#);
    let text = |text: &str| result(&json!({ "content": [{ "type": "text", "text": text }], "isError": false }));
    let arguments = &request.params.arguments;
    match (request.method, request.params.name.as_str()) {
        ("initialize", _) => Answer::One(result(&json!({
            "protocolVersion": VERSION,
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "keybearer-bench", "version": "1.0.0" },
        }))),
        ("tools/list", _) => Answer::One(result(&json!({ "tools": [tool("echo"), tool("big"), tool("events")] }))),
        ("tools/call", "echo") => Answer::One(text(&arguments.text)),
        ("tools/call", "big") => Answer::One(text(&"x".repeat(arguments.bytes))),
        ("tools/call", "events") => {
            Answer::Many { count: arguments.count, token: request.params.meta.token.clone(), last: text("done") }
        }
        _ => Answer::One(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":-32601,"message":"unknown"}}}}"#)),
    }
}

/// One progress notification.
pub fn progress(token: &Value, step: u64, of: u64) -> String {
    let params = json!({ "progressToken": token, "progress": step, "total": of });
    json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params }).to_string()
}

/// The first message of a session.
pub fn initialize() -> String {
    let client = json!({ "name": "keybearer-bench", "version": "1.0.0" });
    request(0, "initialize", &json!({ "protocolVersion": VERSION, "capabilities": {}, "clientInfo": client }))
}

/// The second message of a session.
pub fn initialized() -> String {
    json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()
}

/// A call of a tool, which asks for progress.
pub fn call(id: u64, tool: &str, arguments: &Value) -> String {
    request(id, "tools/call", &json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": id } }))
}

fn request(id: u64, method: &str, params: &Value) -> String {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

fn tool(name: &str) -> Value {
    json!({ "name": name, "description": name, "inputSchema": { "type": "object" } })
}
