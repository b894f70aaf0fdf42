//! Keybearer's own server over HTTP: sessions in the legacy era, every request by itself in the modern one.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ALLOW, HeaderMap, HeaderValue};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use keybearer_mcp::header::{METHOD, NAME, PROTOCOL_VERSION, SESSION_ID};
use keybearer_mcp::peek::{Kind, Peeked, peek};
use keybearer_mcp::{agreement, modern, reply};
use tokio::sync::{mpsc, oneshot};

use super::events::{self, Done, Ending, Events, Last, Source};
use super::guests::{Guest, Guests};
use super::outbox::Outbox;
use super::raw::{Frame, Object};
use crate::answer::{self, Answer};
use crate::keep_alive::KeepAlive;
use crate::stdio::Bridges;
use crate::visitor::Visitor;

/// How long an answer is awaited as a plain text; then a stream is begun, so that the client sees that it goes on.
const PLAIN: Duration = Duration::from_secs(10);

/// The codes of errors that the modern era gives a status of their own.
const UNKNOWN_METHOD: i64 = -32_601;
const PROTOCOL: std::ops::RangeInclusive<i64> = -32_022..=-32_020;

/// Keybearer's own server, for every visitor.
pub(crate) struct HttpDoor {
    bridges: Bridges,
    guests: Arc<Guests>,
    silence: Duration,
}

impl HttpDoor {
    /// A door whose streams are never silent for longer than `silence`.
    pub(crate) fn new(bridges: Bridges, silence: Duration) -> Self {
        Self { bridges, guests: Arc::default(), silence }
    }

    /// Answers one request, whose body was read.
    pub(crate) async fn answer(&self, head: &Parts, body: Bytes, visitor: &Visitor) -> Response<Answer> {
        match head.method {
            Method::POST => self.post(head, body, visitor).await,
            Method::GET => self.stream(&head.headers, visitor),
            _ => self.end(&head.headers, visitor),
        }
    }

    async fn post(&self, head: &Parts, body: Bytes, visitor: &Visitor) -> Response<Answer> {
        let message = match peek(&body) {
            Ok(message) => message,
            Err(refused) => return answer::json(StatusCode::BAD_REQUEST, reply::refused(&refused)),
        };
        if matches!(message.kind, Kind::Batch(_)) {
            let text = "several messages in one request are not served here; send them one by one";
            return bad_request("null", -32600, "batch", text);
        }
        let modern = modern::is_modern(&message) || agreement::is_modern(&head.headers);
        if modern && let Some(refused) = incomplete(&head.headers, &message) {
            return refused;
        }
        let opens = message.method.as_deref() == Some("initialize");
        let (guest, id) = if modern {
            (self.guests.modern(&self.bridges, visitor), None)
        } else if opens {
            match self.guests.open(&self.bridges, visitor) {
                Some((guest, id)) => (guest, Some(id)),
                None => return answer::empty(StatusCode::SERVICE_UNAVAILABLE),
            }
        } else {
            match self.session(&head.headers, visitor) {
                Ok(guest) => (guest, None),
                Err(NoSession::Unnamed) => {
                    let id = message.request_id().unwrap_or("null");
                    return bad_request(id, -32600, "no_session", "the header `Mcp-Session-Id` is missing");
                }
                Err(NoSession::Unknown) => return answer::unknown_session(message.request_id()),
            }
        };
        let mut response = self.take(&guest, modern, head, &message, &body).await;
        if let Some(Ok(id)) = id.map(|id| HeaderValue::from_str(&id)) {
            if response.status().is_success() {
                response.headers_mut().insert(SESSION_ID, id);
            } else {
                self.guests.end(&guest);
            }
        }
        response
    }

    async fn take(
        &self,
        guest: &Arc<Guest>,
        modern: bool,
        head: &Parts,
        message: &Peeked<'_>,
        body: &Bytes,
    ) -> Response<Answer> {
        let Some(frame) = Frame::read(body) else { return answer::empty(StatusCode::BAD_REQUEST) };
        match message.kind {
            Kind::Request { id } => self.request(guest, modern, &head.headers, id, (body.clone(), frame)).await,
            Kind::Response { .. } => {
                guest.hub.asked.answered(frame);
                answer::empty(StatusCode::ACCEPTED)
            }
            Kind::Notification | Kind::Batch(_) => {
                match frame.method.as_deref().unwrap_or_default() {
                    // A modern client calls off by closing the stream.
                    "notifications/cancelled" if !modern => {
                        let about = Object::of(frame.params.as_deref());
                        if let Some(id) = about.get("requestId") {
                            guest.cancel(id.get());
                        }
                    }
                    method => guest.hub.notified(method, frame.params.as_deref()).await,
                }
                answer::empty(StatusCode::ACCEPTED)
            }
        }
    }

