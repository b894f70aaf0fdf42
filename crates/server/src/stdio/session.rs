//! One client at the stdio door: its lines become requests upstream, and what comes back becomes lines.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use keybearer_control::bridge::Notice;
use keybearer_core::admission::{self, Asking, Initiative, Refusal};
use keybearer_core::broker::Broker;
use keybearer_core::clients::Registered;
use keybearer_mcp::peek::{Kind, Peeked, peek};
use keybearer_mcp::reply::{self, Obstacle};
use keybearer_mcp::{header, modern};
use keybearer_model::call::Call;
use keybearer_model::caller::Caller;
use keybearer_model::name::ServerName;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::delivery::{self, BodyKind, Outbox};
use super::lines::{Line, Lines};
use crate::answer;
use crate::calls;
use crate::draining::Draining;
use crate::forward::{Forwarder, Outgoing, Relay};

const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");
const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long an upstream may take to end its session after the client has gone.
const FAREWELL: Duration = Duration::from_secs(2);

/// How long to wait before a stream that ended is opened again, where the server names no time, and the most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

pub(super) struct Session {
    broker: Broker,
    forwarder: Arc<Forwarder>,
    caller: Arc<Caller>,
    registered: Option<Arc<Registered>>,
    server: ServerName,
    let_in: OnceLock<admission::Session>,
    // Written once, at the handshake; read for each request.
    upstream: Mutex<Upstream>,
}

/// What a session has under way.
#[derive(Default)]
struct Work {
    /// Requests that wait for their answer.
    requests: JoinSet<()>,
    /// The server's own stream, which never ends by itself.
    streams: JoinSet<()>,
}

/// What the upstream said at the handshake (2025-03-26 to 2025-11-25).
#[derive(Clone, Default)]
struct Upstream {
    session: Option<HeaderValue>,
    version: Option<HeaderValue>,
}

impl Session {
    pub(super) fn new(
        broker: Broker,
        forwarder: Arc<Forwarder>,
        caller: Arc<Caller>,
        registered: Option<Arc<Registered>>,
        server: ServerName,
    ) -> Arc<Self> {
        let let_in = OnceLock::new();
        Arc::new(Self { broker, forwarder, caller, registered, server, let_in, upstream: Mutex::default() })
    }

    /// Serves the client until it hangs up or is revoked; then ends the session upstream. When the core drains, a
    /// client that `notices` is told so and hangs up by itself.
    pub(super) async fn run(
        self: Arc<Self>,
        mut lines: Lines<impl AsyncRead + Unpin>,
        writer: impl AsyncWrite + Unpin + Send + 'static,
        mut draining: Draining,
        notices: bool,
    ) {
        let (sender, outbox) = mpsc::channel(64);
        let out = Outbox::new(sender);
        let writing = tokio::spawn(write(outbox, writer));
        let mut work = Work::default();
        let mut told = false;
        let mut revoked = match &self.registered {
            Some(registered) => answer::revoked(registered.revoked()),
            None => Box::pin(std::future::pending()),
        };
        loop {
            tokio::select! {
                line = lines.next() => match line {
                    Some(line) => self.take(line, &out, &mut work).await,
                    None => break,
                },
                Some(_) = work.requests.join_next() => {}
                () = revoked.as_mut() => break,
                () = draining.begun(), if notices && !told => {
                    told = true;
                    out.notice(Notice::Draining).await;
                }
            }
        }
        work.streams.shutdown().await;
        // A client that only closed its sending half still reads what it has asked for.
        let patience = if told { calls::PATIENCE_AT_A_DRAIN } else { FAREWELL };
        let _ = tokio::time::timeout(patience, async { while work.requests.join_next().await.is_some() {} }).await;
        work.requests.shutdown().await;
        drop(out);
        let _ = tokio::time::timeout(FAREWELL, self.end()).await;
        let _ = tokio::time::timeout(FAREWELL, writing).await;
    }

