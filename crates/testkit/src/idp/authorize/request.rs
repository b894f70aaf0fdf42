//! Judges an authorization request, in the order that RFC 6749 §4.1.2.1 gives.

use url::{Host, Url};

use super::super::Desk;
use super::super::book::{Asked, Book};
use super::super::form::{Form, OauthError};

/// Why a request is not answered with a page.
pub(super) enum Refused {
    /// Client or redirect URI are not to be trusted: the person is told, and nobody is sent anywhere.
    Untrusted(String),
    /// The app is told.
    Tell(Box<Asked>, OauthError),
}

/// The request, if all of it is in order.
pub(super) fn judge(desk: &Desk, form: &Form) -> Result<Asked, Refused> {
    let untrusted = |error: OauthError| Refused::Untrusted(error.description);
    let client_id = form.need("client_id").map_err(untrusted)?;
    let redirect_uri = form.need("redirect_uri").map_err(untrusted)?;
    let book = desk.book();
    let client = book.clients.get(client_id).ok_or_else(|| Refused::Untrusted("The app is not known.".to_owned()))?;
    if !client.redirect_uris.iter().any(|registered| same_redirect(registered, redirect_uri)) {
        return Err(Refused::Untrusted("The app's way back is not the one that it registered.".to_owned()));
    }
    let mut asked = Asked {
        client_id: client_id.to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        state: None,
        challenge: String::new(),
        resource: String::new(),
        scopes: Vec::new(),
        nonce: None,
    };
    let speaks_pkce = desk.dials().s256;
    match fill(&mut asked, form, &book, speaks_pkce) {
        Ok(()) => Ok(asked),
        Err(error) => Err(Refused::Tell(Box::new(asked), error)),
    }
}

fn fill(asked: &mut Asked, form: &Form, book: &Book, speaks_pkce: bool) -> Result<(), OauthError> {
    asked.state = form.one("state")?.map(str::to_owned);
    asked.nonce = form.one("nonce")?.map(str::to_owned);
    if form.need("response_type")? != "code" {
        return Err(OauthError::new("unsupported_response_type", "only `code` is offered"));
    }
    if form.one("response_mode")?.is_some_and(|mode| mode != "query") {
        return Err(OauthError::invalid_request("only `query` is offered"));
    }
    let challenge = form.need("code_challenge")?;
    if !speaks_pkce || form.one("code_challenge_method")? != Some("S256") {
        return Err(OauthError::invalid_request("only the challenge method `S256` is offered"));
    }
    // RFC 7636 §4.2: a SHA-256 in base64url has 43 characters.
    if challenge.len() != 43 || !challenge.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_') {
        return Err(OauthError::invalid_request("a challenge that is no SHA-256"));
    }
    challenge.clone_into(&mut asked.challenge);
    let target = |description: &str| OauthError::new("invalid_target", description);
    let resource = form.one("resource")?.ok_or_else(|| target("`resource` is missing"))?;
    if !book.resources.contains_key(resource) {
        return Err(target("a resource that nobody protects with this issuer"));
    }
    resource.clone_into(&mut asked.resource);
    asked.scopes =
        form.one("scope")?.unwrap_or_default().split(' ').filter(|s| !s.is_empty()).map(str::to_owned).collect();
    let offered = book.scopes();
    match asked.scopes.iter().find(|scope| !offered.contains(scope)) {
        Some(scope) => Err(OauthError::new("invalid_scope", &format!("`{scope}` is not offered"))),
        None => Ok(()),
    }
}

/// Byte-equal; or on the same loopback address with another port.
fn same_redirect(registered: &str, sent: &str) -> bool {
    // RFC 8252 §7.3: the port of a loopback address is chosen when the request is made.
    registered == sent || without_port(registered).is_some_and(|shape| Some(shape) == without_port(sent))
}

fn without_port(text: &str) -> Option<Url> {
    let mut url = Url::parse(text).ok()?;
    let loopback = match url.host()? {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(_) => false,
    };
    (loopback && url.scheme() == "http").then_some(())?;
    url.set_port(None).ok()?;
    Some(url)
}
