//! Revocation (RFC 7009) and introspection (RFC 7662).

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::book::Book;
use super::client_auth::{authenticate, basic};
use super::form::{Form, OauthError};
use super::{Desk, FakeIdp, mint};

/// The name under which servers introspect.
const INTROSPECTOR: &str = "resource-server";

impl FakeIdp {
    /// Name and password with which a server asks the introspection endpoint.
    pub fn introspection_login(&self) -> std::io::Result<(String, String)> {
        let mut book = self.desk.book();
        let secret = match &book.introspection_secret {
            Some(secret) => secret.clone(),
            None => book.introspection_secret.insert(mint::secret("rs")?).clone(),
        };
        Ok((INTROSPECTOR.to_owned(), secret))
    }
}

/// Ends a token of the client that asks; a refresh token with all its family.
pub(super) async fn revoke(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OauthError> {
    if !desk.dials().revocation {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let form = Form::posted(&headers, query.as_deref(), &body)?;
    let revoked = {
        let mut book = desk.book();
        let client_id = authenticate(&book, &headers, &form)?;
        end(&mut book, &client_id, form.need("token")?)
    };
    if revoked {
        desk.count(|counts| counts.revocations += 1);
    }
    // RFC 7009 §2.2: an unknown token is as good as a revoked one.
    Ok(StatusCode::OK.into_response())
}

fn end(book: &mut Book, client_id: &str, token: &str) -> bool {
    let family = match (book.refresh.get(token), book.access.get(token)) {
        (Some(refresh), _) => refresh.family,
        (None, Some(access)) => access.family,
        (None, None) => return false,
    };
    if book.family(family).is_none_or(|family| family.client_id != client_id || family.revoked) {
        return false;
    }
    match book.access.get_mut(token) {
        Some(access) => access.revoked = true,
        None => book.revoke_family(family),
    }
    true
}

/// Tells a server what a token is good for.
pub(super) async fn introspect(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Json<Value>, OauthError> {
    let form = Form::posted(&headers, None, &body)?;
    let book = desk.book();
    let login = basic(&headers)?.ok_or_else(|| OauthError::invalid_client("no login"))?;
    if login.0 != INTROSPECTOR || book.introspection_secret.as_ref() != Some(&login.1) {
        return Err(OauthError::invalid_client("wrong login"));
    }
    desk.count(|counts| counts.introspections += 1);
    let token = form.need("token")?;
    let family = book.access.get(token).and_then(|access| book.family(access.family));
    let Some(resource) = family.map(|family| family.resource.clone()) else {
        return Ok(Json(json!({ "active": false })));
    };
    Ok(Json(match book.judge(token, &resource, desk.clock.boot()) {
        Ok(facts) => json!({
            "active": true,
            "iss": desk.issuer,
            "aud": resource,
            "sub": format!("user-{}", facts.user),
            "username": facts.user,
            "client_id": facts.client_id,
            "scope": facts.scopes.join(" "),
            "token_type": "Bearer",
        }),
        Err(_ended) => json!({ "active": false }),
    }))
}
