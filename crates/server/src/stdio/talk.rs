//! What a client and its server have said to each other so far, and the way of one message upstream.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, HeaderMap, HeaderValue};
use http::{Method, Response};
use keybearer_core::admission::{self, Asking, Initiative, Permit, Refusal};
use keybearer_core::keeper::Standing;
use keybearer_mcp::contact::{self, Missing};
use keybearer_mcp::header::{PROTOCOL_VERSION, SESSION_ID};
use keybearer_mcp::modern;
use keybearer_mcp::parameters::Wanted;
use keybearer_mcp::peek::Peeked;
use keybearer_model::call::{Call, MethodClass};
use serde_json::value::RawValue;
use tokio::sync::watch;

use super::contact::Contact;
use super::delivery;
use super::let_in::LetIn;
use super::old::{self, Old};
use super::outbox::Outbox;
use super::requests::Requests;
use super::said::Said;
use super::session::Session;
use super::tasks::Tasks;
use crate::calls;
use crate::forward::{Outgoing, Relay};

/// How often a client that waits for a person is told so.
const TELLING: Duration = Duration::from_secs(5);

/// One client's conversation with its server.
pub(super) struct Talk {
    pub(super) with: Session,
    pub(super) out: Outbox,
    pub(super) tasks: Tasks,
    pub(super) requests: Requests,
    /// Whether the client's messages reach the server.
    pub(super) contact: watch::Sender<Contact>,
    /// Held by whoever shakes hands with the server: why the last try failed, if no person can change that.
    pub(super) shaking: tokio::sync::Mutex<Option<Refusal>>,
    /// Counts the tries.
    pub(super) tries: AtomicU64,
    let_in: LetIn,
    // Written at handshakes; read for each request, never across an await.
    link: Mutex<Link>,
    pub(super) said: Mutex<Said>,
    /// What the server's tools want to see in headers.
    pub(super) wanted: Mutex<Wanted>,
    /// Counts the sessions that the server has opened and heard `initialized` in.
    pub(super) opened: watch::Sender<u64>,
}

/// What the server said at the last handshake (2025-03-26 to 2025-11-25).
#[derive(Clone, Default)]
pub(super) struct Link {
    pub(super) session: Option<HeaderValue>,
    pub(super) version: Option<HeaderValue>,
    /// Of a server of 2024-11-05, which has none of those.
    pub(super) old: Option<Arc<Old>>,
    /// Counts the handshakes.
    pub(super) round: u64,
}

/// What a message may wait for.
#[derive(Clone, Copy)]
pub(super) struct Waiting<'a> {
    pub(super) initiative: Initiative,
    pub(super) patience: Duration,
    /// Under which the client wants to hear of it, as it was written.
    pub(super) progress: Option<&'a RawValue>,
}

impl Waiting<'_> {
    /// What a message of this class waits for when nothing else is said.
    pub(super) fn of(class: MethodClass) -> Self {
        let initiative = match class {
            MethodClass::Session | MethodClass::List => Initiative::Waits,
            MethodClass::Read | MethodClass::ToolCall | MethodClass::Other => Initiative::OpensSignIn,
        };
        Self { initiative, patience: calls::patience(class), progress: None }
    }
}

impl Talk {
    pub(super) fn new(with: Session, out: Outbox) -> Arc<Self> {
        Arc::new(Self {
            with,
            out,
            tasks: Tasks::default(),
            requests: Requests::default(),
            contact: watch::Sender::new(Contact::Passing),
            shaking: tokio::sync::Mutex::default(),
            tries: AtomicU64::new(0),
            let_in: LetIn::default(),
            link: Mutex::default(),
            said: Mutex::default(),
            wanted: Mutex::default(),
            opened: watch::Sender::new(0),
        })
    }

    /// The call that a message makes.
    pub(super) fn call_of(&self, message: &Peeked<'_>) -> Call {
        calls::call_of(message, &self.with.caller, &self.with.server)
    }

    /// Sends a message with the headers that it needs and waits for the head of its answer.
    pub(super) async fn post(
        &self,
        message: &Peeked<'_>,
        line: &Bytes,
        waiting: Waiting<'_>,
        sent: &AtomicBool,
    ) -> Result<(Response<Relay>, Link), Refusal> {
        let call = self.call_of(message);
        let permit = self.admit(call, message.arguments.unwrap_or_default(), waiting).await?;
        let link = self.link().clone();
        let mut headers = headers(Some(message), &link);
        headers.extend(self.parameter_headers(message));
        let outgoing = Outgoing { method: Method::POST, client: None, headers, body: line.clone() };
        sent.store(true, Ordering::Release);
        let forwarded = async {
            let forwarder = &self.with.forwarder;
            match &link.old {
                Some(old) => forwarder.forward_to(&old.url, permit, &outgoing).await,
                None => forwarder.forward(permit, &outgoing).await,
            }
        };
        let relayed = self.telling(waiting, || self.missing_sign_in(), Box::pin(forwarded)).await?;
        Ok((relayed, link))
    }

