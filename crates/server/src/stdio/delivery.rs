//! An upstream's HTTP answer as lines for a stdio client (2025-11-25 transports; the newline is MCP's only framing there).

use std::collections::BTreeSet;

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, HeaderMap};
use http_body_util::BodyExt as _;
use keybearer_mcp::envelope::{Envelope, Seen};
use keybearer_mcp::peek::{Kind, peek};
use keybearer_mcp::reply;
use keybearer_mcp::sse::Decoder;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::outbox::Outbox;
use crate::forward::Relay;

/// The largest answer that is held together before its first byte goes on.
pub(super) const LARGEST_HELD: usize = 8 << 20;

/// An answer that is longer than this goes on as it comes.
const LONG: usize = 256 << 10;

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

/// Where the answer to a request goes.
pub(super) enum AnswerTo {
    /// To the client like every other message.
    Client,
    /// To whoever asked for it inside.
    Inside(Option<oneshot::Sender<Bytes>>),
}

/// Delivers each event's message as it comes, and the answer to `request_id` where it belongs.
pub(super) async fn follow(
    mut relay: Relay,
    request_id: Option<&str>,
    mut answer_to: AnswerTo,
    out: &Outbox,
) -> Followed {
    let mut decoder = Decoder::new();
    let mut followed = Followed::default();
    while let Some(Ok(frame)) = relay.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let Ok(events) = decoder.feed(&data) else { break };
        for event in events {
            followed.last_id = event.id.or(followed.last_id);
            followed.retry = event.retry.or(followed.retry);
            if event.data.is_empty() {
                continue;
            }
            let is_answer = request_id.is_some_and(|id| answers(&event.data, id));
            followed.answered |= is_answer;
            match &mut answer_to {
                AnswerTo::Inside(asked) if is_answer => {
                    let _ = asked.take().map(|asked| asked.send(event.data.into()));
                }
                AnswerTo::Inside(_) | AnswerTo::Client => out.message(&event.data).await,
            }
        }
    }
    followed
}

/// Delivers each event's messages as they come, and strikes off what they answer.
pub(super) async fn follow_all(mut relay: Relay, open: &mut BTreeSet<String>, out: &Outbox) {
    let mut decoder = Decoder::new();
    while let Some(Ok(frame)) = relay.frame().await {
        let Ok(data) = frame.into_data() else { continue };
        let Ok(events) = decoder.feed(&data) else { return };
        for event in events {
            for message in messages_in(&event.data) {
                strike_off(message, open);
                out.message(message).await;
            }
        }
    }
}

/// The messages in a text that is one or several of them; what cannot be read is one.
pub(super) fn messages_in(text: &[u8]) -> Vec<&[u8]> {
    match serde_json::from_slice::<Vec<&RawValue>>(text) {
        Ok(messages) => messages.into_iter().map(|message| message.get().as_bytes()).collect(),
        Err(_) => vec![text],
    }
}

/// The request that a message answers is open no more.
pub(super) fn strike_off(message: &[u8], open: &mut BTreeSet<String>) {
    if let Ok(Kind::Response { id }) = peek(message).map(|peeked| peeked.kind) {
        open.remove(id);
    }
}

/// Reads an answer that is one JSON text. `None`: it broke off or was too large.
pub(super) async fn whole(mut relay: Relay) -> Option<Bytes> {
    let mut body = BytesMut::new();
    while let Some(frame) = relay.frame().await {
        let Ok(data) = frame.ok()?.into_data() else { continue };
        if body.len() + data.len() > LARGEST_HELD {
            return None;
        }
        body.extend_from_slice(&data);
    }
    Some(body.freeze())
}

/// Delivers an answer that is one JSON text, a long one as it comes. Whether something came, and to its end.
pub(super) async fn pass(mut relay: Relay, out: &Outbox) -> bool {
    let mut held = BytesMut::new();
    while held.len() <= LONG {
        match relay.frame().await {
            None => {
                out.message(&held).await;
                return !held.trim_ascii().is_empty();
            }
            Some(Err(_)) => return false,
            Some(Ok(frame)) => held.extend(frame.into_data().ok()),
        }
    }
    let mut envelope = Envelope::default();
    let mut line = out.long_line().await;
    envelope.feed(&held);
    line.piece(&held).await;
    drop(held);
    while let Some(frame) = relay.frame().await {
        let Some(data) = frame.ok().map(|frame| frame.into_data().unwrap_or_default()) else {
            // What was written is no JSON: no client takes half of it for an answer.
            line.end().await;
            return false;
        };
        envelope.feed(&data);
        line.piece(&data).await;
    }
    line.end().await;
    envelope.seen() != Seen::Other
}

/// Whether `message` answers the request `id` (both as JSON text).
pub(super) fn answers(message: &[u8], id: &str) -> bool {
    if message.len() > LONG {
        return matches!(Envelope::of(message).seen(), Seen::Answer { id: answered, .. } if answered == id);
    }
    peek(message).is_ok_and(|peeked| matches!(peeked.kind, Kind::Response { id: answered } if answered == id))
}

/// The error that a stdio client gets for an HTTP error, under its own id: a server that could not read the request
/// answers with another id or with none, and the client would wait for ever.
pub(super) fn readdressed(id: &str, method: &str, body: &[u8]) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Failed {
        jsonrpc: String,
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        code: i64,
        message: String,
    }
    // What stands before a server has errors of its own kind, whose numbers mean something else.
    let failed = serde_json::from_slice(body).ok().filter(|failed: &Failed| failed.jsonrpc == "2.0");
    match failed {
        Some(Failed { error, .. }) => Some(reply::error(id, error.code, "upstream_error", &error.message)),
        None if method == "server/discover" => Some(not_modern(id)),
        None => None,
    }
}

/// A client that asks whether the server is of the new era takes this for a no, and goes on with `initialize`.
pub(super) fn not_modern(id: &str) -> Vec<u8> {
    reply::error(id, -32601, "method_not_found", "the server does not know `server/discover`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_answer_counts() {
        assert!(answers(br#"{"jsonrpc":"2.0","id":7,"result":{}}"#, "7"));
        assert!(!answers(br#"{"jsonrpc":"2.0","id":"7","result":{}}"#, "7"));
        assert!(!answers(br#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, "7"));
        let long = format!(r#"{{"jsonrpc":"2.0","result":"{}","id":7}}"#, "x".repeat(LONG));
        assert!(answers(long.as_bytes(), "7") && !answers(long.as_bytes(), "8"));
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
        assert!(readdressed("3", "tools/list", br#"{"error":{"code":404,"message":"no"}}"#).is_none());
        assert!(String::from_utf8(readdressed("3", "server/discover", b"<html>").unwrap()).unwrap().contains("-32601"));
    }
}
