//! Dynamic client registration (RFC 7591).

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};

use super::book::{Client, ClientAuth};
use super::dials::WaysBack;
use super::form::OauthError;
use super::{Desk, mint};

#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    redirect_uris: Vec<String>,
    client_name: Option<String>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    application_type: Option<String>,
}

/// Registers whoever asks, by the rules.
pub(super) async fn register(State(desk): State<Arc<Desk>>, body: Bytes) -> Result<Response, OauthError> {
    if !desk.dials().registration {
        return Ok(StatusCode::NOT_FOUND.into_response());
    }
    let wanted: Wanted =
        serde_json::from_slice(&body).map_err(|cause| metadata(&format!("the body is no client metadata: {cause}")))?;
    if desk.dials().ways_back == WaysBack::ByName && wanted.redirect_uris.iter().any(|uri| uri.contains("127.0.0.1")) {
        return Err(redirect("the machine's name is wanted here"));
    }
    let client = judge(wanted)?;
    let (client_id, method) = (mint::id("client")?, method(client.auth));
    let mut answer = json!({
        "client_id": client_id,
        "client_id_issued_at": desk.clock.now().as_millis() / 1000,
        "client_name": client.name,
        "redirect_uris": client.redirect_uris,
        "grant_types": client.grant_types,
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
    });
    if let Some(secret) = &client.secret {
        answer["client_secret"] = json!(secret);
        answer["client_secret_expires_at"] = json!(0);
    }
    desk.book().clients.insert(client_id, client);
    desk.count(|counts| counts.registrations += 1);
    Ok((StatusCode::CREATED, [(http::header::CACHE_CONTROL, "no-store")], Json(answer)).into_response())
}

fn judge(wanted: Wanted) -> Result<Client, OauthError> {
    if wanted.redirect_uris.is_empty() {
        return Err(redirect("no redirect URI"));
    }
    let native = wanted.application_type.as_deref() == Some("native");
    for uri in &wanted.redirect_uris {
        judge_redirect(uri, native)?;
    }
    let grant_types = wanted.grant_types.unwrap_or_else(|| vec!["authorization_code".to_owned()]);
    if grant_types.iter().any(|kind| kind != "authorization_code" && kind != "refresh_token") {
        return Err(metadata("a grant type that is not offered"));
    }
    if wanted.response_types.is_some_and(|types| types != ["code"]) {
        return Err(metadata("a response type that is not offered"));
    }
    // RFC 7591 §2: who names no method gets a secret.
    let auth = match wanted.token_endpoint_auth_method.as_deref() {
        Some("none") => ClientAuth::None,
        None | Some("client_secret_basic") => ClientAuth::Basic,
        Some("client_secret_post") => ClientAuth::Post,
        Some(_) => return Err(metadata("an authentication method that is not offered")),
    };
    Ok(Client {
        name: wanted.client_name.unwrap_or_else(|| "an app without a name".to_owned()),
        secret: (auth != ClientAuth::None).then(|| mint::secret("cs")).transpose()?,
        auth,
        redirect_uris: wanted.redirect_uris,
        grant_types,
    })
}

/// https anywhere, or http on loopback for an app that says that it is native (RFC 8252 §7.3).
fn judge_redirect(text: &str, native: bool) -> Result<(), OauthError> {
    let url = Url::parse(text).map_err(|_| redirect("a redirect URI that is no URL"))?;
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    match url.scheme() {
        _ if url.fragment().is_some() => Err(redirect("a redirect URI with a fragment")),
        "https" => Ok(()),
        "http" if loopback && native => Ok(()),
        "http" if loopback => Err(redirect("a loopback redirect URI of an app that is not `native`")),
        _ => Err(redirect("a redirect URI that is neither https nor on loopback")),
    }
}

fn method(auth: ClientAuth) -> &'static str {
    match auth {
        ClientAuth::None => "none",
        ClientAuth::Basic => "client_secret_basic",
        ClientAuth::Post => "client_secret_post",
    }
}

fn redirect(description: &str) -> OauthError {
    OauthError::new("invalid_redirect_uri", description)
}

fn metadata(description: &str) -> OauthError {
    OauthError::new("invalid_client_metadata", description)
}
