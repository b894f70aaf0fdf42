//! What a request gets while its server is out of reach: an answer from here, or its turn when the server is there.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use keybearer_core::admission::Refusal;
use keybearer_core::audit::Outcome;
use keybearer_core::keeper::CredentialError;
use keybearer_mcp::contact::{self, Missing};
use keybearer_mcp::modern;
use keybearer_mcp::peek::Peeked;
use keybearer_mcp::reply::{self, Obstacle};
use keybearer_model::call::MethodClass;
use keybearer_model::verdict::DenyReason;
use tokio::time::Instant;

use super::contact::{Contact, Reason};
use super::talk::{Talk, Waiting};
use crate::answer;

/// The least that a message has left for its own question after the wait for the server.
const LEAST: Duration = Duration::from_secs(5);

impl Talk {
    /// Serves a request while the client is answered here.
    pub(super) async fn stand_in(self: &Arc<Self>, message: &Peeked<'_>, id: &str, line: &Bytes, sent: &AtomicBool) {
        let contact = *self.contact.borrow();
        let class = self.call_of(message).class;
        match (message.method.as_deref(), contact) {
            (Some("ping"), _) => self.out.message(&contact::empty(id)).await,
            (Some("logging/setLevel"), Contact::Waiting(_)) => {
                self.said().note(message, line);
                self.out.message(&contact::empty(id)).await;
            }
            (Some("server/discover"), _) => self.answer_greeting(message, id, line).await,
            (Some("subscriptions/listen"), _) => {
                let _ = self.contact.subscribe().wait_for(|contact| *contact == Contact::Passing).await;
                self.exchange(message, id, line, Waiting::of(class), sent).await;
            }
            (Some("tools/call"), _) if message.tool.as_deref() == Some(contact::SIGN_IN) => {
                self.sign_in(message, id, line).await;
            }
            (_, Contact::Waiting(Reason::Person(missing))) if class == MethodClass::List => {
                let outcome = match missing {
                    Missing::SignIn => Outcome::SignInNeeded,
                    Missing::Permission => Outcome::Denied,
                };
                self.with.broker.record_refused(self.call_of(message), outcome);
                self.list_stand_in(message, id, missing).await;
            }
            _ => self.wait_and_exchange(message, id, line, sent).await,
        }
    }

    /// Waits until the server is there, and sends the request then.
    async fn wait_and_exchange(self: &Arc<Self>, message: &Peeked<'_>, id: &str, line: &Bytes, sent: &AtomicBool) {
        let waiting = Waiting { progress: contact::aside(line).progress_token, ..self.waiting_at(message) };
        let deadline = Instant::now() + waiting.patience;
        match self.reach_by(waiting, deadline).await {
            Ok(()) => {
                self.said().note(message, line);
                let patience = deadline.saturating_duration_since(Instant::now()).max(LEAST);
                self.exchange(message, id, line, Waiting { patience, ..waiting }, sent).await;
            }
            Err(refusal) => {
                self.with.broker.record_refused(self.call_of(message), outcome_of(&refusal));
                self.out.message(&reply::obstacle(id, answer::obstacle(&refusal), &self.with.server)).await;
            }
        }
    }

    /// The tool that was offered: opens what the person has to see, and waits for it.
    async fn sign_in(self: &Arc<Self>, message: &Peeked<'_>, id: &str, line: &Bytes) {
        let waiting = Waiting { progress: contact::aside(line).progress_token, ..self.waiting_at(message) };
        let reached = self.reach_by(waiting, Instant::now() + waiting.patience).await;
        let (server, modern) = (&self.with.server, modern::is_modern(message));
        let answer = match reached {
            Ok(()) => {
                let account = self.with.broker.sign_in_state(server).and_then(|state| state.account?.email);
                contact::signed_in(id, modern, server, account.as_deref())
            }
            Err(refusal) => contact::not_signed_in(id, modern, &self.why_not(&refusal)),
        };
        self.out.message(&answer).await;
    }

    /// What stands in the way, and what the person can do about it here.
    fn why_not(&self, refusal: &Refusal) -> String {
        let (obstacle, server) = (answer::obstacle(refusal), &self.with.server);
        if obstacle == Obstacle::SignInNeeded && !self.with.broker.can_show_pages() {
            return reply::sign_in_in_a_terminal(server);
        }
        reply::sentence(obstacle, server)
    }

    fn waiting_at(&self, message: &Peeked<'_>) -> Waiting<'static> {
        Waiting::of(self.call_of(message).class)
    }

    /// Reaches the server by the deadline. What was opened for it goes on: an answer that comes later counts.
    async fn reach_by(self: &Arc<Self>, waiting: Waiting<'_>, deadline: Instant) -> Result<(), Refusal> {
        let missing = || match *self.contact.borrow() {
            Contact::Waiting(Reason::Person(Missing::Permission)) => Some(Missing::Permission),
            Contact::Waiting(_) | Contact::Greeting | Contact::Passing => self.missing_sign_in(),
        };
        let quiet = Waiting { progress: None, ..waiting };
        let reaching = tokio::time::timeout_at(deadline, self.reach(quiet));
        match self.telling(waiting, missing, reaching).await {
            Ok(reached) => reached,
            Err(_) => Err(match missing() {
                Some(Missing::SignIn) => CredentialError::SignInNeeded.into(),
                Some(Missing::Permission) => Refusal::Denied(DenyReason::NoAnswer),
                None => Refusal::Unreachable("no answer to the handshake".into()),
            }),
        }
    }
}

fn outcome_of(refusal: &Refusal) -> Outcome {
    match refusal {
        Refusal::UnknownServer => Outcome::UnknownServer,
        Refusal::Denied(_) => Outcome::Denied,
        Refusal::Credential(CredentialError::SignInNeeded) => Outcome::SignInNeeded,
        Refusal::Credential(CredentialError::RefusedByServer) => Outcome::RefusedByServer,
        Refusal::Credential(CredentialError::IssuerUnavailable(_)) => Outcome::IssuerUnavailable,
        Refusal::Credential(CredentialError::KeyStore(_)) => Outcome::KeyStore,
        Refusal::Unreachable(_) | Refusal::NotTrusted(_) => Outcome::Unreachable,
        Refusal::Interrupted(_) => Outcome::Interrupted,
    }
}
