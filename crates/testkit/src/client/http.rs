//! The test client over Streamable HTTP.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::answer::Answer;
use super::{VERSION, hello};
use crate::http1;

/// Speaks to one MCP endpoint.
pub struct HttpClient {
    name: String,
    url: String,
    bearer: Option<String>,
    session: Mutex<Option<String>>,
    received: Mutex<Vec<u8>>,
    ids: AtomicU64,
}

impl HttpClient {
    /// A client that calls itself `name` and sends `bearer` (its key at a door, a token at a server) with everything.
    pub fn new(name: &str, url: &str, bearer: Option<&str>) -> Self {
        Self {
            name: name.to_owned(),
            url: url.to_owned(),
            bearer: bearer.map(str::to_owned),
            session: Mutex::default(),
            received: Mutex::default(),
            ids: AtomicU64::new(1),
        }
    }

    /// The endpoint.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Opens a session and says that it is open.
    pub async fn initialize(&self) -> io::Result<Answer> {
        let answer = self.request("initialize", hello(&self.name)).await?;
        if answer.result().is_some() {
            if let Some(session) = answer.headers.get("mcp-session-id").and_then(|value| value.to_str().ok()) {
                *lock(&self.session) = Some(session.to_owned());
            }
            self.notify("notifications/initialized").await?;
        }
        Ok(answer)
    }

    /// Lists the tools.
    pub async fn list_tools(&self) -> io::Result<Answer> {
        self.request("tools/list", json!({})).await
    }

    /// Calls a tool, with a progress token.
    pub async fn call(&self, tool: &str, arguments: Value) -> io::Result<Answer> {
        let token = format!("progress-{}", self.ids.load(Ordering::Relaxed));
        let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": token } });
        self.request("tools/call", params).await
    }

    /// Sends a request and reads the whole answer.
    pub async fn request(&self, method: &str, params: Value) -> io::Result<Answer> {
        let id = self.ids.fetch_add(1, Ordering::Relaxed);
        let message = json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params });
        self.post(message.to_string()).await
    }

    /// Sends a notification.
    pub async fn notify(&self, method: &str) -> io::Result<Answer> {
        self.post(json!({ "jsonrpc": "2.0", "method": method }).to_string()).await
    }

    /// Posts exactly these bytes and reads the whole answer.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> io::Result<Answer> {
        let (parts, body) = self.open(Method::POST, &[], body).await?.into_parts();
        let body = body.collect().await.map_err(io::Error::other)?.to_bytes().to_vec();
        lock(&self.received).extend_from_slice(&body);
        Ok(Answer::read(parts.status, parts.headers, body))
    }

    /// Sends exactly these bytes with `extra` header fields, and returns as soon as the answer's head is there.
    pub async fn open(
        &self,
        method: Method,
        extra: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> io::Result<Response<Incoming>> {
        let mut request = Request::builder().method(method).uri(&self.url);
        let session = lock(&self.session).clone();
        let standard = [
            (header::CONTENT_TYPE.as_str(), Some("application/json".to_owned())),
            (header::ACCEPT.as_str(), Some("application/json, text/event-stream".to_owned())),
            ("mcp-protocol-version", session.as_ref().map(|_| VERSION.to_owned())),
            ("mcp-session-id", session),
            (header::AUTHORIZATION.as_str(), self.bearer.as_ref().map(|bearer| format!("Bearer {bearer}"))),
        ];
        for (name, value) in standard {
            if let Some(value) = value.filter(|_| !extra.iter().any(|(other, _)| other.eq_ignore_ascii_case(name))) {
                request = request.header(name, value);
            }
        }
        for (name, value) in extra {
            request = request.header(*name, *value);
        }
        let response = http1::send(request.body(body.into()).map_err(io::Error::other)?).await?;
        for (name, value) in response.headers() {
            let line = [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat();
            lock(&self.received).extend(line);
        }
        Ok(response)
    }

    /// Everything that this client ever received, except the bodies of [`Self::open`].
    pub fn received(&self) -> Vec<u8> {
        lock(&self.received).clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
