//! What a door answers itself: refusals in JSON-RPC, in one fixed sentence each, and empty HTTP answers.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use keybearer_core::admission::Refusal;
use keybearer_core::keeper::CredentialError;
use keybearer_mcp::reply::Obstacle;
use keybearer_model::verdict::DenyReason;
use tokio::sync::watch;

use crate::forward::{BrokenOff, Relay};

/// The obstacle that a refusal is, for the sentence that the client reads.
pub(crate) fn obstacle(refusal: &Refusal) -> Obstacle {
    match refusal {
        Refusal::UnknownServer => Obstacle::UnknownServer,
        Refusal::Denied(DenyReason::NobodyToAsk) => Obstacle::NobodyToAsk,
        Refusal::Denied(DenyReason::NoAnswer) => Obstacle::NoAnswer,
        Refusal::Denied(DenyReason::Rule(_) | DenyReason::Unknown | DenyReason::Person | DenyReason::NotThisServer) => {
            Obstacle::NotAllowed
        }
        Refusal::Credential(CredentialError::SignInNeeded) => Obstacle::SignInNeeded,
        Refusal::Credential(CredentialError::RefusedByServer) => Obstacle::SignInRefused,
        Refusal::Credential(CredentialError::IssuerUnavailable(_)) => Obstacle::IssuerUnavailable,
        Refusal::Credential(CredentialError::KeyStore(_)) => Obstacle::KeychainLocked,
        Refusal::Unreachable(_) => Obstacle::Unreachable,
        Refusal::NotTrusted(_) => Obstacle::NotTrusted,
        Refusal::Interrupted(_) => Obstacle::Interrupted,
    }
}

/// The body of an answer at the HTTP door.
pub(crate) enum Answer {
    /// Ours.
    Own(Option<Bytes>),
    /// The upstream's; it ends when the client that asked is revoked (SEC-12).
    Relayed {
        relay: Relay,
        revoked: Revoked,
        /// It ends at the next poll. What came before goes out first: a client that saw no answer at all might ask again.
        broken: bool,
    },
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

/// A JSON-RPC message of ours.
pub(crate) fn json(status: StatusCode, body: Vec<u8>) -> Response<Answer> {
    let mut response = Response::new(Answer::Own(Some(body.into())));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

impl Body for Answer {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        match self.get_mut() {
            Self::Own(body) => Poll::Ready(body.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Relayed { broken: true, .. } => Poll::Ready(Some(Err(BrokenOff))),
            Self::Relayed { relay, revoked, broken } => {
                if revoked.as_mut().poll(context).is_ready() {
                    return Poll::Ready(Some(Err(BrokenOff)));
                }
                match Pin::new(relay).poll_frame(context) {
                    Poll::Ready(Some(Err(BrokenOff))) => {
                        // The connection flushes whenever its body is not ready.
                        *broken = true;
                        context.waker().wake_by_ref();
                        Poll::Pending
                    }
                    other @ (Poll::Pending | Poll::Ready(_)) => other,
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Own(body) => body.is_none(),
            Self::Relayed { relay, broken, .. } => !broken && relay.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Own(body) => SizeHint::with_exact(body.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Relayed { relay, .. } => relay.size_hint(),
        }
    }
}
