//! Requests to the token endpoint and their answers, through the `oauth2` crate without its I/O.
//!
//! That crate builds its requests in private. Its synchronous client is a closure of ours, once to capture the request
//! and once to answer with the reply.

use std::cell::Cell;
use std::fmt;
use std::time::Duration;

use http::{Request, Response, StatusCode};
use keybearer_model::grant::ClientAuth;
use keybearer_model::secret::Secret;
use keybearer_model::url::Endpoint;
use oauth2::basic::{
    BasicErrorResponse, BasicRevocationErrorResponse, BasicTokenIntrospectionResponse, BasicTokenType,
};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ExtraTokenFields, RequestTokenError,
    StandardRevocableToken, StandardTokenResponse, SyncHttpClient, TokenResponse as _, TokenUrl,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::form_urlencoded;

use crate::discovery::is_trouble;
use crate::text::shown;

/// The `oauth2` crate's client, with replies that may carry an ID token.
pub(crate) type TokenClient = oauth2::Client<
    BasicErrorResponse,
    StandardTokenResponse<IdTokenField, BasicTokenType>,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    BasicRevocationErrorResponse,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// What may stand beside an access token: the ID token (OpenID Connect Core §3.1.3.3), and how long the refresh token
/// lives, for which there are two names and no standard.
#[derive(Deserialize, Serialize)]
pub(crate) struct IdTokenField {
    id_token: Option<String>,
    refresh_expires_in: Option<u64>,
    refresh_token_expires_in: Option<u64>,
}

impl ExtraTokenFields for IdTokenField {}

impl fmt::Debug for IdTokenField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdTokenField(…)")
    }
}

/// A client of the token endpoint at `token`, which authenticates as the issuer knows it.
pub(crate) fn client(id: &str, secret: Option<&Secret>, auth: ClientAuth, token: &Endpoint) -> Option<TokenClient> {
    let client = oauth2::Client::new(ClientId::new(id.to_owned()))
        .set_token_uri(TokenUrl::new(token.as_url().as_str().to_owned()).ok()?)
        .set_auth_type(match auth {
            ClientAuth::ClientSecretBasic => AuthType::BasicAuth,
            ClientAuth::None | ClientAuth::ClientSecretPost => AuthType::RequestBody,
        });
    Some(match (auth, secret) {
        (ClientAuth::ClientSecretBasic | ClientAuth::ClientSecretPost, Some(secret)) => {
            client.set_client_secret(ClientSecret::new(secret.expose().to_owned()))
        }
        (ClientAuth::None, _) | (_, None) => client,
    })
}

/// A request of this client to `at` with these parameters, authenticated as at the token endpoint.
///
/// The `oauth2` crate has no such request; how a client authenticates is the same in all of them.
pub(crate) fn form(
    id: &str,
    secret: Option<&Secret>,
    auth: ClientAuth,
    at: &Endpoint,
    parameters: &[(&str, &str)],
) -> Option<Request<Vec<u8>>> {
    let capture = Capture::default();
    client(id, secret, auth, at)?.exchange_client_credentials().request(&capture).err();
    let mut request = capture.request()?;
    let written: Vec<(String, String)> = form_urlencoded::parse(request.body()).into_owned().collect();
    let credentials = written.iter().filter(|(name, _)| name == "client_id" || name == "client_secret");
    let body =
        form_urlencoded::Serializer::new(String::new()).extend_pairs(credentials).extend_pairs(parameters).finish();
    *request.body_mut() = body.into_bytes();
    Some(request)
}

/// The way out of the `oauth2` crate: keeps the request, and answers nothing.
#[derive(Default)]
pub(crate) struct Capture(Cell<Option<Request<Vec<u8>>>>);

impl Capture {
    /// The request that was made.
    pub(crate) fn request(self) -> Option<Request<Vec<u8>>> {
        self.0.into_inner()
    }
}

