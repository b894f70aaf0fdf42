//! First contact: a handshake is answered within a second, whatever a person still has to give for it.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use keybearer_core::admission::Refusal;
use keybearer_core::keeper::Standing;
use keybearer_mcp::contact::{self, Missing};
use keybearer_mcp::modern;
use keybearer_mcp::peek::{Peeked, peek};
use keybearer_mcp::reply;
use keybearer_model::call::MethodClass;

use super::delivery;
use super::exchange::missing;
use super::shake::Shaken;
use super::talk::{Talk, Waiting};
use crate::answer;

/// How long a server has for the handshake before the client is answered without it.
const GRACE: Duration = Duration::from_millis(700);

/// How long the question that a handshake raises may stay open in the background; the prompter's own limit is shorter.
const BACKGROUND: Duration = Duration::from_secs(600);

/// Whether a client's messages reach its server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Contact {
    /// They do.
    Passing,
    /// The server is being asked, and may still be in time.
    Greeting,
    /// They are answered here.
    Waiting(Reason),
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// A person has to give something.
    Person(Missing),
    /// The server takes its time.
    Server,
}

impl Talk {
    /// Answers what opens a conversation: by the server if it is quick, by what is known of it if not.
    pub(super) async fn greet(self: &Arc<Self>, message: &Peeked<'_>, id: &str, line: &Bytes) {
        let is_first_list = !matches!(message.method.as_deref(), Some("initialize" | "server/discover"));
        self.said().greet(line);
        self.contact.send_replace(Contact::Greeting);
        let (answer, mut answered) = tokio::sync::oneshot::channel();
        let talk = Arc::clone(self);
        self.tasks.background(async move {
            let waiting = Waiting { patience: BACKGROUND, ..Waiting::of(MethodClass::Session) };
            let shaken = talk.shake_hands_in_turn(waiting).await;
            let _ = answer.send(shaken);
        });
        let in_time = tokio::time::timeout(GRACE, &mut answered).await;
        let shaken = match in_time {
            Ok(shaken) => shaken,
            // It may have been in time and not have said so.
            Err(_) if !self.give_up_greeting(message) => answered.await,
            Err(_) => return self.answer_greeting(message, id, line).await,
        };
        match shaken {
            Ok(Ok(Shaken::Welcome(answer) | Shaken::Refused(answer))) => {
                if is_first_list {
                    self.said().greeting = None;
                }
                let cleaned = if modern::is_modern(message) { self.learn(&answer) } else { None };
                self.out.message(cleaned.as_deref().unwrap_or(&answer)).await;
            }
            Ok(Err(refusal)) => match missing(&refusal) {
                Some(missing) => {
                    self.wait_for_person(Contact::Waiting(Reason::Person(missing)));
                    self.answer_greeting(message, id, line).await;
                }
                None => self.out.message(&reply::obstacle(id, answer::obstacle(&refusal), &self.with.server)).await,
            },
            Err(_) => {}
        }
    }

    /// The grace is over. False if the server has answered meanwhile.
    fn give_up_greeting(self: &Arc<Self>, message: &Peeked<'_>) -> bool {
        let reason = match self.missing_sign_in() {
            _ if self.is_asked(&self.call_of(message)) => Reason::Person(Missing::Permission),
            Some(missing) => Reason::Person(missing),
            None => Reason::Server,
        };
        let given_up = self.contact.send_if_modified(|contact| {
            let greeting = *contact == Contact::Greeting;
            if greeting {
                *contact = Contact::Waiting(reason);
            }
            greeting
        });
        if given_up {
            self.watch_for_person();
        }
        given_up
    }

    /// From now on the client is answered here.
    pub(super) fn wait_for_person(self: &Arc<Self>, contact: Contact) {
        self.contact.send_replace(contact);
        self.watch_for_person();
    }

