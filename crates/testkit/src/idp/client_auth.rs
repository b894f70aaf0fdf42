//! How clients authenticate at the token, revocation and introspection endpoints (RFC 6749 §2.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, header};

use super::book::{Book, ClientAuth};
use super::form::{Form, OauthError};

/// The id of the client, if it authenticated in the one way that it is registered for.
pub(super) fn authenticate(book: &Book, headers: &HeaderMap, form: &Form) -> Result<String, OauthError> {
    let basic = basic(headers)?;
    let posted = form.one("client_secret")?;
    let (client_id, used, secret) = match (&basic, form.one("client_id")?, posted) {
        (Some(_), _, Some(_)) => return Err(OauthError::invalid_request("two ways of authentication at once")),
        (Some((id, _)), Some(other), None) if id != other => {
            return Err(OauthError::invalid_request("two different client ids"));
        }
        (Some((id, secret)), _, None) => (id.as_str(), ClientAuth::Basic, Some(secret.as_str())),
        (None, Some(id), Some(secret)) => (id, ClientAuth::Post, Some(secret)),
        (None, Some(id), None) => (id, ClientAuth::None, None),
        (None, None, _) => return Err(OauthError::invalid_client("no client id")),
    };
    let client = book.clients.get(client_id).ok_or_else(|| OauthError::invalid_client("unknown client"))?;
    if client.auth != used {
        return Err(OauthError::invalid_client("not the way in which this client is registered"));
    }
    if client.secret.as_deref() != secret {
        return Err(OauthError::invalid_client("wrong secret"));
    }
    Ok(client_id.to_owned())
}

/// Name and password of HTTP Basic, decoded as RFC 6749 §2.3.1 encodes them.
pub(super) fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OauthError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else { return Ok(None) };
    let broken = || OauthError::invalid_client("an `Authorization` header that is not HTTP Basic");
    let encoded = value.to_str().ok().and_then(|text| text.strip_prefix("Basic ")).ok_or_else(broken)?;
    let text = STANDARD.decode(encoded).ok().and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(broken)?;
    let (name, password) = text.split_once(':').ok_or_else(broken)?;
    Ok(Some((form_decoded(name), form_decoded(password))))
}

fn form_decoded(text: &str) -> String {
    let pair = format!("v={text}");
    url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}
