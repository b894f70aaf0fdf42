//! Pushed authorization requests (RFC 9126): the issuer gets the parameters from us, and the person's browser only their
//! name.

use http::header::CONTENT_TYPE;
use http::{Request, Response, StatusCode};
use keybearer_model::url::Endpoint;
use serde::Deserialize;
use url::{Url, form_urlencoded};

use crate::discovery::is_trouble;
use crate::registration::Client;
use crate::text::shown;
use crate::token::{self, Capture};

/// What came of pushing a request.
#[derive(Debug)]
pub(crate) enum Pushed {
    /// The name that it has from now on.
    Named(String),
    /// The issuer refuses what is asked for, and would refuse the person, too; in its words.
    Refused(String),
    /// It did not work, which says nothing of what is asked for.
    Failed(String),
}

/// The request that pushes `parameters`, with the client's authentication as at the token endpoint (RFC 9126 §2).
pub(crate) fn request(at: &Endpoint, client: &Client, parameters: &[(String, String)]) -> Option<Request<Vec<u8>>> {
    let exchange = token::client(&client.id, client.secret.as_ref(), client.auth, at)?;
    let capture = Capture::default();
    // The `oauth2` crate has no such request; how a client authenticates is the same in all of them.
    exchange.exchange_client_credentials().request(&capture).err();
    let mut request = capture.request()?;
    let credentials: Vec<(String, String)> = form_urlencoded::parse(request.body())
        .filter(|(name, _)| name == "client_id" || name == "client_secret")
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let has_id = credentials.iter().any(|(name, _)| name == "client_id");
    let pushed = parameters.iter().filter(|(name, _)| !(has_id && name == "client_id"));
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&credentials).extend_pairs(pushed).finish();
    *request.body_mut() = body.into_bytes();
    request.headers_mut().insert(CONTENT_TYPE, http::HeaderValue::from_static("application/x-www-form-urlencoded"));
    Some(request)
}

#[derive(Deserialize)]
struct Named {
    request_uri: String,
}

#[derive(Deserialize)]
struct Problem {
    error: String,
    error_description: Option<String>,
}

/// Error codes that are about us or the endpoint, and not about what is asked for.
const NOT_ABOUT_THE_REQUEST: [&str; 5] =
    ["invalid_client", "unauthorized_client", "server_error", "temporarily_unavailable", "unsupported_grant_type"];

/// Judges the answer.
pub(crate) fn judge(reply: &Response<Vec<u8>>) -> Pushed {
    let status = reply.status();
    let failed = || Pushed::Failed(format!("status {}", status.as_u16()));
    if status == StatusCode::CREATED || status == StatusCode::OK {
        return match serde_json::from_slice::<Named>(reply.body()) {
            Ok(Named { request_uri }) if !request_uri.is_empty() => Pushed::Named(request_uri),
            Ok(_) | Err(_) => Pushed::Failed("the pushed request got no name".to_owned()),
        };
    }
    if is_trouble(status) {
        return failed();
    }
    match serde_json::from_slice::<Problem>(reply.body()) {
        Ok(Problem { error, error_description }) => {
            let words = error_description.map_or_else(|| error.clone(), |words| format!("{error}: {words}"));
            let ours = NOT_ABOUT_THE_REQUEST.contains(&error.as_str());
            if ours { Pushed::Failed(shown(&words)) } else { Pushed::Refused(shown(&words)) }
        }
        Err(_) => failed(),
    }
}

/// Where the person goes with a pushed request: the endpoint, with nothing of ours but who asks, and the name.
pub(crate) fn page(mut endpoint: Url, client_id: &str, name: &str) -> String {
    endpoint.query_pairs_mut().append_pair("client_id", client_id).append_pair("request_uri", name);
    endpoint.into()
}
