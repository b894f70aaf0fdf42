//! Servers of the transport of 2024-11-05: one stream carries every answer, and its first event names the address for
//! messages.

use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use keybearer_core::admission::Refusal;
use keybearer_mcp::peek::{Kind, Peeked, peek};
use keybearer_mcp::reply::{self, Obstacle};
use keybearer_mcp::sse::{Decoder, Event};
use tokio::sync::oneshot;
use url::Url;

use super::delivery::{self, BodyKind};
use super::outbox::Outbox;
use super::talk::{Talk, Waiting};
use crate::calls;
use crate::forward::{Outgoing, Relay};

/// How long a server may take to name the address for messages.
const OPENING: Duration = Duration::from_secs(10);

/// An open stream of that transport.
pub(super) struct Old {
    /// Of the origin that the server's credential is for.
    pub(super) url: Url,
    /// The requests that wait for their answer, by id; absent when the stream has ended.
    open: Mutex<Option<HashMap<String, Expected>>>,
}

struct Expected {
    inside: bool,
    answer: oneshot::Sender<Bytes>,
}

/// Statuses by which a server says that it knows no `POST` here (2025-03-26, backwards compatibility).
pub(super) fn may_be_old(status: StatusCode) -> bool {
    matches!(status, StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
}

impl Old {
    /// The stream has ended: its answers will not come any more.
    pub(super) fn is_closed(&self) -> bool {
        self.open().is_none()
    }

    /// Waits for the answer to `id`: what comes for the client is delivered, and the wait ends then.
    pub(super) fn expect(&self, id: &str, inside: bool) -> oneshot::Receiver<Bytes> {
        let (answer, answered) = oneshot::channel();
        if let Some(open) = &mut *self.open() {
            open.insert(id.to_owned(), Expected { inside, answer });
        }
        answered
    }

    async fn deliver(&self, message: Vec<u8>, out: &Outbox) {
        let id = match peek(&message).map(|peeked| peeked.kind) {
            Ok(Kind::Response { id }) => id.to_owned(),
            Ok(Kind::Request { .. } | Kind::Notification | Kind::Batch(_)) | Err(_) => String::new(),
        };
        let expected = self.open().as_mut().and_then(|open| open.remove(&id));
        let inside = expected.as_ref().is_some_and(|expected| expected.inside);
        if !inside {
            out.message(&message).await;
        }
        let _ = expected.map(|expected| expected.answer.send(message.into()));
    }

    fn open(&self) -> MutexGuard<'_, Option<HashMap<String, Expected>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Talk {
    /// Opens the stream of a server of that transport. `None`: it is none.
    pub(super) async fn open_old(self: &Arc<Self>) -> Result<Option<Arc<Old>>, Refusal> {
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        let call = calls::bodiless(&Method::GET, &self.with.caller, &self.with.server);
        let waiting = Waiting::of(call.class);
        let permit = self.admit(call, "", waiting).await?;
        let stream = permit.upstream().as_url().clone();
        let outgoing = Outgoing { method: Method::GET, client: None, headers, body: Bytes::new() };
        let relayed = Box::pin(self.with.forwarder.forward(permit, &outgoing)).await?;
        let is_stream = BodyKind::of(relayed.headers()) == BodyKind::EventStream;
        if !relayed.status().is_success() || !is_stream {
            return Ok(None);
        }
        let (named, address) = oneshot::channel();
        let talk = Arc::clone(self);
        self.tasks.background(async move { talk.follow_old(relayed.into_body(), &stream, named).await });
        Ok(tokio::time::timeout(OPENING, address).await.ok().and_then(Result::ok))
    }

    async fn follow_old(&self, mut relay: Relay, stream: &Url, named: oneshot::Sender<Arc<Old>>) {
        let (mut decoder, mut named) = (Decoder::new(), Some(named));
        let mut old: Option<Arc<Old>> = None;
        while let Some(Ok(frame)) = relay.frame().await {
            let Ok(events) = decoder.feed(&frame.into_data().unwrap_or_default()) else { break };
            for event in events {
                match &old {
                    Some(old) if !event.data.is_empty() => old.deliver(event.data, &self.out).await,
                    Some(_) => {}
                    None => {
                        let Some(url) = address_in(&event, stream) else { return };
                        let opened = Arc::new(Old { url, open: Mutex::new(Some(HashMap::new())) });
                        old = Some(Arc::clone(&opened));
                        let _ = named.take().map(|named| named.send(opened));
                    }
                }
            }
        }
        // Whoever waits for an answer learns that none comes.
        old.map(|old| old.open().take());
    }

    /// Sends a request; its answer comes by the stream.
    pub(super) async fn exchange_old(
        self: &Arc<Self>,
        old: &Old,
        message: &Peeked<'_>,
        line: &Bytes,
        waiting: Waiting<'_>,
        sent: &AtomicBool,
    ) -> Result<(), Refusal> {
        let Some(id) = message.request_id() else { return Ok(()) };
        let answered = old.expect(id, false);
        let relayed = self.post(message, line, waiting, sent).await?.0;
        let (status, body) = (relayed.status(), delivery::whole(relayed.into_body()).await.unwrap_or_default());
        if !status.is_success() {
            self.out.message(&self.failure_of(status, body, id, message.method_word())).await;
        } else if answered.await.is_err() {
            self.out.message(&reply::obstacle(id, Obstacle::Interrupted, &self.with.server)).await;
        }
        Ok(())
    }

    /// The same for a request whose answer is not the client's.
    pub(super) async fn ask_old(
        self: &Arc<Self>,
        old: &Old,
        message: &Peeked<'_>,
        line: &Bytes,
        waiting: Waiting<'_>,
    ) -> Result<Bytes, Refusal> {
        let broke_off = || Refusal::Interrupted("the stream broke off".into());
        let answered = old.expect(message.request_id().unwrap_or_default(), true);
        let relayed = self.post(message, line, waiting, &AtomicBool::new(false)).await?.0;
        let status = relayed.status();
        let _ = delivery::whole(relayed.into_body()).await;
        if status.is_success() { answered.await.map_err(|_| broke_off()) } else { Err(broke_off()) }
    }
}

/// The address that the first event of a stream names, if the credential may go there.
fn address_in(event: &Event, stream: &Url) -> Option<Url> {
    let is_named = event.event.as_deref() == Some("endpoint");
    let address = std::str::from_utf8(&event.data).ok().filter(|_| is_named)?;
    let url = stream.join(address.trim()).ok()?;
    (url.origin() == stream.origin() && url.username().is_empty() && url.password().is_none()).then_some(url)
}

/// What a request by this transport has for headers.
pub(super) fn plain_headers() -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_go_to_the_server_s_own_origin_alone() {
        let stream: Url = "https://crm.test/base/sse?tenant=1".parse().unwrap();
        let named = |kind: &str, address: &str| {
            let event = Event { event: Some(kind.to_owned()), data: address.into(), ..Event::default() };
            address_in(&event, &stream).map(String::from)
        };
        assert_eq!(named("endpoint", "/m?s=1").as_deref(), Some("https://crm.test/m?s=1"));
        assert_eq!(named("endpoint", "m").as_deref(), Some("https://crm.test/base/m"));
        assert_eq!(named("message", "/m"), None);
        for elsewhere in ["https://evil.test/m", "http://crm.test/m", "//evil.test/m", "https://a:b@crm.test/m"] {
            assert_eq!(named("endpoint", elsewhere), None, "{elsewhere}");
        }
    }
}
