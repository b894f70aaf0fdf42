//! Being known to an issuer: by hand, by a document, or by dynamic client registration (RFC 7591).

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use keybearer_model::grant::{ClientAuth, Registration};
use keybearer_model::secret::Secret;
use keybearer_model::url::{Endpoint, Issuer, is_loopback};
use serde::Deserialize;
use serde_json::json;
use url::{Host, Url};

use crate::device;
use crate::document::ClientMetadataUrl;
use crate::login::{LoginError, PreRegistered, Way};
use crate::metadata::AuthorizationServer;
use crate::text::shown;

/// Whether an issuer takes the address of a client id metadata document as a client id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Documents {
    /// It reads such documents.
    Read,
    /// It does not say so.
    NotOffered,
}

/// A client that we registered ourselves before. It is known at its issuer alone, and presented at no other.
#[derive(Debug)]
pub struct KnownClient {
    /// Where it is known.
    pub issuer: Issuer,
    /// Its id there.
    pub client_id: String,
    /// Its secret, if it got one.
    pub secret: Option<Secret>,
    /// How it authenticates.
    pub auth: ClientAuth,
    /// The way back that was registered.
    pub redirect_uri: String,
}

impl KnownClient {
    /// Whether it can be used at `issuer` (byte for byte the one where it is known) with this way back.
    pub(crate) fn serves(&self, issuer: &Issuer, redirect_uri: &str) -> bool {
        self.issuer == *issuer && is_same_way_back(&self.redirect_uri, redirect_uri)
    }
}

/// RFC 8252 §7.3: the port of a loopback address is chosen when the request is made, so that only the rest is compared.
/// A name is no loopback address: its port counts.
fn is_same_way_back(registered: &str, wanted: &str) -> bool {
    let without_port = |text: &str| {
        let mut url = Url::parse(text).ok()?;
        let address = matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_)));
        (address && is_loopback(&url) && url.scheme() == "http").then_some(())?;
        url.set_port(None).ok()?;
        Some(url)
    };
    registered == wanted || without_port(registered).is_some_and(|shape| Some(shape) == without_port(wanted))
}

/// What we are at an issuer.
#[derive(Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) secret: Option<Secret>,
    pub(crate) auth: ClientAuth,
    pub(crate) registration: Registration,
}

impl Client {
    /// The client that a person or IT registered. Where they do not say how it authenticates, the issuer does
    /// (RFC 8414 §2: HTTP Basic, where it lists nothing).
    pub(crate) fn by_hand(client: PreRegistered, issuer: &AuthorizationServer) -> Self {
        let only_post = issuer.client_auth.as_ref().is_some_and(|offered| {
            let has = |auth| offered.iter().any(|name| name == name_of(auth));
            has(ClientAuth::ClientSecretPost) && !has(ClientAuth::ClientSecretBasic)
        });
        let auth = client.auth.unwrap_or(match (&client.secret, only_post) {
            (None, _) => ClientAuth::None,
            (Some(_), true) => ClientAuth::ClientSecretPost,
            (Some(_), false) => ClientAuth::ClientSecretBasic,
        });
        Self { id: client.client_id, secret: client.secret, auth, registration: Registration::Hand }
    }

    /// The client that the document at `address` describes: it has no secret.
    pub(crate) fn by_document(address: &ClientMetadataUrl) -> Self {
        let registration = Registration::Document;
        Self { id: address.to_string(), secret: None, auth: ClientAuth::None, registration }
    }
}

impl From<KnownClient> for Client {
    fn from(known: KnownClient) -> Self {
        let KnownClient { client_id: id, secret, auth, redirect_uri, .. } = known;
        Self { id, secret, auth, registration: Registration::Dynamic { redirect_uri } }
    }
}

/// What a registration asks for.
pub(crate) struct Wanted<'a> {
    pub(crate) auth: ClientAuth,
    pub(crate) name: &'a str,
    pub(crate) redirect_uri: &'a str,
    pub(crate) attempt: Attempt,
    pub(crate) way: Way,
    pub(crate) scopes: &'a [String],
}

/// How much a registration says of us. Some issuers refuse a member that they do not know, or a scope that they would
/// grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// All that there is to say.
    Whole,
    /// Nothing of scopes.
    WithoutScopes,
    /// Only what RFC 7591 knows.
    Plain,
}

impl Attempt {
    /// What is tried after a refusal.
    pub(crate) fn next(self, scopes: &[String]) -> Option<Self> {
        match self {
            Self::Whole if !scopes.is_empty() => Some(Self::WithoutScopes),
            Self::Whole | Self::WithoutScopes => Some(Self::Plain),
            Self::Plain => None,
        }
    }
}

/// The registration request: a native app that uses codes and refresh tokens, and best has no secret.
pub(crate) fn request(at: &Endpoint, wanted: &Wanted<'_>) -> Option<Request<Vec<u8>>> {
    let mut grant_types = vec!["authorization_code", "refresh_token"];
    if wanted.way == Way::Code {
        grant_types.push(device::GRANT_TYPE);
    }
    let mut body = json!({
        "client_name": wanted.name,
        "redirect_uris": [wanted.redirect_uri],
        "grant_types": grant_types,
        "response_types": ["code"],
        "token_endpoint_auth_method": name_of(wanted.auth),
    });
    let members = body.as_object_mut()?;
    if wanted.attempt != Attempt::Plain {
        members.insert("application_type".to_owned(), "native".into());
    }
    if wanted.attempt == Attempt::Whole && !wanted.scopes.is_empty() {
        members.insert("scope".to_owned(), wanted.scopes.join(" ").into());
    }
    Request::post(at.as_url().as_str())
        .header(CONTENT_TYPE, "application/json")
        .header(ACCEPT, "application/json")
        .body(body.to_string().into_bytes())
        .ok()
}

/// Whether a refusal is about the way back (RFC 7591 §3.2.2).
pub(crate) fn is_about_redirect(reply: &Response<Vec<u8>>) -> bool {
    serde_json::from_slice::<Problem>(reply.body())
        .is_ok_and(|problem| problem.error.as_deref() == Some("invalid_redirect_uri"))
}

/// The same way back by the machine's name instead of its address: some issuers take only that.
pub(crate) fn by_name(redirect_uri: &str) -> Option<String> {
    redirect_uri.strip_prefix("http://127.0.0.1:").map(|rest| format!("http://localhost:{rest}"))
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
    redirect_uri: &str,
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
    let registration = Registration::Dynamic { redirect_uri: redirect_uri.to_owned() };
    Ok(Client { id: registered.client_id, secret, auth, registration })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_port_of_a_loopback_address_may_differ() {
        let registered = "http://127.0.0.1:1/callback";
        for (wanted, same) in [
            ("http://127.0.0.1:2/callback", true),
            ("http://127.0.0.1/callback", true),
            ("http://127.0.0.2:1/callback", false),
            ("http://[::1]:1/callback", false),
            ("http://localhost:1/callback", false),
            ("http://127.0.0.1:1/other", false),
            ("https://127.0.0.1:1/callback", false),
            ("http://127.0.0.1:1/callback?x", false),
        ] {
            assert_eq!(is_same_way_back(registered, wanted), same, "{wanted}");
        }
        assert!(is_same_way_back("http://[::1]:1/callback", "http://[::1]:9/callback"));
        assert!(is_same_way_back("http://localhost:1/callback", "http://localhost:1/callback"));
        assert!(!is_same_way_back("http://localhost:1/callback", "http://localhost:2/callback"));
        assert!(!is_same_way_back("", "http://127.0.0.1:1/callback"));
    }
}