    /// Sends what has no body: `GET` or `DELETE`.
    pub(super) async fn send_bodiless(&self, method: Method, headers: HeaderMap) -> Result<Response<Relay>, Refusal> {
        let call = calls::bodiless(&method, &self.with.caller, &self.with.server);
        let waiting = Waiting::of(call.class);
        let permit = self.admit(call, "", waiting).await?;
        Box::pin(self.with.forwarder.forward(permit, &Outgoing { method, client: None, headers, body: Bytes::new() }))
            .await
    }

    pub(super) async fn admit(&self, call: Call, arguments: &str, waiting: Waiting<'_>) -> Result<Permit, Refusal> {
        let session = self.session();
        let registered = self.with.registered.as_deref();
        let Waiting { initiative, patience, .. } = waiting;
        let asking = Asking { registered, arguments, patience, session, initiative };
        let asked = waiting.progress.is_some() && self.is_asked(&call);
        let missing = || if asked { Some(Missing::Permission) } else { self.missing_sign_in() };
        let permit = self.telling(waiting, missing, self.with.broker.admit(call, asking)).await?;
        // Whoever may send one message may keep its session going; what it does in it is judged call by call.
        self.let_in.note(session, self.with.broker.boot());
        Ok(permit)
    }

    /// Waits, and tells the client every few seconds that a person is waited for, if it wants to hear of it.
    pub(super) async fn telling<T>(
        &self,
        waiting: Waiting<'_>,
        missing: impl Fn() -> Option<Missing>,
        waited_for: impl Future<Output = T>,
    ) -> T {
        let Some(token) = waiting.progress else { return waited_for.await };
        let mut waited_for = std::pin::pin!(waited_for);
        let mut step = 0;
        loop {
            tokio::select! {
                done = waited_for.as_mut() => return done,
                () = tokio::time::sleep(TELLING) => if let Some(missing) = missing() {
                    step += 1;
                    self.out.message(&contact::progress(token, step, &self.with.server, missing)).await;
                }
            }
        }
    }

    /// Whether the person is asked before this call goes on.
    pub(super) fn is_asked(&self, call: &Call) -> bool {
        let keeps_session = matches!(call.class, MethodClass::Session | MethodClass::List);
        !(self.session() != admission::Session::Unasked && keeps_session)
            && self.with.broker.asks(call, self.with.registered.as_deref())
    }

    /// Whether the person has let this conversation begin, and that still counts.
    fn session(&self) -> admission::Session {
        if self.with.begun == admission::Session::Looking {
            return admission::Session::Looking;
        }
        self.let_in.session(&self.with.caller, self.with.broker.boot())
    }

    /// Whether nothing of this conversation went upstream yet.
    pub(super) fn is_first(&self) -> bool {
        !self.let_in.has_begun()
    }

    /// That a sign-in is needed or open.
    pub(super) fn missing_sign_in(&self) -> Option<Missing> {
        let standing = self.with.broker.sign_in_state(&self.with.server)?.standing;
        matches!(standing, Standing::Needed(_) | Standing::SigningIn).then_some(Missing::SignIn)
    }

    /// Waits for the requests that are under way, so long; everything else ends now.
    pub(super) async fn finish(&self, patience: Duration) {
        self.tasks.finish(patience).await;
    }

    /// Tells the upstream that its session is over. Its answer does not matter: 405 means that it keeps none.
    pub(super) async fn say_goodbye(&self) {
        let link = self.link().clone();
        if link.session.is_none() {
            return;
        }
        if let Ok(relayed) = self.send_bodiless(Method::DELETE, headers(None, &link)).await {
            let _ = delivery::whole(relayed.into_body()).await;
        }
    }

    pub(super) fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The headers of a request: those of the modern era come from the message, those of the legacy ones from the handshake.
pub(super) fn headers(message: Option<&Peeked<'_>>, link: &Link) -> HeaderMap {
    let mut headers = old::plain_headers();
    if link.old.is_some() {
        return headers;
    }
    headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    if let Some(modern) = message.and_then(modern::headers_for) {
        headers.extend(modern);
        return headers;
    }
    if message.is_some_and(|message| message.method.as_deref() == Some("initialize")) {
        return headers;
    }
    for (name, value) in [(SESSION_ID, &link.session), (PROTOCOL_VERSION, &link.version)] {
        if let Some(value) = value {
            headers.insert(name, value.clone());
        }
    }
    headers
}
