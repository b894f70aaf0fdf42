//! Request parameters and the errors about them.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use serde_json::json;

/// The parameters of a request, in their order.
pub(super) struct Form(Vec<(String, String)>);

impl Form {
    /// From a query string or a form body.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// From a POST: the body alone, and only if it says that it is a form.
    pub(super) fn posted(headers: &HeaderMap, query: Option<&str>, body: &[u8]) -> Result<Self, OauthError> {
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if !kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
        {
            return Err(OauthError::invalid_request("the body is no form"));
        }
        // RFC 6749 §2.3.1: parameters go into the body and must not be in the address.
        if query.is_some_and(|query| !query.is_empty()) {
            return Err(OauthError::invalid_request("parameters in the address"));
        }
        Ok(Self::parse(body))
    }

    /// The one value of a parameter; an empty one counts as absent, a repeated one is refused (RFC 6749 §3.1).
    pub(super) fn one(&self, name: &str) -> Result<Option<&str>, OauthError> {
        let mut values = self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
        match (values.next(), values.next()) {
            (value, None) => Ok(value.filter(|value| !value.is_empty())),
            (_, Some(_)) => Err(OauthError::invalid_request(&format!("`{name}` occurs twice"))),
        }
    }

    /// The one value of a parameter that must be there.
    pub(super) fn need(&self, name: &str) -> Result<&str, OauthError> {
        self.one(name)?.ok_or_else(|| OauthError::invalid_request(&format!("`{name}` is missing")))
    }
}

/// An error as RFC 6749 §5.2 writes it.
#[derive(Debug)]
pub(super) struct OauthError {
    pub(super) status: StatusCode,
    pub(super) code: String,
    pub(super) description: String,
}

impl OauthError {
    pub(super) fn new(code: &str, description: &str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code: code.to_owned(), description: description.to_owned() }
    }

    pub(super) fn invalid_request(description: &str) -> Self {
        Self::new("invalid_request", description)
    }

    pub(super) fn invalid_grant(description: &str) -> Self {
        Self::new("invalid_grant", description)
    }

    pub(super) fn invalid_client(description: &str) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, ..Self::new("invalid_client", description) }
    }
}

/// Something of the issuer's own broke.
impl From<std::io::Error> for OauthError {
    fn from(cause: std::io::Error) -> Self {
        Self { status: StatusCode::INTERNAL_SERVER_ERROR, ..Self::new("server_error", &cause.to_string()) }
    }
}

impl IntoResponse for OauthError {
    fn into_response(self) -> Response {
        let body = Json(json!({ "error": self.code, "error_description": self.description }));
        let mut response = (self.status, [(header::CACHE_CONTROL, "no-store")], body).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Basic realm=\"token\""));
        }
        response
    }
}
