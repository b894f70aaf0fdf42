//! Shaking hands with the server in the client's name: at first contact, when a person has given what was missing, and
//! when the server has forgotten the session.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::Response;
use http::header::HeaderMap;
use keybearer_core::admission::Refusal;
use keybearer_mcp::contact;
use keybearer_mcp::header::SESSION_ID;
use keybearer_mcp::modern;
use keybearer_mcp::peek::{Peeked, peek};
use keybearer_model::call::MethodClass;
use tokio::sync::oneshot;

use super::contact::{Contact, Reason};
use super::delivery::{self, AnswerTo, BodyKind};
use super::exchange::missing;
use super::old::{self, Old};
use super::talk::{Link, Talk, Waiting};
use crate::forward::Relay;

/// A server's description of itself that is longer than this is not remembered.
const LONGEST_MEMORY: usize = 64 << 10;

/// Ours, to see whether a server can be reached with which hands were shaken before.
const PING: &[u8] = br#"{"jsonrpc":"2.0","id":"keybearer-ping","method":"ping"}"#;

/// What the server said.
pub(super) enum Shaken {
    /// Its answer, under the client's id.
    Welcome(Bytes),
    /// Its error, under the client's id.
    Refused(Bytes),
}

impl Talk {
    /// Shakes hands, unless somebody else has done so meanwhile.
    pub(super) async fn shake_hands_in_turn(self: &Arc<Self>, waiting: Waiting<'_>) -> Result<Shaken, Refusal> {
        let tries = self.tries.load(Ordering::Acquire);
        let mut failed = self.shaking.lock().await;
        if self.is_passing() {
            return Ok(Shaken::Welcome(Bytes::new()));
        }
        // Somebody has tried while this one waited for its turn: what no person can change is not waited for twice.
        if let (true, Some(refusal)) = (self.tries.load(Ordering::Acquire) != tries, &*failed) {
            return Err(refusal.clone());
        }
        let greeting = self.said().greeting.clone().unwrap_or_else(|| Bytes::from_static(PING));
        let is_known = self.said().is_welcome;
        let shaken = self.shake_hands(if is_known { Bytes::from_static(PING) } else { greeting }, waiting).await;
        match &shaken {
            Ok(Shaken::Welcome(_)) => self.is_there().await,
            Ok(Shaken::Refused(_)) => self.is_not_there(Reason::Server),
            Err(refusal) => self.is_not_there(missing(refusal).map_or(Reason::Server, Reason::Person)),
        }
        *failed = shaken.as_ref().err().filter(|refusal| missing(refusal).is_none()).cloned();
        self.tries.fetch_add(1, Ordering::AcqRel);
        shaken
    }

    /// The server has forgotten the session that `link` names: opens another one. What is given back is for the client.
    pub(super) async fn open_again(
        self: &Arc<Self>,
        gone: Response<Relay>,
        link: &Link,
    ) -> Result<Option<Response<Relay>>, Refusal> {
        let greeting = self.said().greeting.clone();
        let Some(greeting) = greeting.filter(|_| self.said().is_welcome) else { return Ok(Some(gone)) };
        let _ = delivery::whole(gone.into_body()).await;
        let _turn = self.shaking.lock().await;
        if self.link().round != link.round {
            return Ok(None);
        }
        match self.shake_hands(greeting, Waiting::of(MethodClass::Session)).await? {
            Shaken::Welcome(_) => {
                self.said().forget_told();
                self.say_again().await;
                Ok(None)
            }
            Shaken::Refused(_) => Err(Refusal::Unreachable("it opens no new session".into())),
        }
    }

    /// The stream of a server of 2024-11-05 has ended: opens another one.
    pub(super) async fn open_old_again(self: &Arc<Self>) -> Result<(), Refusal> {
        let is_closed = || self.link().old.as_ref().is_some_and(|old| old.is_closed());
        if !is_closed() {
            return Ok(());
        }
        let _turn = self.shaking.lock().await;
        let greeting = self.said().greeting.clone();
        if let Some(greeting) = greeting.filter(|_| is_closed())
            && let Shaken::Welcome(_) = self.shake_hands(greeting, Waiting::of(MethodClass::Session)).await?
        {
            self.said().forget_told();
            self.say_again().await;
        }
        Ok(())
    }

    async fn shake_hands(self: &Arc<Self>, line: Bytes, waiting: Waiting<'_>) -> Result<Shaken, Refusal> {
        let no_greeting = |_| Refusal::Unreachable("there is no greeting".into());
        let message = peek(&line).map_err(no_greeting)?;
        let id = message.request_id().unwrap_or("null");
        let is_initialize = message.method.as_deref() == Some("initialize");
        if let Some(old) = self.old_for(is_initialize) {
            return Ok(Shaken::Welcome(self.ask_old(&old, &message, &line, waiting).await?));
        }
        let (relayed, _) = self.post(&message, &line, waiting, &AtomicBool::new(false)).await?;
        let (head, relay) = relayed.into_parts();
        let kind = BodyKind::of(&head.headers);
        if is_initialize
            && old::may_be_old(head.status)
            && let Some(old) = self.open_old().await?
        {
            let _ = delivery::whole(relay).await;
            return self.shake_hands_with_old(old, &message, &line, waiting).await;
        }
        if !head.status.is_success() || kind == BodyKind::Other {
            return Ok(Shaken::Refused(self.failure(head.status, relay, id, message.method_word()).await.into()));
        }
        let broke_off = || Refusal::Interrupted("the handshake broke off".into());
        let answer = self.answer_inside(relay, kind, id).await.ok_or_else(broke_off)?;
        let Some((result, version)) = contact::result_in(&answer) else { return Ok(Shaken::Refused(answer)) };
        match message.method.as_deref() {
            Some("initialize") => {
                self.renew_link(&head.headers, version.as_deref());
                self.remember("initialize", result);
            }
            Some("server/discover") => self.remember("server/discover", result),
            Some(_) | None => {}
        }
        Ok(Shaken::Welcome(answer))
    }

