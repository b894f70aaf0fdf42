//! One request at the HTTP door, from its head to the answer's head.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::header::HeaderMap;
use http::request::Parts;
use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Incoming};
use keybearer_core::admission::{self, Asking, Initiative, Refusal};
use keybearer_core::broker::Broker;
use keybearer_core::clients::Registered;
use keybearer_mcp::peek::{Kind, Peeked, peek};
use keybearer_mcp::{header, reply};
use keybearer_model::call::Call;
use keybearer_model::name::ServerName;

use crate::answer::{self, Answer};
use crate::calls;
use crate::forward::{Forwarder, Outgoing, Relay};
use crate::gate::{self, Hosts, Target};

/// The largest message that a client may send (SEC-14).
pub(crate) const LARGEST_MESSAGE: usize = 4 << 20;

/// What every exchange at the HTTP door needs.
#[derive(Clone)]
pub(crate) struct Exchange {
    pub(crate) broker: Broker,
    pub(crate) forwarder: Arc<Forwarder>,
}

impl Exchange {
    /// Answers one request. It never fails: what cannot be answered otherwise is an empty 4xx.
    pub(crate) async fn answer(self, hosts: &Hosts, request: Request<Incoming>) -> Response<Answer> {
        let (head, body) = request.into_parts();
        let passed = match gate::judge(&head, hosts) {
            Ok(passed) => passed,
            Err(status) => return answer::empty(status),
        };
        let Some(client) = self.broker.clients().by_key(passed.key).map(Arc::clone) else {
            return answer::empty(StatusCode::UNAUTHORIZED);
        };
        let Target::Server(name) = passed.target else { return answer::empty(StatusCode::NOT_FOUND) };
        let Ok(server) = name.parse::<ServerName>() else { return answer::empty(StatusCode::NOT_FOUND) };
        match head.method {
            Method::POST => self.post(&head, body, &client, &server).await,
            _ => self.bodiless(&head, &client, &server).await,
        }
    }

    async fn post(&self, head: &Parts, body: Incoming, client: &Registered, server: &ServerName) -> Response<Answer> {
        let body = match collect(body).await {
            Ok(body) => body,
            Err(status) => return answer::empty(status),
        };
        let message = match peek(&body) {
            Ok(message) => message,
            Err(refused) => return answer::json(StatusCode::BAD_REQUEST, reply::refused(&refused)),
        };
        if matches!(message.kind, Kind::Batch(_)) {
            let text = "several messages in one request are not served here; send them one by one";
            return answer::json(StatusCode::BAD_REQUEST, reply::error("null", -32600, "batch", text));
        }
        let call = calls::call_of(&message, &client.caller, server);
        let outgoing = Outgoing { method: Method::POST, headers: passing(&head.headers), body: body.clone() };
        let arguments = message.arguments.unwrap_or_default();
        match self.send(call, arguments, client, &outgoing).await {
            Ok(relayed) => relay(relayed, client),
            Err(refusal) => refuse(&message, &refusal, server),
        }
    }

    async fn bodiless(&self, head: &Parts, client: &Registered, server: &ServerName) -> Response<Answer> {
        let call = calls::bodiless(&head.method, &client.caller, server);
        let outgoing = Outgoing { method: head.method.clone(), headers: passing(&head.headers), body: Bytes::new() };
        match self.send(call, "", client, &outgoing).await {
            Ok(relayed) => relay(relayed, client),
            Err(Refusal::UnknownServer) => answer::empty(StatusCode::NOT_FOUND),
            Err(Refusal::Unreachable(_) | Refusal::NotTrusted(_) | Refusal::Interrupted(_)) => {
                answer::empty(StatusCode::BAD_GATEWAY)
            }
            Err(Refusal::Denied(_) | Refusal::Credential(_)) => answer::empty(StatusCode::FORBIDDEN),
        }
    }

    async fn send(
        &self,
        call: Call,
        arguments: &str,
        client: &Registered,
        outgoing: &Outgoing,
    ) -> Result<Response<Relay>, Refusal> {
        let patience = calls::patience(call.class);
        let asking = Asking {
            registered: Some(client),
            arguments,
            patience,
            session: admission::Session::Unasked,
            initiative: Initiative::OpensSignIn,
        };
        let permit = self.broker.admit(call, asking).await?;
        self.forwarder.forward(permit, outgoing).await
    }
}

/// The whole body, without a copy where it came in one piece.
async fn collect(mut body: Incoming) -> Result<Bytes, StatusCode> {
    if body.size_hint().lower() > LARGEST_MESSAGE as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| StatusCode::BAD_REQUEST)?.into_data() else { continue };
        if first.len() + rest.len() + data.len() > LARGEST_MESSAGE {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        if first.is_empty() {
            first = data;
        } else {
            rest.extend_from_slice(&data);
        }
    }
    if rest.is_empty() {
        return Ok(first);
    }
    let mut whole = BytesMut::with_capacity(first.len() + rest.len());
    whole.extend_from_slice(&first);
    whole.extend_from_slice(&rest);
    Ok(whole.freeze())
}

/// A client's headers that go on to the server.
fn passing(headers: &HeaderMap) -> HeaderMap {
    select(headers, header::request_passes)
}

fn select(headers: &HeaderMap, passes: fn(&HeaderName) -> bool) -> HeaderMap {
    let passing = headers.iter().filter(|(name, _)| passes(name));
    passing.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn relay(relayed: Response<Relay>, client: &Registered) -> Response<Answer> {
    let (head, relay) = relayed.into_parts();
    let mut response =
        Response::new(Answer::Relayed { relay, revoked: answer::revoked(client.revoked()), broken: false });
    *response.status_mut() = head.status;
    *response.headers_mut() = select(&head.headers, header::response_passes);
    response
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
