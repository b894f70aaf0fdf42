//! Becoming known to an issuer: dynamic client registration (RFC 7591).

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use keybearer_model::grant::ClientAuth;
use keybearer_model::secret::Secret;
use keybearer_model::url::Endpoint;
use serde::Deserialize;
use serde_json::json;

use crate::device;
use crate::login::{LoginError, PreRegistered, Way};
use crate::metadata::AuthorizationServer;
use crate::text::shown;

/// What we are at an issuer.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<Secret>,
    pub(crate) auth: ClientAuth,
}

impl From<PreRegistered> for Client {
    fn from(client: PreRegistered) -> Self {
        Self { id: client.client_id, secret: client.secret, auth: client.auth }
    }
}

/// The registration request: a native app that uses codes and refresh tokens, and best has no secret.
pub(crate) fn request(
    at: &Endpoint,
    auth: ClientAuth,
    name: &str,
    redirect_uri: &str,
    scopes: &[String],
    way: Way,
) -> Option<Request<Vec<u8>>> {
    let mut grant_types = vec!["authorization_code", "refresh_token"];
    if way == Way::Code {
        grant_types.push(device::GRANT_TYPE);
    }
    let mut body = json!({
        "client_name": name,
        "application_type": "native",
        "redirect_uris": [redirect_uri],
        "grant_types": grant_types,
        "response_types": ["code"],
        "token_endpoint_auth_method": name_of(auth),
    });
    if let (Some(members), false) = (body.as_object_mut(), scopes.is_empty()) {
        members.insert("scope".to_owned(), scopes.join(" ").into());
    }
    Request::post(at.as_url().as_str())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .body(body.to_string().into_bytes())
        .ok()
}

/// How we would authenticate: as a public client where that is possible. `None` if the issuer wants what we cannot.
pub(crate) fn preferred_auth(issuer: &AuthorizationServer) -> Option<ClientAuth> {
    let Some(offered) = &issuer.client_auth else { return Some(ClientAuth::None) };
    [ClientAuth::None, ClientAuth::ClientSecretBasic, ClientAuth::ClientSecretPost]
        .into_iter()
        .find(|auth| offered.iter().any(|name| name == name_of(*auth)))
}

#[derive(Deserialize)]
struct Registered {
    client_id: String,
    client_secret: Option<String>,
    token_endpoint_auth_method: Option<String>,
}

#[derive(Deserialize)]
struct Problem {
    error: Option<String>,
    error_description: Option<String>,
}

/// Judges the answer: what the issuer made of us, which need not be what we asked for.
pub(crate) fn judge(
    issuer: &AuthorizationServer,
    asked: ClientAuth,
    reply: &Response<Vec<u8>>,
) -> Result<Client, LoginError> {
    if reply.status() != StatusCode::CREATED && reply.status() != StatusCode::OK {
        return Err(LoginError::RegistrationRefused { issuer: issuer.issuer.to_string(), detail: words(reply) });
    }
    let bad = |what: &str| LoginError::BadReply { issuer: issuer.issuer.to_string(), what: what.to_owned() };
    let registered: Registered =
        serde_json::from_slice(reply.body()).map_err(|_| bad("the registration has no `client_id`"))?;
    let auth = match registered.token_endpoint_auth_method.as_deref() {
        None => asked,
        Some(name) => [ClientAuth::None, ClientAuth::ClientSecretBasic, ClientAuth::ClientSecretPost]
            .into_iter()
            .find(|auth| name == name_of(*auth))
            .ok_or_else(|| bad(&format!("it registered us for `{}`, which we cannot", shown(name))))?,
    };
    let secret = registered.client_secret.filter(|_| auth != ClientAuth::None).map(Secret::new);
    if auth != ClientAuth::None && secret.is_none() {
        return Err(bad("the registration has no `client_secret`"));
    }
    Ok(Client { id: registered.client_id, secret, auth })
}

fn words(reply: &Response<Vec<u8>>) -> String {
    let status = format!("status {}", reply.status().as_u16());
    let Ok(problem) = serde_json::from_slice::<Problem>(reply.body()) else { return status };
    let words = [problem.error, problem.error_description].into_iter().flatten().collect::<Vec<_>>().join(": ");
    if words.is_empty() { status } else { shown(&words) }
}

fn name_of(auth: ClientAuth) -> &'static str {
    match auth {
        ClientAuth::None => "none",
        ClientAuth::ClientSecretBasic => "client_secret_basic",
        ClientAuth::ClientSecretPost => "client_secret_post",
    }
}
