//! An upstream's HTTP answer as lines for a stdio client (2025-11-25 transports; the newline is MCP's only framing there).

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap};
use http_body_util::BodyExt as _;
use keybearer_control::bridge::{NOTICE_MARK, Notice};
use keybearer_mcp::peek::{Kind, peek};
use keybearer_mcp::reply;
use keybearer_mcp::sse::Decoder;
use serde::Deserialize;
use tokio::sync::mpsc;

use crate::forward::Relay;

/// The largest answer that is held together as one line.
const LARGEST_LINE: usize = 256 << 20;

/// What kind of body an answer has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BodyKind {
    Json,
    EventStream,
    Other,
}

impl BodyKind {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let text = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        match text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/json" => Self::Json,
            "text/event-stream" => Self::EventStream,
            _ => Self::Other,
        }
    }
}

/// Where lines for the client go. Each is whole and ends with a line feed.
#[derive(Clone)]
pub(super) struct Outbox(mpsc::Sender<Bytes>);

impl Outbox {
    pub(super) fn new(sender: mpsc::Sender<Bytes>) -> Self {
        Self(sender)
    }

    /// Sends one message. Line breaks in JSON can only be white space between tokens: a space says the same.
    pub(super) async fn message(&self, message: &[u8]) {
        let message = message.trim_ascii();
        if message.is_empty() {
            return;
        }
        let mut line = BytesMut::with_capacity(message.len() + 1);
        line.extend(message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
        line.extend_from_slice(b"\n");
        // The client is gone: the session is about to end.
        let _ = self.0.send(line.freeze()).await;
    }

    /// Tells the bridge something that is not for its client.
    pub(super) async fn notice(&self, notice: Notice) {
        let _ = self.0.send(notice_line(notice)).await;
    }
}

/// A line of ours for the bridge, which does not pass it on.
pub(super) fn notice_line(notice: Notice) -> Bytes {
    let mut line = vec![NOTICE_MARK];
    line.extend(serde_json::to_vec(&notice).unwrap_or_default());
    line.push(b'\n');
    line.into()
}

/// What a stream of events left behind.
#[derive(Debug, Default)]
pub(super) struct Followed {
    /// The id to resume from.
    pub(super) last_id: Option<String>,
    /// How many milliseconds the server asks to wait before coming again.
    pub(super) retry: Option<u64>,
    /// An answer to the request was among the messages.
    pub(super) answered: bool,
}

/// Delivers each event's message as it comes.
pub(super) async fn follow(mut relay: Relay, request_id: Option<&str>, out: &Outbox) -> Followed {
    let mut decoder = Decoder::new();
    let mut followed = Followed::default();
    while let Some(Ok(frame)) = relay.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let Ok(events) = decoder.feed(&data) else { break };
        for event in events {
            followed.last_id = event.id.or(followed.last_id);
            followed.retry = event.retry.or(followed.retry);
            if !event.data.is_empty() {
                followed.answered |= request_id.is_some_and(|id| answers(&event.data, id));
                out.message(&event.data).await;
            }
        }
    }
    followed
}

/// Reads an answer that is one JSON text. `None`: it broke off or was too large.
pub(super) async fn whole(mut relay: Relay) -> Option<Bytes> {
    let mut body = BytesMut::new();
    while let Some(frame) = relay.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if body.len() + data.len() > LARGEST_LINE {
            return None;
        }
        body.extend_from_slice(&data);
    }
    Some(body.freeze())
}

/// Whether `message` answers the request `id` (both as JSON text).
pub(super) fn answers(message: &[u8], id: &str) -> bool {
    peek(message).is_ok_and(|peeked| matches!(peeked.kind, Kind::Response { id: answered } if answered == id))
}

/// The error that a stdio client gets for an HTTP error, under its own id: a server that could not read the request
/// answers with another id or with none, and the client would wait for ever.
pub(super) fn readdressed(id: &str, method: &str, body: &[u8]) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Failed {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        code: i64,
        message: String,
    }
    let failed: Option<Failed> = serde_json::from_slice(body).ok();
    match failed {
        Some(Failed { error }) => Some(reply::error(id, error.code, "upstream_error", &error.message)),
        // A client that asks whether the server is of the new era takes this for a no, and goes on with `initialize`.
        None if method == "server/discover" => {
            Some(reply::error(id, -32601, "method_not_found", "the server does not know `server/discover`"))
        }
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_answer_counts() {
        assert!(answers(br#"{"jsonrpc":"2.0","id":7,"result":{}}"#, "7"));
        assert!(!answers(br#"{"jsonrpc":"2.0","id":"7","result":{}}"#, "7"));
        assert!(!answers(br#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, "7"));
    }

    #[test]
    fn a_server_s_error_comes_back_under_the_clients_id() {
        let told = readdressed(
            "3",
            "tools/list",
            br#"{"jsonrpc":"2.0","id":"server-error","error":{"code":-32600,"message":"no"}}"#,
        );
        assert!(
            String::from_utf8(told.unwrap())
                .unwrap()
                .starts_with(r#"{"jsonrpc":"2.0","id":3,"error":{"code":-32600,"message":"no""#)
        );
        assert!(readdressed("3", "tools/list", b"<html>").is_none());
        assert!(String::from_utf8(readdressed("3", "server/discover", b"<html>").unwrap()).unwrap().contains("-32601"));
    }

    #[tokio::test]
    async fn a_pretty_printed_answer_becomes_one_line() {
        let (sender, mut receiver) = mpsc::channel(1);
        Outbox::new(sender).message(b"{\r\n  \"a\": \"x\\ny\"\n}\n").await;
        assert_eq!(receiver.recv().await.unwrap(), &b"{    \"a\": \"x\\ny\" }\n"[..]);
    }
}