    async fn take(self: &Arc<Self>, line: Line, out: &Outbox, work: &mut Work) {
        let line = match line {
            Line::Whole(line) => line,
            Line::TooLong => {
                let text = "the message is longer than 4 MiB";
                return out.message(&reply::error("null", -32600, "too_large", text)).await;
            }
        };
        if line.trim_ascii().is_empty() {
            return;
        }
        match peek(&line) {
            Err(refused) => out.message(&reply::refused(&refused)).await,
            Ok(message) => match &message.kind {
                Kind::Batch(_) => {
                    let text = "several messages in one line are not served here; send them one by one";
                    out.message(&reply::error("null", -32600, "batch", text)).await;
                }
                // A handshake must be over before what follows it, and notifications keep their order.
                Kind::Request { .. } if message.method.as_deref() == Some("initialize") => {
                    self.exchange(&message, &line, out).await;
                }
                Kind::Notification | Kind::Response { .. } => {
                    self.exchange(&message, &line, out).await;
                    if message.method.as_deref() == Some("notifications/initialized") {
                        work.streams.spawn(Arc::clone(self).listen(out.clone()));
                    }
                }
                Kind::Request { .. } => {
                    let (session, out, line) = (Arc::clone(self), out.clone(), line.clone());
                    work.requests.spawn(async move {
                        if let Ok(message) = peek(&line) {
                            session.exchange(&message, &line, &out).await;
                        }
                    });
                }
            },
        }
    }

    /// Sends one message upstream and delivers what comes back for it.
    async fn exchange(&self, message: &Peeked<'_>, line: &Bytes, out: &Outbox) {
        let call = calls::call_of(message, &self.caller, &self.server);
        let outgoing = Outgoing { method: Method::POST, headers: self.headers(Some(message)), body: line.clone() };
        match self.send(call, message.arguments.unwrap_or_default(), &outgoing).await {
            Ok(relayed) => self.deliver(relayed, message, out).await,
            Err(refusal) => {
                if let Some(id) = message.request_id() {
                    out.message(&reply::obstacle(id, answer::obstacle(&refusal), &self.server)).await;
                }
            }
        }
    }

    async fn send(&self, call: Call, arguments: &str, outgoing: &Outgoing) -> Result<Response<Relay>, Refusal> {
        let patience = calls::patience(call.class);
        let session = *self.let_in.get().unwrap_or(&admission::Session::Unasked);
        let initiative = Initiative::OpensSignIn;
        let asking = Asking { registered: self.registered.as_deref(), arguments, patience, session, initiative };
        let permit = self.broker.admit(call, asking).await?;
        // Whoever may send one message may keep its session going; what it does in it is judged call by call.
        let _ = self.let_in.set(admission::Session::LetIn);
        self.forwarder.forward(permit, outgoing).await
    }

    async fn deliver(&self, relayed: Response<Relay>, message: &Peeked<'_>, out: &Outbox) {
        let (head, relay) = relayed.into_parts();
        let handshake = message.method.as_deref() == Some("initialize");
        if handshake && head.status.is_success() {
            self.upstream().session = head.headers.get(SESSION_ID).cloned();
        }
        let Some(id) = message.request_id() else {
            // 202 to what needs no answer; a body here would be nobody's.
            let _ = delivery::whole(relay).await;
            return;
        };
        let answered = match (head.status.is_success(), BodyKind::of(&head.headers)) {
            (true, BodyKind::EventStream) if handshake => self.deliver_handshake_stream(relay, id, out).await,
            (true, BodyKind::EventStream) => delivery::follow(relay, Some(id), out).await.answered,
            (true, BodyKind::Json) => self.deliver_whole(relay, handshake, out).await,
            (true, BodyKind::Other) | (false, _) => {
                self.deliver_failure(head.status, relay, id, message.method_word(), out).await;
                true
            }
        };
        if !answered {
            out.message(&reply::obstacle(id, Obstacle::Interrupted, &self.server)).await;
        }
    }

    async fn deliver_whole(&self, relay: Relay, handshake: bool, out: &Outbox) -> bool {
        let Some(body) = delivery::whole(relay).await else { return false };
        if handshake {
            self.remember_version(&body);
        }
        out.message(&body).await;
        !body.trim_ascii().is_empty()
    }

