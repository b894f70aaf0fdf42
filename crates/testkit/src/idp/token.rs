//! The token endpoint: codes (RFC 6749 §4.1.3, RFC 7636) and refresh tokens, each for one resource (RFC 8707).

mod code;
mod refresh;
mod reply;

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde_json::Value;

use super::Desk;
use super::client_auth::authenticate;
use super::form::{Form, OauthError};

/// Answers a token request.
pub(super) async fn token(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    desk.count(|counts| counts.token_requests += 1);
    desk.gate.pass().await;
    let failure = desk.dials().fail.pop_front();
    if let Some(status) = failure {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (status, "upstream connect error").into_response();
    }
    let answer = redeem(&desk, &headers, query.as_deref(), &body);
    if desk.dials().loses_a_reply() {
        return broken_off();
    }
    match answer {
        Ok(answer) => {
            ([(header::CACHE_CONTROL, "no-store"), (header::PRAGMA, "no-cache")], Json(answer)).into_response()
        }
        Err(error) => error.into_response(),
    }
}

fn redeem(desk: &Desk, headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Value, OauthError> {
    let form = Form::posted(headers, query, body)?;
    let mut book = desk.book();
    let client_id = authenticate(&book, headers, &form)?;
    match form.need("grant_type")? {
        "authorization_code" => code::redeem(desk, &mut book, &client_id, &form),
        "refresh_token" => refresh::redeem(desk, &mut book, &client_id, &form),
        other => Err(OauthError::new("unsupported_grant_type", &format!("`{other}` is not offered"))),
    }
}

/// A reply of which the half arrives.
fn broken_off() -> Response {
    let half = [Ok(Bytes::from_static(b"{\"access_token\":")), Err(std::io::Error::other("the connection breaks"))];
    Response::new(Body::from_stream(futures_util::stream::iter(half)))
}
