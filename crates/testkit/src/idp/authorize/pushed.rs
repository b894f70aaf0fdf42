//! Requests that the client pushed ahead of the person (RFC 9126).

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::super::book::Asked;
use super::super::client_auth::authenticate;
use super::super::dials::PushedRequests;
use super::super::form::{Form, OauthError};
use super::super::{Desk, mint};
use super::request::{self, Refused};

/// Takes a request from a client that authenticates as at the token endpoint.
pub(in super::super) async fn push(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OauthError> {
    if desk.dials().pushed_requests == PushedRequests::NotOffered {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let form = Form::posted(&headers, query.as_deref(), &body)?;
    if form.one("request_uri")?.is_some() {
        return Err(OauthError::invalid_request("a pushed request that names another one"));
    }
    let client_id = authenticate(&desk.book(), &headers, &form)?;
    let asked = match request::judge(&desk, &form) {
        Ok(asked) if asked.client_id == client_id => asked,
        Ok(_) => return Err(OauthError::invalid_request("a request of another client")),
        Err(Refused::Untrusted(why)) => return Err(OauthError::invalid_request(&why)),
        Err(Refused::Tell(_, error)) => return Err(error),
    };
    let name = format!("urn:ietf:params:oauth:request_uri:{}", mint::id("par")?);
    desk.book().pushed.insert(name.clone(), asked);
    desk.count(|counts| counts.pushed += 1);
    Ok((StatusCode::CREATED, Json(json!({ "request_uri": name, "expires_in": 60 }))).into_response())
}

/// The request of this name, once, and only with nothing else but who asks.
pub(super) fn take(desk: &Desk, form: &Form, name: &str) -> Result<Asked, Refused> {
    let untrusted = |why: &str| Refused::Untrusted(why.to_owned());
    let client_id = form.need("client_id").map_err(|error| Refused::Untrusted(error.description))?;
    for other in ["redirect_uri", "scope", "resource", "code_challenge", "state"] {
        if form.one(other).map_err(|error| Refused::Untrusted(error.description))?.is_some() {
            return Err(untrusted("The request was pushed and comes with the person, too."));
        }
    }
    let asked = desk.book().pushed.remove(name).ok_or_else(|| untrusted("The pushed request is not known."))?;
    if asked.client_id == client_id { Ok(asked) } else { Err(untrusted("The pushed request is another app's.")) }
}

/// A request that came with the person, where that is allowed.
pub(super) fn must_not_be_missing(desk: &Desk, asked: Asked) -> Result<Asked, Refused> {
    if desk.dials().pushed_requests == PushedRequests::Required {
        let error = OauthError::invalid_request("requests must be pushed here");
        return Err(Refused::Tell(Box::new(asked), error));
    }
    Ok(asked)
}
