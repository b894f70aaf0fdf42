//! One request at the HTTP or the socket door, from its head to the answer's head.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName};
use http::request::Parts;
use http::{Method, Request, Response, StatusCode};
use keybearer_core::admission::{self, Asking, Initiative, Permit, Refusal};
use keybearer_core::audit::Outcome;
use keybearer_core::broker::Broker;
use keybearer_mcp::peek::{Kind, Peeked, peek};
use keybearer_mcp::{agreement, header, reply};
use keybearer_model::call::Call;
use keybearer_model::name::ServerName;

use self::collect::collect;
use self::session::Session;
use crate::answer::{self, Answer};
use crate::calls;
use crate::connection::Connection;
use crate::doorways::Doorways;
use crate::draining::Draining;
use crate::forward::{Forwarder, Outgoing, Passing, Relay};
use crate::gate::{self, Target};
use crate::half_closed::Said;
use crate::keep_alive::{self, KeepAlive};
use crate::legacy::{Endpoint, Endpoints, Opening};
use crate::limits::{Limits, Weight};
use crate::own::HttpDoor;
use crate::relayed::Relayed;
use crate::sessions::Sessions;
use crate::turned_away::{self, TurnedAway};
use crate::visitor::Visitor;

mod batch;
mod collect;
mod session;

/// The largest message that a client may send (SEC-14).
pub(crate) const LARGEST_MESSAGE: usize = 4 << 20;

/// What every exchange at the HTTP and socket doors needs.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) broker: Broker,
    pub(crate) forwarder: Arc<Forwarder>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) turned_away: TurnedAway,
    /// Keybearer's own MCP server.
    pub(crate) own: Arc<HttpDoor>,
    pub(crate) doorways: Doorways,
    pub(crate) draining: Draining,
    /// After how long a silence an event stream gets a comment.
    pub(crate) silence: Duration,
}

/// A request that was let in: who sends it to which server.
struct Errand<'a> {
    head: &'a Parts,
    visitor: &'a Visitor,
    server: &'a ServerName,
    /// Of the era that has no sessions.
    modern: bool,
    /// Where its message goes, if not to the server's own address.
    endpoint: Option<Arc<Endpoint>>,
}

/// Why a call that was classified does not come back with an answer of its server.
enum Stopped {
    Refused(Refusal),
    /// Its session is not known, or not the caller's.
    UnknownSession,
}

impl Exchange {
    /// Answers one request. It never fails: what cannot be answered otherwise is an empty 4xx.
    pub(crate) async fn answer(&self, connection: &Connection, request: Request<Said>) -> Response<Answer> {
        let (head, body) = request.into_parts();
        let door = connection.door.word();
        let (target, visitor) = match self.let_in(connection, &head) {
            Ok((Target::Health, _)) => return answer::health(),
            Ok(let_in) => let_in,
            Err(status) => {
                self.turned_away.count(door, turned_away::reason(status), None);
                return answer::empty(status);
            }
        };
        let weight = if head.method == Method::GET { Weight::Stream } else { Weight::Call };
        match self.limits.enter(visitor.caller.principal(), weight, self.broker.config().limits) {
            Ok(pass) => {
                let mut response = self.serve(&head, body, target, &visitor).await;
                response.body_mut().hold(pass);
                self.forwarder.spare(head.headers);
                response
            }
            Err(limit) => {
                self.turned_away.count(door, limit.word(), visitor.caller.client.as_ref());
                answer::too_much()
            }
        }
    }

