//! One request upstream, and its answer as the client's.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use http::{Response, StatusCode};
use keybearer_core::admission::Refusal;
use keybearer_mcp::contact::{self, Missing};
use keybearer_mcp::modern;
use keybearer_mcp::peek::{Peeked, peek};
use keybearer_mcp::reply::{self, Obstacle};
use keybearer_model::call::MethodClass;
use keybearer_model::verdict::DenyReason;

use super::contact::{Contact, Reason};
use super::delivery::{self, AnswerTo, BodyKind};
use super::modern::Called;
use super::talk::{Link, Talk, Waiting};
use crate::answer;
use crate::forward::Relay;

/// How long a notice may wait for a credential that is being renewed: what comes behind it waits, too.
const NOTICE: Duration = Duration::from_secs(10);

impl Talk {
    /// Sends a request and delivers what comes back for it.
    pub(super) async fn exchange(
        self: &Arc<Self>,
        message: &Peeked<'_>,
        id: &str,
        line: &Bytes,
        waiting: Waiting<'_>,
        sent: &AtomicBool,
    ) {
        if let Err(refusal) = Box::pin(self.open_old_again()).await {
            return self.turn_down(message, id, line, &refusal).await;
        }
        let old = self.link().old.clone();
        if let Some(old) = old {
            if let Err(refusal) = Box::pin(self.exchange_old(&old, message, line, waiting, sent)).await {
                self.turn_down(message, id, line, &refusal).await;
            }
            return;
        }
        let relayed = if modern::is_modern(message) && message.tool.is_some() {
            self.call_tool(message, line, waiting, sent).await
        } else {
            self.post_in_session(message, line, waiting, sent).await.map(|relayed| Called::Relayed(Box::new(relayed)))
        };
        match relayed {
            Ok(Called::Relayed(relayed)) if modern::is_modern(message) && message.method_word() == "tools/list" => {
                self.deliver_tools(*relayed, message, id).await;
            }
            Ok(Called::Relayed(relayed)) => self.deliver(*relayed, message, id).await,
            Ok(Called::Failed(status, body)) => {
                self.out.message(&self.failure_of(status, body, id, message.method_word())).await;
            }
            Err(refusal) => self.turn_down(message, id, line, &refusal).await,
        }
    }

    /// A list of tools is held, because those that break the rules must not go on.
    async fn deliver_tools(self: &Arc<Self>, relayed: Response<Relay>, message: &Peeked<'_>, id: &str) {
        let kind = BodyKind::of(relayed.headers());
        if !relayed.status().is_success() || kind == BodyKind::Other {
            return self.deliver(relayed, message, id).await;
        }
        match self.answer_inside(relayed.into_body(), kind, id).await {
            Some(answer) => match self.learn(&answer) {
                Some(cleaned) => self.out.message(&cleaned).await,
                None => self.out.message(&answer).await,
            },
            None => self.out.message(&reply::obstacle(id, Obstacle::Interrupted, &self.with.server)).await,
        }
    }

    /// Sends a message that wants no answer.
    pub(super) async fn tell(self: &Arc<Self>, line: &Bytes) {
        let Ok(message) = peek(line) else { return };
        let waiting = Waiting { patience: NOTICE, ..Waiting::of(MethodClass::Session) };
        if let Ok(relayed) = self.post_in_session(&message, line, waiting, &AtomicBool::new(false)).await {
            // 202 to what needs no answer; a body here would be nobody's.
            let _ = delivery::whole(relayed.into_body()).await;
        }
    }

    /// Sends a message; where the server has forgotten the session, another one is opened for it, once.
    async fn post_in_session(
        self: &Arc<Self>,
        message: &Peeked<'_>,
        line: &Bytes,
        waiting: Waiting<'_>,
        sent: &AtomicBool,
    ) -> Result<Response<Relay>, Refusal> {
        Box::pin(self.open_old_again()).await?;
        let (relayed, link) = self.post(message, line, waiting, sent).await?;
        if !is_session_lost(&relayed, &link) || modern::is_modern(message) {
            return Ok(relayed);
        }
        match Box::pin(self.open_again(relayed, &link)).await? {
            Some(gone) => Ok(gone),
            None => Ok(self.post(message, line, waiting, sent).await?.0),
        }
    }