    async fn request(
        &self,
        guest: &Arc<Guest>,
        modern: bool,
        headers: &HeaderMap,
        id: &str,
        (body, frame): (Bytes, Frame),
    ) -> Response<Answer> {
        let (sender, mut meanwhile) = mpsc::channel(64);
        let (done, mut last) = oneshot::channel();
        let hub = Arc::clone(&guest.hub);
        let task = tokio::spawn(async move {
            let (Ok(message), Some(id)) = (peek(&body), frame.id.clone()) else { return };
            let answer = hub.answer(&message, frame, Outbox::new(sender)).await;
            let _ = done.send(Done { message: answer.message(&id), code: answer.code() });
        });
        if !modern {
            guest.runs(id, task.abort_handle());
        }
        // In the legacy era a connection that broke does not call anything off.
        let ending = modern.then(|| Ending(task.abort_handle()));
        let streams = accepts(headers, "text/event-stream");
        let (first, last) = tokio::select! {
            done = &mut last => match (done, meanwhile.try_recv()) {
                (Ok(done), Ok(first)) if streams => (Some(first), Last::Here(done)),
                (done, _) => return plain(done.ok(), modern),
            },
            Some(first) = meanwhile.recv(), if streams => (Some(first), Last::Awaited(last)),
            () = tokio::time::sleep(PLAIN), if streams => (None, Last::Awaited(last)),
        };
        self.events(Source { meanwhile, last, guest: Arc::clone(guest), ending }, first)
    }

    /// The stream of what belongs to no request.
    fn stream(&self, headers: &HeaderMap, visitor: &Visitor) -> Response<Answer> {
        if agreement::is_modern(headers) || !headers.contains_key(SESSION_ID) {
            return not_here();
        }
        let Ok(guest) = self.session(headers, visitor) else { return answer::unknown_session(None) };
        if !accepts(headers, "text/event-stream") {
            return answer::empty(StatusCode::NOT_ACCEPTABLE);
        }
        let (sender, meanwhile) = mpsc::channel(64);
        guest.hub.set_main(Outbox::new(sender));
        self.events(Source { meanwhile, last: Last::Never, guest, ending: None }, None)
    }

    fn end(&self, headers: &HeaderMap, visitor: &Visitor) -> Response<Answer> {
        if agreement::is_modern(headers) || !headers.contains_key(SESSION_ID) {
            return not_here();
        }
        match self.session(headers, visitor) {
            Ok(guest) => {
                self.guests.end(&guest);
                answer::empty(StatusCode::NO_CONTENT)
            }
            Err(_) => answer::unknown_session(None),
        }
    }

    fn session(&self, headers: &HeaderMap, visitor: &Visitor) -> Result<Arc<Guest>, NoSession> {
        let mut ids = headers.get_all(SESSION_ID).iter();
        let id = match (ids.next(), ids.next()) {
            (None, _) => return Err(NoSession::Unnamed),
            (Some(id), None) => id.to_str().map_err(|_| NoSession::Unknown)?,
            (Some(_), Some(_)) => return Err(NoSession::Unknown),
        };
        self.guests.find(id, visitor).ok_or(NoSession::Unknown)
    }

    fn events(&self, source: Source, first: Option<Bytes>) -> Response<Answer> {
        let head = events::head();
        let keep_alive = KeepAlive::over(&head, self.silence);
        let mut response = Response::new(Answer::Events(Box::new(Events::new(source, first, keep_alive))));
        *response.headers_mut() = head;
        response
    }
}

/// Why a request is in no session.
enum NoSession {
    Unnamed,
    Unknown,
}

/// The answer as a text of its own; one that was called off has none.
fn plain(done: Option<Done>, modern: bool) -> Response<Answer> {
    let Some(Done { message, code }) = done else { return answer::empty(StatusCode::ACCEPTED) };
    let status = match code.filter(|_| modern) {
        Some(UNKNOWN_METHOD) => StatusCode::NOT_FOUND,
        Some(code) if PROTOCOL.contains(&code) => StatusCode::BAD_REQUEST,
        Some(_) | None => StatusCode::OK,
    };
    answer::json(status, message.to_vec())
}

/// What a modern request lacks: every one speaks for itself, in its body and in its headers.
fn incomplete(headers: &HeaderMap, message: &Peeked<'_>) -> Option<Response<Answer>> {
    let id = message.request_id().unwrap_or("null");
    if let Some(header) = agreement::contradicted(headers, message) {
        return Some(answer::contradicted(message.request_id(), &header));
    }
    let Kind::Request { .. } = message.kind else { return None };
    if message.protocol_version.is_none() {
        return Some(bad_request(id, -32602, "no_version", "`_meta` does not say which version the request is of"));
    }
    let mirrored = [(PROTOCOL_VERSION, true), (METHOD, true), (NAME, message.subject.is_some())];
    let (absent, _) = mirrored.into_iter().find(|(name, needed)| *needed && !headers.contains_key(name))?;
    Some(answer::contradicted(message.request_id(), &absent))
}

fn bad_request(id: &str, code: i64, stable: &str, text: &str) -> Response<Answer> {
    answer::json(StatusCode::BAD_REQUEST, reply::error(id, code, stable, text))
}

fn not_here() -> Response<Answer> {
    let mut response = answer::empty(StatusCode::METHOD_NOT_ALLOWED);
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let mut all =
        headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).flat_map(|text| text.split(','));
    all.any(|one| {
        let one = one.split(';').next().unwrap_or_default().trim();
        one.eq_ignore_ascii_case(kind) || one == "*/*"
    })
}