    /// Answers a handshake, or the list that began a conversation, from what is known.
    pub(super) async fn answer_greeting(self: &Arc<Self>, message: &Peeked<'_>, id: &str, line: &Bytes) {
        let Contact::Waiting(reason) = *self.contact.borrow() else { return };
        let missing = match reason {
            Reason::Person(missing) => missing,
            Reason::Server => Missing::SignIn,
        };
        match message.method.as_deref() {
            Some("initialize") => {
                let (remembered, wanted) = (self.remembered("initialize").await, contact::aside(line).wanted);
                let answer = contact::initialized(id, wanted.as_deref(), remembered.as_deref(), missing);
                self.out.message(&answer).await;
            }
            Some("server/discover") => {
                let known = self.remembered("server/discover").await.filter(|_| missing == Missing::SignIn);
                let answer = match known {
                    Some(result) => contact::result_again(id, &result),
                    None => delivery::not_modern(id),
                };
                self.out.message(&answer).await;
            }
            Some(_) | None => self.stand_in_soon(line.clone()),
        }
    }

    /// Serves a list that began a conversation; the next line is not kept waiting.
    fn stand_in_soon(self: &Arc<Self>, line: Bytes) {
        let talk = Arc::clone(self);
        self.tasks.request(async move {
            let Ok(message) = peek(&line) else { return };
            let Some(id) = message.request_id() else { return };
            talk.stand_in(&message, id, &line, &AtomicBool::new(false)).await;
        });
    }

    /// The one tool, or an empty list.
    pub(super) async fn list_stand_in(&self, message: &Peeked<'_>, id: &str, missing: Missing) {
        let (method, modern) = (message.method_word(), modern::is_modern(message));
        if let Some(list) = contact::list(id, method, modern, &self.with.server, missing) {
            if method == "tools/list" {
                self.said().offered = true;
            }
            self.out.message(&list).await;
        }
    }

    /// Looks whenever something changes whether the person has given what is missing.
    fn watch_for_person(self: &Arc<Self>) {
        if std::mem::replace(&mut self.said().watches, true) {
            return;
        }
        let talk = Arc::clone(self);
        self.tasks.background(async move {
            let (mut changes, mut contact) = (talk.with.broker.changes(), talk.contact.subscribe());
            while contact.wait_for(|contact| matches!(contact, Contact::Waiting(_))).await.is_ok() {
                changes.borrow_and_update();
                let Contact::Waiting(reason) = *talk.contact.borrow() else { continue };
                if talk.is_given(reason) {
                    let _ = talk.reach(Waiting::of(MethodClass::Session)).await;
                }
                tokio::select! {
                    changed = changes.changed() => if changed.is_err() { return },
                    changed = contact.changed() => if changed.is_err() { return },
                }
            }
        });
    }

    fn is_given(&self, reason: Reason) -> bool {
        match reason {
            Reason::Person(Missing::SignIn) => {
                let standing = self.with.broker.sign_in_state(&self.with.server).map(|state| state.standing);
                matches!(standing, Some(Standing::Ready | Standing::SignedIn { .. } | Standing::Renewing))
            }
            Reason::Person(Missing::Permission) => {
                let greeting = self.said().greeting.clone();
                let message = greeting.as_ref().and_then(|line| peek(line).ok());
                message.is_some_and(|message| !self.is_asked(&self.call_of(&message)))
            }
            Reason::Server => false,
        }
    }

    /// Brings the client and its server together, as far as `waiting` allows.
    pub(super) async fn reach(self: &Arc<Self>, waiting: Waiting<'_>) -> Result<(), Refusal> {
        if self.is_passing() {
            return Ok(());
        }
        match Box::pin(self.shake_hands_in_turn(waiting)).await {
            Ok(Shaken::Welcome(_)) => Ok(()),
            Ok(Shaken::Refused(_)) => Err(Refusal::Unreachable("it refuses the handshake".into())),
            Err(refusal) => Err(refusal),
        }
    }
}
