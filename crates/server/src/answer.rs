//! What a door answers itself: refusals in JSON-RPC, in one fixed sentence each, and empty HTTP answers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER};
use http::{Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use keybearer_core::admission::Refusal;
use keybearer_core::keeper::CredentialError;
use keybearer_mcp::agreement;
use keybearer_mcp::reply::{self, Obstacle};
use keybearer_model::verdict::DenyReason;
use tokio::sync::watch;

use crate::forward::BrokenOff;
use crate::legacy::Opening;
use crate::limits::Pass;
use crate::own::Events;
use crate::relayed::Relayed;

/// The obstacle that a refusal is, for the sentence that the client reads.
pub(crate) fn obstacle(refusal: &Refusal) -> Obstacle {
    match refusal {
        Refusal::UnknownServer => Obstacle::UnknownServer,
        Refusal::Denied(DenyReason::NobodyToAsk) => Obstacle::NobodyToAsk,
        Refusal::Denied(DenyReason::NoAnswer) => Obstacle::NoAnswer,
        Refusal::Denied(
            DenyReason::Rule(_)
            | DenyReason::Unknown
            | DenyReason::Person
            | DenyReason::NotThisServer
            | DenyReason::Stopped,
        ) => Obstacle::NotAllowed,
        Refusal::Denied(DenyReason::TooManyQuestions) => Obstacle::TooMuch,
        Refusal::Credential(CredentialError::SignInNeeded) => Obstacle::SignInNeeded,
        Refusal::Credential(CredentialError::RefusedByServer) => Obstacle::SignInRefused,
        Refusal::Credential(CredentialError::IssuerUnavailable(_)) => Obstacle::IssuerUnavailable,
        Refusal::Credential(CredentialError::KeyStore(_)) => Obstacle::KeychainLocked,
        Refusal::Unreachable(_) => Obstacle::Unreachable,
        Refusal::NotTrusted(_) => Obstacle::NotTrusted,
        Refusal::Interrupted(_) => Obstacle::Interrupted,
    }
}

/// The body of an answer at the HTTP and socket doors.
#[expect(clippy::large_enum_variant, reason = "most answers are relayed: a box would be an allocation for each call")]
pub(crate) enum Answer {
    /// Ours.
    Own(Option<Bytes>),
    /// The upstream's.
    Relayed(Relayed),
    /// A stream of Keybearer's own server.
    Events(Box<Events>),
}

/// Completes when a client is revoked.
pub(crate) type Revoked = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The future that completes when `watched` says that the client is revoked.
pub(crate) fn revoked(mut watched: watch::Receiver<bool>) -> Revoked {
    Box::pin(async move {
        if watched.wait_for(|revoked| *revoked).await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

/// An empty answer: it tells nothing.
pub(crate) fn empty(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::Own(None));
    *response.status_mut() = status;
    response
}

/// That the core is there, for whoever looks after it; it says nothing of servers, clients or sign-ins.
pub(crate) fn health() -> Response<Answer> {
    let (version, pid) = (env!("CARGO_PKG_VERSION"), std::process::id());
    json(StatusCode::OK, format!(r#"{{"status":"ok","version":"{version}","pid":{pid}}}"#).into_bytes())
}

/// That a client asks too much at once; its message was not read.
pub(crate) fn too_much() -> Response<Answer> {
    let obstacle = Obstacle::TooMuch;
    let text = "Keybearer: too many calls of this app at once. Try again in a moment.";
    let body = reply::error("null", obstacle.code(), obstacle.stable(), text);
    let mut response = json(StatusCode::TOO_MANY_REQUESTS, body);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}

/// A JSON message of ours.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response<Answer> {
    let mut response = Response::new(Answer::Own(Some(body.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// That a session is not known, or not the caller's: the client opens another one.
pub(crate) fn unknown_session(id: Option<&str>) -> Response<Answer> {
    // What servers themselves say of a session that has ended.
    json(StatusCode::NOT_FOUND, reply::error(id.unwrap_or("null"), -32_001, "unknown_session", "Session not found"))
}

/// That a modern request's header says something else than its body.
pub(crate) fn contradicted(id: Option<&str>, header: &HeaderName) -> Response<Answer> {
    let text = format!("the header `{header}` does not say what the message says");
    let error = reply::error(id.unwrap_or("null"), agreement::HEADER_MISMATCH, "header_mismatch", &text);
    json(StatusCode::BAD_REQUEST, error)
}

impl Answer {
    /// Counts a request as under way until its answer has ended.
    pub(crate) fn hold(&mut self, pass: Pass) {
        match self {
            Self::Relayed(relayed) => relayed.hold(pass),
            Self::Events(events) => events.hold(pass),
            Self::Own(_) => drop(pass),
        }
    }

    /// Looks at the first event of a stream, where there is something to look for.
    pub(crate) fn begin_with(&mut self, opening: Option<Opening>) {
        if let (Self::Relayed(relayed), Some(opening)) = (self, opening) {
            relayed.begin_with(opening);
        }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match self.get_mut() {
            Self::Own(body) => Poll::Ready(body.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Relayed(relayed) => Pin::new(relayed).poll_frame(context),
            Self::Events(events) => events.poll(context).map(|piece| Some(Ok(Frame::data(piece?)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(body) => body.is_none(),
            Self::Relayed(relayed) => relayed.is_end_stream(),
            Self::Events(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body) => SizeHint::with_exact(body.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Relayed(relayed) => relayed.size_hint(),
            Self::Events(_) => SizeHint::default(),
        }
    }
}