impl SyncHttpClient for Capture {
    type Error = Captured;
    fn call(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Captured> {
        self.0.set(Some(request));
        Err(Captured)
    }
}

/// The way back into it: answers once with the reply that came.
struct Answer(Cell<Option<Response<Vec<u8>>>>);

impl SyncHttpClient for Answer {
    type Error = Captured;
    fn call(&self, _: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, Captured> {
        self.0.take().ok_or(Captured)
    }
}

/// The request was captured instead of sent.
#[derive(Debug, thiserror::Error)]
#[error("the request was captured")]
pub(crate) struct Captured;

/// What a token endpoint gave.
#[derive(Debug)]
pub(crate) struct Tokens {
    pub(crate) access: Secret,
    pub(crate) refresh: Option<Secret>,
    pub(crate) id: Option<Secret>,
    pub(crate) expires_in: Option<Duration>,
    /// How long the refresh token lives from its receipt, where the issuer says.
    pub(crate) refresh_expires_in: Option<Duration>,
    /// What was granted, where it differs from what was asked for; still with the issuer's own separator.
    pub(crate) scope: Option<String>,
}

/// Why a token endpoint's answer has no token.
#[derive(Debug)]
pub(crate) enum Fault {
    /// An error of RFC 6749 §5.2: its code, and the words beside it.
    Refused { code: String, detail: String },
    /// A trouble of the endpoint's own.
    Trouble(StatusCode),
    /// Nothing that the standard knows.
    Nonsense(String),
}

/// Reads a token endpoint's answer.
pub(crate) fn read(client: &TokenClient, mut reply: Response<Vec<u8>>) -> Result<Tokens, Fault> {
    let status = reply.status();
    if is_trouble(status) {
        return Err(Fault::Trouble(status));
    }
    straighten(&mut reply);
    // Reading does not depend on the request, so that the simplest one will do.
    let answer = client.exchange_client_credentials().request(&Answer(Cell::new(Some(reply))));
    let tokens = answer.map_err(|error| match error {
        RequestTokenError::ServerResponse(error) => {
            Fault::Refused { code: shown(error.error().as_ref()), detail: shown(&error.to_string()) }
        }
        // The parser's own message could repeat a token; its path names a member.
        RequestTokenError::Parse(error, _) if status == StatusCode::OK && error.path().iter().next().is_some() => {
            Fault::Nonsense(shown(&format!("`{}` is malformed", error.path())))
        }
        RequestTokenError::Parse(..) | RequestTokenError::Request(_) | RequestTokenError::Other(_) => {
            Fault::Nonsense(format!("it is no token reply (status {})", status.as_u16()))
        }
    })?;
    if *tokens.token_type() != BasicTokenType::Bearer {
        return Err(Fault::Nonsense("its token is not a bearer token".to_owned()));
    }
    let secret = |text: &str| Some(Secret::new(text.to_owned())).filter(|_| is_token(text));
    Ok(Tokens {
        access: secret(tokens.access_token().secret())
            .ok_or_else(|| Fault::Nonsense("its token cannot be sent".to_owned()))?,
        refresh: tokens.refresh_token().and_then(|token| secret(token.secret())),
        id: tokens.extra_fields().id_token.as_deref().and_then(secret),
        expires_in: tokens.expires_in(),
        // No life at all is what one widely used issuer says of a refresh token that has no end.
        refresh_expires_in: refresh_life(tokens.extra_fields()).filter(|life| !life.is_zero()),
        scope: tokens.scopes().map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")),
    })
}

fn refresh_life(fields: &IdTokenField) -> Option<Duration> {
    fields.refresh_expires_in.or(fields.refresh_token_expires_in).map(Duration::from_secs)
}

/// What can stand in a header or a form without changing it.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_graphic())
}

/// Three common bends, before the strict reader sees the reply: an error with status 200, a lifetime written as text or
/// as a fraction, and a scope that is no text.
fn straighten(reply: &mut Response<Vec<u8>>) {
    let Ok(Value::Object(mut members)) = serde_json::from_slice::<Value>(reply.body()) else { return };
    if members.get("error").is_some_and(Value::is_string) && !members.contains_key("access_token") {
        *reply.status_mut() = StatusCode::BAD_REQUEST;
        return;
    }
    for name in ["expires_in", "refresh_expires_in", "refresh_token_expires_in"] {
        let lifetime = members.get(name).and_then(|value| match value {
            Value::String(text) => text.trim().parse::<f64>().ok(),
            Value::Number(number) => number.as_f64(),
            Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
        });
        match lifetime {
            // A century is as good as more, and cannot overflow anything.
            Some(seconds) if seconds >= 0.0 => members.insert(name.to_owned(), (seconds.min(3.2e9) as u64).into()),
            Some(_) | None => members.remove(name),
        };
    }
    if !members.get("scope").is_some_and(Value::is_string) {
        members.remove("scope");
    }
    *reply.body_mut() = Value::Object(members).to_string().into_bytes();
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(status: u16, body: &str, want: &Expect) {
        let endpoint = "https://idp.test/token".parse().unwrap();
        let client = client("app", None, ClientAuth::None, &endpoint).unwrap();
        let reply = Response::builder().status(status).header("content-type", "application/json");
        want.assert_eq(&match read(&client, reply.body(body.as_bytes().to_vec()).unwrap()) {
            Ok(tokens) => format!("{:?} {:?} {:?}", tokens.expires_in, tokens.refresh_expires_in, tokens.scope),
            Err(fault) => format!("{fault:?}"),
        });
    }

    #[test]
    fn bent_replies_are_read() {
        let reply = |rest: &str| format!(r#"{{"access_token":"t","token_type":"BEARER"{rest}}}"#);
        check(200, &reply(r#","expires_in":"3599","scope":"a b""#), &expect![[r#"Some(3599s) None Some("a b")"#]]);
        check(200, &reply(r#","expires_in":3599.5,"scope":["a"]"#), &expect!["Some(3599s) None None"]);
        check(200, &reply(r#","expires_in":1e300"#), &expect!["Some(3200000000s) None None"]);
        check(200, &reply(r#","expires_in":-5"#), &expect!["None None None"]);
        check(200, &reply(r#","refresh_expires_in":"1800""#), &expect!["None Some(1800s) None"]);
        check(200, &reply(r#","refresh_token_expires_in":1800.5"#), &expect!["None Some(1800s) None"]);
        check(200, &reply(r#","refresh_expires_in":0"#), &expect!["None None None"]);
        check(200, r#"{"error":"bad_code"}"#, &expect![[r#"Refused { code: "bad_code", detail: "bad_code" }"#]]);
    }

    #[test]
    fn what_is_no_token_is_told_apart() {
        check(503, r#"{"error":"invalid_grant"}"#, &expect![["Trouble(503)"]]);
        check(
            400,
            r#"{"error":"invalid_grant","error_description":"it\nis over"}"#,
            &expect![[r#"Refused { code: "invalid_grant", detail: "invalid_grant: it is over" }"#]],
        );
        check(
            200,
            r#"{"access_token":"t","token_type":"mac"}"#,
            &expect![[r#"Nonsense("its token is not a bearer token")"#]],
        );
        check(
            200,
            r#"{"access_token":"a b","token_type":"bearer"}"#,
            &expect![[r#"Nonsense("its token cannot be sent")"#]],
        );
        check(200, r#"{"access_token":["cAnArY"]}"#, &expect![[r#"Nonsense("`access_token` is malformed")"#]]);
        check(302, "", &expect![[r#"Nonsense("it is no token reply (status 302)")"#]]);
    }
}