    /// The stream that answers, unless another one is about to be opened.
    fn old_for(&self, is_initialize: bool) -> Option<Arc<Old>> {
        let mut link = self.link();
        if is_initialize {
            link.old = None;
        }
        link.old.clone()
    }

    async fn shake_hands_with_old(
        self: &Arc<Self>,
        old: Arc<Old>,
        message: &Peeked<'_>,
        line: &Bytes,
        waiting: Waiting<'_>,
    ) -> Result<Shaken, Refusal> {
        self.link().old = Some(Arc::clone(&old));
        let answer = self.ask_old(&old, message, line, waiting).await?;
        let Some((result, _)) = contact::result_in(&answer) else { return Ok(Shaken::Refused(answer)) };
        self.renew_link(&HeaderMap::new(), None);
        self.remember("initialize", result);
        Ok(Shaken::Welcome(answer))
    }

    /// The answer to a request of ours; what else comes with it is the client's.
    pub(super) async fn answer_inside(self: &Arc<Self>, relay: Relay, kind: BodyKind, id: &str) -> Option<Bytes> {
        if kind == BodyKind::Json {
            return delivery::whole(relay).await.filter(|body| !body.trim_ascii().is_empty());
        }
        let (asked, answer) = oneshot::channel();
        let (id, out) = (id.to_owned(), self.out.clone());
        self.tasks.background(async move {
            delivery::follow(relay, Some(&id), AnswerTo::Inside(Some(asked)), &out).await;
        });
        answer.await.ok()
    }

    fn renew_link(&self, headers: &HeaderMap, version: Option<&str>) {
        let mut link = self.link();
        link.session = headers.get(SESSION_ID).cloned();
        link.version = version.and_then(|version| version.parse().ok());
        link.round += 1;
        drop(link);
        self.said().is_welcome = true;
    }

    /// The client's messages reach the server from now on; a client that was answered here learns it.
    async fn is_there(self: &Arc<Self>) {
        if *self.contact.borrow() == Contact::Greeting {
            self.contact.send_replace(Contact::Passing);
            return;
        }
        self.say_again().await;
        self.contact.send_replace(Contact::Passing);
        // The client may have said it just now.
        self.say_initialized().await;
        if !self.greeted_modern() {
            let remembered = self.remembered("initialize").await;
            for notice in contact::lists_changed(remembered.as_deref()) {
                self.out.message(&notice).await;
            }
        }
    }

    fn is_not_there(&self, reason: Reason) {
        self.contact.send_modify(|contact| match contact {
            Contact::Greeting | Contact::Passing => *contact = Contact::Passing,
            Contact::Waiting(_) => *contact = Contact::Waiting(reason),
        });
    }

    /// Says to a new session what the client said to the one before.
    async fn say_again(self: &Arc<Self>) {
        self.say_initialized().await;
        let lasting = self.said().lasting();
        for line in lasting {
            self.ask_inside(&line).await;
        }
    }

    async fn say_initialized(self: &Arc<Self>) {
        let unsaid = self.said().claim_initialized();
        if let Some(line) = unsaid {
            self.ask_inside(&line).await;
            self.opened.send_modify(|count| *count += 1);
            self.listen_always();
        }
    }

    /// Sends a line of the client's whose answer it has had already.
    async fn ask_inside(self: &Arc<Self>, line: &Bytes) {
        let Ok(message) = peek(line) else { return };
        let waiting = Waiting::of(MethodClass::Session);
        let old = self.link().old.clone();
        if let (Some(old), Some(_)) = (old, message.request_id()) {
            let _ = self.ask_old(&old, &message, line, waiting).await;
            return;
        }
        let Ok((relayed, _)) = self.post(&message, line, waiting, &AtomicBool::new(false)).await else { return };
        let (head, relay) = relayed.into_parts();
        match message.request_id() {
            Some(id) => drop(self.answer_inside(relay, BodyKind::of(&head.headers), id).await),
            None => drop(delivery::whole(relay).await),
        }
    }

    fn greeted_modern(&self) -> bool {
        let greeting = self.said().greeting.clone();
        greeting.is_some_and(|line| peek(&line).is_ok_and(|message| modern::is_modern(&message)))
    }

    /// What the server answered to this method the last time, whoever asked.
    pub(super) async fn remembered(&self, method: &str) -> Option<String> {
        let (store, key) = (Arc::clone(self.with.broker.store()), self.memory(method));
        tokio::task::spawn_blocking(move || store.setting(&key).ok().flatten()).await.ok().flatten()
    }

    fn remember(&self, method: &str, result: &str) {
        if result.len() > LONGEST_MEMORY {
            return;
        }
        let (store, key, result) = (Arc::clone(self.with.broker.store()), self.memory(method), result.to_owned());
        tokio::task::spawn_blocking(move || {
            let before = store.setting(&key).ok().flatten();
            if before.as_deref() != Some(&result)
                && let Err(error) = store.set(&key, &result)
            {
                tracing::info!(%error, "a handshake was not remembered");
            }
        });
    }

    fn memory(&self, method: &str) -> String {
        let kind = if method == "initialize" { "handshake" } else { "discovery" };
        format!("{kind}/{}", self.with.server)
    }
}
