//! What is at an address that somebody is about to add: asked without any credential, nothing is kept.

use http::{Request, Response, StatusCode, header};
use keybearer_model::url::Upstream;
use serde_json::Value;

use crate::broker::Broker;
use crate::ports::{HttpError, MayBePrivate};

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// A server that answers without a sign-in, and what it calls itself.
    Open(Option<String>),
    /// A server that wants the company's sign-in, and the host of the first issuer that it names.
    SignIn(Option<String>),
    /// Something that wants a credential and does not say which.
    Locked,
    /// Something else; this was its status.
    Foreign(u16),
    /// Nobody was reached.
    Unreachable(String),
    /// The certificate is not trusted.
    Certificate(String),
    /// The answer broke off.
    Interrupted(String),
}

impl Broker {
    /// What is at `upstream`.
    pub async fn look(&self, upstream: &Upstream) -> Found {
        match self.inquire(knock(upstream), upstream).await {
            Err(HttpError::Unreachable { cause, .. } | HttpError::Forbidden { cause, .. }) => Found::Unreachable(cause),
            Err(HttpError::Certificate { cause, .. }) => Found::Certificate(cause),
            Err(HttpError::Interrupted { cause, .. }) => Found::Interrupted(cause),
            Ok(answer) if answer.status() == StatusCode::UNAUTHORIZED => self.locked(upstream, &answer).await,
            Ok(answer) => opened(&answer),
        }
    }

    /// A server that wants a sign-in says where what it needs is described (RFC 9728).
    async fn locked(&self, upstream: &Upstream, answer: &Response<Vec<u8>>) -> Found {
        let named = answer
            .headers()
            .get_all(header::WWW_AUTHENTICATE)
            .iter()
            .find_map(|value| metadata_in(value.to_str().ok()?));
        let mut is_described = named.is_some();
        for place in named.into_iter().chain(well_known(upstream)) {
            let Ok(request) = Request::get(place).header(header::ACCEPT, "application/json").body(Vec::new()) else {
                continue;
            };
            let Ok(answer) = self.inquire(request, upstream).await else { continue };
            let Ok(metadata) = serde_json::from_slice::<Value>(answer.body()) else { continue };
            let issuer = metadata.get("authorization_servers").and_then(|issuers| issuers.get(0)?.as_str());
            if let Some(host) = issuer.and_then(|issuer| issuer.parse::<http::Uri>().ok()?.host().map(str::to_owned)) {
                return Found::SignIn(Some(host));
            }
            is_described = true;
        }
        if is_described { Found::SignIn(None) } else { Found::Locked }
    }

    async fn inquire(
        &self,
        mut request: Request<Vec<u8>>,
        upstream: &Upstream,
    ) -> Result<Response<Vec<u8>>, HttpError> {
        request.extensions_mut().insert(MayBePrivate::as_is(upstream));
        self.ports().http.send(request).await
    }
}

fn knock(upstream: &Upstream) -> Request<Vec<u8>> {
    let hello = serde_json::json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25", "capabilities": {},
            "clientInfo": { "name": "keybearer", "version": env!("CARGO_PKG_VERSION") },
        },
    });
    let mut request = Request::new(hello.to_string().into_bytes());
    *request.method_mut() = http::Method::POST;
    if let Ok(uri) = upstream.as_url().as_str().parse() {
        *request.uri_mut() = uri;
    }
    let headers = request.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    headers.insert(header::ACCEPT, header::HeaderValue::from_static("application/json, text/event-stream"));
    request
}

/// Whether an answer is that of a server for tools: a JSON-RPC message, alone or as an event.
fn opened(answer: &Response<Vec<u8>>) -> Found {
    let text = String::from_utf8_lossy(answer.body());
    let events = text.lines().filter_map(|line| line.strip_prefix("data:"));
    let message = std::iter::once(text.as_ref()).chain(events).find_map(|text| {
        serde_json::from_str::<Value>(text.trim()).ok().filter(|message| message.get("jsonrpc").is_some())
    });
    match message {
        Some(message) => {
            let info = message.get("result").and_then(|result| result.get("serverInfo"));
            let name = |member| Some(info?.get(member)?.as_str()?.to_owned());
            Found::Open(name("title").or_else(|| name("name")))
        }
        None => Found::Foreign(answer.status().as_u16()),
    }
}

/// The address of the metadata in a challenge.
fn metadata_in(challenge: &str) -> Option<String> {
    let rest = challenge.split_once("resource_metadata=")?.1.trim_start();
    let address = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split([',', ' ']).next()?,
    };
    Some(address.to_owned())
}

/// Where the metadata is if the challenge does not say (RFC 9728 §3.1).
fn well_known(upstream: &Upstream) -> Vec<String> {
    const PLACE: &str = "/.well-known/oauth-protected-resource";
    let url = upstream.as_url();
    let origin = url.origin().ascii_serialization();
    let path = url.path().trim_end_matches('/');
    let mut places = vec![format!("{origin}{PLACE}{path}"), format!("{origin}{PLACE}")];
    places.dedup();
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Response<Vec<u8>> {
        Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
    }

    #[test]
    fn a_server_is_told_by_its_message_alone_or_as_an_event() {
        let message = r#"{"jsonrpc":"2.0","id":1,"result":{"serverInfo":{"name":"crm","title":"The CRM"}}}"#;
        assert_eq!(opened(&answer(200, message)), Found::Open(Some("The CRM".into())));
        assert_eq!(
            opened(&answer(200, &format!("event: message\ndata: {message}\n\n"))),
            Found::Open(Some("The CRM".into()))
        );
        assert_eq!(
            opened(&answer(400, r#"{"jsonrpc":"2.0","error":{"code":-32601,"message":"no"}}"#)),
            Found::Open(None)
        );
        assert_eq!(opened(&answer(200, "<html>hello</html>")), Found::Foreign(200));
        assert_eq!(opened(&answer(404, "")), Found::Foreign(404));
    }

    #[test]
    fn a_challenge_names_its_metadata_quoted_or_not() {
        assert_eq!(metadata_in(r#"Bearer resource_metadata="https://a/b", scope="c""#).unwrap(), "https://a/b");
        assert_eq!(metadata_in("Bearer resource_metadata=https://a/b, x=y").unwrap(), "https://a/b");
        assert_eq!(metadata_in("Basic realm=x"), None);
    }

    #[test]
    fn metadata_is_looked_for_with_and_without_the_path() {
        let places = |url: &str| well_known(&url.parse().unwrap());
        let base = "https://crm.example.com/.well-known/oauth-protected-resource";
        assert_eq!(places("https://crm.example.com/mcp"), [format!("{base}/mcp"), base.to_owned()]);
        assert_eq!(places("https://crm.example.com/"), [base]);
    }
}
