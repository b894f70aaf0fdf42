//! What a client got for a request.

use http::{HeaderMap, StatusCode};
use serde_json::Value;

/// An answer: the JSON-RPC messages in it, and the bytes that they came as.
#[derive(Clone)]
pub struct Answer {
    /// The HTTP status; 200 for what came as lines.
    pub status: StatusCode,
    /// The header fields; none for what came as lines.
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Vec<u8>,
    /// Every message in it, in order: progress first, the response last.
    pub messages: Vec<Value>,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.status, String::from_utf8_lossy(&self.body))
    }
}

impl Answer {
    /// Reads the messages out of a body: one JSON value, or a stream of events.
    pub(super) fn read(status: StatusCode, headers: HeaderMap, body: Vec<u8>) -> Self {
        let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let messages = if kind.starts_with("text/event-stream") {
            events(&String::from_utf8_lossy(&body))
        } else {
            serde_json::from_slice(&body).into_iter().collect()
        };
        Self { status, headers, body, messages }
    }

    /// The response: the last message that is no notification.
    pub fn response(&self) -> Option<&Value> {
        self.messages.iter().rev().find(|message| !message["id"].is_null() || message["error"].is_object())
    }

    /// The result, if it is one.
    pub fn result(&self) -> Option<&Value> {
        self.response().map(|response| &response["result"]).filter(|result| !result.is_null())
    }

    /// The error, if it is one.
    pub fn error(&self) -> Option<&Value> {
        self.response().map(|response| &response["error"]).filter(|error| !error.is_null())
    }

    /// The error's number.
    pub fn code(&self) -> Option<i64> {
        self.error()?["code"].as_i64()
    }

    /// The text of a tool's result.
    pub fn text(&self) -> Option<&str> {
        self.result()?["content"][0]["text"].as_str()
    }

    /// The progress that was told before the result.
    pub fn progress(&self) -> Vec<&Value> {
        self.messages.iter().filter(|message| message["method"] == "notifications/progress").collect()
    }

    /// Whether `text` occurs in the body or in a header field.
    pub fn mentions(&self, text: &str) -> bool {
        self.body.windows(text.len()).any(|window| window == text.as_bytes())
            || self.headers.values().any(|value| String::from_utf8_lossy(value.as_bytes()).contains(text))
    }
}

fn events(stream: &str) -> Vec<Value> {
    let stream = stream.replace("\r\n", "\n");
    let data = stream.split("\n\n").map(|event| {
        let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    });
    data.filter_map(|data| serde_json::from_str(&data).ok()).collect()
}