    async fn deliver(self: &Arc<Self>, relayed: Response<Relay>, message: &Peeked<'_>, id: &str) {
        let (head, relay) = relayed.into_parts();
        let answered = match (head.status.is_success(), BodyKind::of(&head.headers)) {
            (true, BodyKind::EventStream) => {
                let followed = delivery::follow(relay, Some(id), AnswerTo::Client, &self.out).await;
                followed.answered || self.resume(followed, message, id).await
            }
            (true, BodyKind::Json) => delivery::pass(relay, &self.out).await,
            (true, BodyKind::Other) | (false, _) => {
                let failure = self.failure(head.status, relay, id, message.method_word()).await;
                self.out.message(&failure).await;
                true
            }
        };
        if !answered {
            let ending = match message.method.as_deref() {
                // The server let go: the client may subscribe again.
                Some("subscriptions/listen") if head.status.is_success() => contact::listened(id),
                Some(_) | None => reply::obstacle(id, Obstacle::Interrupted, &self.with.server),
            };
            self.out.message(&ending).await;
        }
    }

    /// The error that a client gets for an answer that is no success.
    pub(super) async fn failure(&self, status: StatusCode, relay: Relay, id: &str, method: &str) -> Vec<u8> {
        self.failure_of(status, delivery::whole(relay).await.unwrap_or_default(), id, method)
    }

    pub(super) fn failure_of(&self, status: StatusCode, body: Bytes, id: &str, method: &str) -> Vec<u8> {
        if delivery::answers(&body, id) {
            return body.into();
        }
        delivery::readdressed(id, method, &body).unwrap_or_else(|| {
            tracing::info!(server = %self.with.server, status = status.as_u16(), "the server refused a message");
            let obstacle = match status {
                status if status.is_server_error() => Obstacle::Unreachable,
                StatusCode::TOO_MANY_REQUESTS => Obstacle::TooMuch,
                status if status.is_client_error() => Obstacle::ServerRefused(status.as_u16()),
                _ => Obstacle::Internal,
            };
            reply::obstacle(id, obstacle, &self.with.server)
        })
    }

    /// A message did not go upstream. A list says what is missing, where a person can give it.
    async fn turn_down(self: &Arc<Self>, message: &Peeked<'_>, id: &str, line: &Bytes, refusal: &Refusal) {
        if self.call_of(message).class == MethodClass::List
            && let Some(missing) = missing(refusal)
        {
            self.said().greeting.get_or_insert_with(|| line.clone());
            self.wait_for_person(Contact::Waiting(Reason::Person(missing)));
            return self.list_stand_in(message, id, missing).await;
        }
        self.out.message(&reply::obstacle(id, answer::obstacle(refusal), &self.with.server)).await;
    }
}

/// What a person can give so that it goes on.
pub(super) fn missing(refusal: &Refusal) -> Option<Missing> {
    match answer::obstacle(refusal) {
        Obstacle::SignInNeeded => Some(Missing::SignIn),
        Obstacle::NobodyToAsk | Obstacle::NoAnswer => Some(Missing::Permission),
        Obstacle::NotAllowed if *refusal == Refusal::Denied(DenyReason::Person) => Some(Missing::Permission),
        Obstacle::NotAllowed
        | Obstacle::Unreachable
        | Obstacle::Interrupted
        | Obstacle::SignInRefused
        | Obstacle::IssuerUnavailable
        | Obstacle::KeychainLocked
        | Obstacle::UnknownServer
        | Obstacle::TurnedOff
        | Obstacle::TooMuch
        | Obstacle::Internal
        | Obstacle::NotTrusted
        | Obstacle::ServerRefused(_) => None,
    }
}

/// 404 to a message with a session's id means that the session is over (2025-03-26 and later).
pub(super) fn is_session_lost(relayed: &Response<Relay>, link: &Link) -> bool {
    relayed.status() == StatusCode::NOT_FOUND && link.session.is_some()
}