    /// Stages 1 and 2: what is asked for, and by whom.
    fn let_in<'a>(&self, connection: &Connection, head: &'a Parts) -> Result<(Target<'a>, Visitor), StatusCode> {
        let passed = gate::judge(head, &connection.door)?;
        let visitor = connection.knocker.visitor(&self.broker, passed.key).ok_or(StatusCode::UNAUTHORIZED)?;
        if passed.from_container && !visitor.may_come_from_container() {
            return Err(StatusCode::UNAUTHORIZED);
        }
        Ok((passed.target, visitor))
    }

    async fn serve(&self, head: &Parts, body: Said, target: Target<'_>, visitor: &Visitor) -> Response<Answer> {
        let (name, message_id) = match target {
            Target::Server(name) => (name, None),
            Target::Messages { server, id } => (server, Some(id)),
            Target::Own => {
                return match collect(body).await {
                    Ok(body) => self.own.answer(head, body, visitor).await,
                    Err(status) => answer::empty(status),
                };
            }
            Target::Health => return answer::health(),
        };
        let Ok(server) = name.parse::<ServerName>() else { return answer::empty(StatusCode::NOT_FOUND) };
        let endpoint = message_id.map(|id| self.endpoints.find(id, &server, visitor));
        // The stream that it belonged to has ended, or it is somebody else's.
        if let Some(None) = endpoint {
            return answer::empty(StatusCode::NOT_FOUND);
        }
        let modern = agreement::is_modern(&head.headers);
        let errand = Errand { head, visitor, server: &server, modern, endpoint: endpoint.flatten() };
        match head.method {
            Method::POST => self.post(&errand, body).await,
            _ => self.bodiless(&errand).await,
        }
    }

    async fn post(&self, errand: &Errand<'_>, body: Said) -> Response<Answer> {
        let body = match collect(body).await {
            Ok(body) => body,
            Err(status) => return answer::empty(status),
        };
        let message = match peek(&body) {
            Ok(message) => message,
            Err(refused) => return answer::json(StatusCode::BAD_REQUEST, reply::refused(&refused)),
        };
        if let Some(header) = agreement::contradicted(&errand.head.headers, &message) {
            return answer::contradicted(message.request_id(), &header);
        }
        if let Kind::Batch(members) = &message.kind {
            return self.batch(errand, members, body.clone()).await;
        }
        let call = calls::call_of(&message, &errand.visitor.caller, errand.server);
        match self.send(errand, call, message.arguments.unwrap_or_default(), body.clone()).await {
            Ok(answered) => answered,
            Err(Stopped::Refused(refusal)) => refuse(&message, &refusal, errand.server),
            Err(Stopped::UnknownSession) => answer::unknown_session(message.request_id()),
        }
    }

    async fn bodiless(&self, errand: &Errand<'_>) -> Response<Answer> {
        let call = calls::bodiless(&errand.head.method, &errand.visitor.caller, errand.server);
        match self.send(errand, call, "", Bytes::new()).await {
            Ok(answered) => answered,
            Err(Stopped::UnknownSession) => answer::unknown_session(None),
            Err(Stopped::Refused(refusal)) => answer::empty(match refusal {
                Refusal::UnknownServer => StatusCode::NOT_FOUND,
                Refusal::Unreachable(_) | Refusal::NotTrusted(_) | Refusal::Interrupted(_) => StatusCode::BAD_GATEWAY,
                Refusal::Denied(_) | Refusal::Credential(_) => StatusCode::FORBIDDEN,
            }),
        }
    }

    /// Stages 4 to 7, and what the answer means for the caller's session.
    async fn send(
        &self,
        errand: &Errand<'_>,
        call: Call,
        arguments: &str,
        body: Bytes,
    ) -> Result<Response<Answer>, Stopped> {
        let Ok(session) = self.session(errand) else {
            self.broker.record_refused(call, Outcome::UnknownSession);
            return Err(Stopped::UnknownSession);
        };
        let patience = calls::patience(call.class);
        let permit = self.admit(errand, call, arguments, patience).await.map_err(Stopped::Refused)?;
        let mut permit = self.in_session(&session, permit)?;
        let account = session.account_to_bind(&permit);
        let mut outgoing = errand.outgoing(body);
        permit.pass_on(&errand.head.headers, &mut outgoing.headers);
        let stream = errand.may_open_a_stream(&session).then(|| permit.upstream().as_url().clone());
        let relayed = match &errand.endpoint {
            Some(endpoint) => self.forwarder.forward_to(&endpoint.url, permit, &outgoing).await,
            None => self.forwarder.forward(permit, &outgoing).await,
        };
        let relayed = relayed.map_err(Stopped::Refused)?;
        self.follow(errand, &session, account.as_deref(), &relayed);
        let opening = stream.filter(|_| keep_alive::is_event_stream(relayed.headers()));
        let opening = opening.map(|stream| Opening::new(&self.endpoints, errand.server, errand.visitor, stream));
        let mut response = self.relay(errand, relayed, Vec::new());
        response.body_mut().begin_with(opening);
        Ok(response)
    }

    async fn admit(
        &self,
        errand: &Errand<'_>,
        call: Call,
        arguments: &str,
        patience: Duration,
    ) -> Result<Permit, Refusal> {
        let asking = Asking {
            registered: errand.visitor.registered.as_deref(),
            arguments,
            patience,
            session: admission::Session::Unasked,
            initiative: Initiative::OpensSignIn,
        };
        self.broker.admit(call, asking).await
    }

    /// The answer as the client gets it; `others` are the other calls of the batch that it answers.
    fn relay(&self, errand: &Errand<'_>, relayed: Response<Relay>, others: Vec<Permit>) -> Response<Answer> {
        let (mut head, relay) = relayed.into_parts();
        let client = errand.visitor.registered.as_ref().map(Arc::clone);
        let keep_alive = KeepAlive::over(&head.headers, self.silence);
        let relayed = Relayed::new(relay, client, keep_alive);
        withhold(&mut head.headers, errand.modern);
        let mut response = Response::new(Answer::Relayed(relayed.answering(others, head.status)));
        *response.status_mut() = head.status;
        *response.headers_mut() = head.headers;
        response
    }
}

impl Errand<'_> {
    /// Whether the answer may be a stream of 2024-11-05, which has no sessions yet.
    fn may_open_a_stream(&self, session: &Session<'_>) -> bool {
        self.head.method == Method::GET && !self.modern && matches!(session, Session::None)
    }

    /// What goes on to the server: of the client's fields those that pass.
    fn outgoing(&self, body: Bytes) -> Outgoing<'_> {
        let passes = |name: &HeaderName| header::request_passes(name);
        let passes_now = |name: &HeaderName| header::request_passes(name) && !is_idle(name, true);
        let client = Passing { headers: &self.head.headers, passes: if self.modern { passes_now } else { passes } };
        Outgoing { method: self.head.method.clone(), client: Some(client), headers: HeaderMap::new(), body }
    }
}

/// In the modern era there are no sessions to speak of.
fn is_idle(name: &HeaderName, modern: bool) -> bool {
    modern && *name == header::SESSION_ID
}

/// Takes out of an answer's headers those that do not pass.
fn withhold(headers: &mut HeaderMap, modern: bool) {
    let passes = |name: &HeaderName| header::response_passes(name) && !is_idle(name, modern);
    while let Some(name) = headers.keys().find(|name| !passes(name)).cloned() {
        headers.remove(name);
    }
}

/// A refused request is answered in JSON-RPC, so that the model reads the sentence; nothing else has an id to answer.
fn refuse(message: &Peeked<'_>, refusal: &Refusal, server: &ServerName) -> Response<Answer> {
    let obstacle = answer::obstacle(refusal);
    match message.request_id() {
        Some(id) => {
            let status = if *refusal == Refusal::UnknownServer { StatusCode::NOT_FOUND } else { StatusCode::OK };
            answer::json(status, reply::obstacle(id, obstacle, server))
        }
        None => answer::empty(StatusCode::FORBIDDEN),
    }
}