    /// Like any stream, but the version in the answer is remembered before the client sees it.
    async fn deliver_handshake_stream(&self, relay: Relay, id: &str, out: &Outbox) -> bool {
        let (sender, mut inbox) = mpsc::channel(64);
        let collected = async {
            let watched = Outbox::new(sender);
            delivery::follow(relay, Some(id), &watched).await.answered
        };
        let passed = async {
            while let Some(line) = inbox.recv().await {
                self.remember_version(&line);
                out.message(&line).await;
            }
        };
        tokio::join!(collected, passed).0
    }

    async fn deliver_failure(&self, status: StatusCode, relay: Relay, id: &str, method: &str, out: &Outbox) {
        let body = delivery::whole(relay).await.unwrap_or_default();
        if delivery::answers(&body, id) {
            return out.message(&body).await;
        }
        let told = delivery::readdressed(id, method, &body).unwrap_or_else(|| {
            tracing::info!(server = %self.server, status = status.as_u16(), "the server refused a message");
            let obstacle = if status.is_server_error() { Obstacle::Unreachable } else { Obstacle::Internal };
            reply::obstacle(id, obstacle, &self.server)
        });
        out.message(&told).await;
    }

    fn remember_version(&self, message: &[u8]) {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            result: Option<Handshake<'a>>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Handshake<'a> {
            #[serde(borrow)]
            protocol_version: Option<std::borrow::Cow<'a, str>>,
        }
        if let Ok(Answer { result: Some(Handshake { protocol_version: Some(version) }) }) =
            serde_json::from_slice(message)
        {
            self.upstream().version = HeaderValue::from_str(&version).ok();
        }
    }

    /// The server's own messages, on a stream that is opened again whenever it ends. A server without one answers 405.
    async fn listen(self: Arc<Self>, out: Outbox) {
        let mut last_id = None;
        let mut pause = PAUSE;
        loop {
            let call = calls::bodiless(&Method::GET, &self.caller, &self.server);
            let mut headers = self.headers(None);
            headers.remove(CONTENT_TYPE);
            headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
            if let Some(Ok(id)) = last_id.as_deref().map(HeaderValue::from_str) {
                headers.insert(LAST_EVENT_ID, id);
            }
            let outgoing = Outgoing { method: Method::GET, headers, body: Bytes::new() };
            match self.send(call, "", &outgoing).await {
                Ok(relayed) if relayed.status().is_success() => {
                    let followed = delivery::follow(relayed.into_body(), None, &out).await;
                    last_id = followed.last_id.or(last_id);
                    pause = followed.retry.map_or(PAUSE, Duration::from_millis).min(LONGEST_PAUSE);
                }
                Ok(relayed) if relayed.status().is_client_error() => return,
                Ok(_) | Err(Refusal::Unreachable(_) | Refusal::NotTrusted(_) | Refusal::Interrupted(_)) => {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(Refusal::UnknownServer | Refusal::Denied(_) | Refusal::Credential(_)) => return,
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Tells the upstream that its session is over. Its answer does not matter: 405 means that it keeps none.
    async fn end(&self) {
        if self.upstream().session.is_none() {
            return;
        }
        let call = calls::bodiless(&Method::DELETE, &self.caller, &self.server);
        let outgoing = Outgoing { method: Method::DELETE, headers: self.headers(None), body: Bytes::new() };
        if let Ok(relayed) = self.send(call, "", &outgoing).await {
            let _ = delivery::whole(relayed.into_body()).await;
        }
    }

    /// The headers of a request: those of the modern era come from the message, those of the legacy ones from the
    /// handshake.
    fn headers(&self, message: Option<&Peeked<'_>>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        if let Some(modern) = message.and_then(modern::headers_for) {
            headers.extend(modern);
            return headers;
        }
        if message.is_some_and(|message| message.method.as_deref() == Some("initialize")) {
            return headers;
        }
        let Upstream { session, version } = self.upstream().clone();
        for (name, value) in [(SESSION_ID, session), (PROTOCOL_VERSION, version)] {
            if let Some(value) = value {
                debug_assert!(header::request_passes(&name));
                headers.insert(name, value);
            }
        }
        headers
    }

    fn upstream(&self) -> MutexGuard<'_, Upstream> {
        self.upstream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn write(mut outbox: mpsc::Receiver<Bytes>, mut writer: impl AsyncWrite + Unpin) {
    while let Some(line) = outbox.recv().await {
        if writer.write_all(&line).await.is_err() {
            return;
        }
    }
}
