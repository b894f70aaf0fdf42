//! A client over Streamable HTTP: one connection and one session each, nothing shared.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpStream;

use crate::{message, numbers::quantile};

const WARM_UP: u64 = 20;

/// Where to send, and the header that opens the door.
#[derive(Clone, Debug)]
pub struct Door {
    /// The MCP endpoint.
    pub url: String,
    /// Name and value.
    pub header: (String, String),
}

struct Client {
    sender: http1::SendRequest<Full<Bytes>>,
    door: Door,
    session: Option<String>,
    next: u64,
}

/// `clients` at once call `echo`, one call after the other each, for `length`.
pub async fn calls(door: &Door, clients: usize, length: Duration) -> Result<Value> {
    let mut connected = Vec::new();
    for _ in 0..clients {
        connected.push(Client::connect(door).await?);
    }
    let start = Instant::now();
    let tasks: Vec<_> = connected.into_iter().map(|client| tokio::spawn(client.call_until(start + length))).collect();
    let mut times = Vec::new();
    for task in tasks {
        times.extend(task.await??);
    }
    let seconds = start.elapsed().as_secs_f64();
    let count = times.len();
    let sent = count as u64 + clients as u64 * (WARM_UP + 2);
    let rate = f64::from(u32::try_from(count)?) / seconds;
    let micros = |part, times: &mut Vec<Duration>| quantile(times, part).as_secs_f64() * 1e6;
    Ok(json!({ "sent": sent, "rate": rate, "p50_us": micros(0.5, &mut times), "p99_us": micros(0.99, &mut times) }))
}

/// `count` results of `bytes` bytes, one after the other.
pub async fn big(door: &Door, bytes: usize, count: usize) -> Result<Value> {
    let mut client = Client::connect(door).await?;
    let mut times = Vec::new();
    for _ in 0..count {
        let start = Instant::now();
        let body = client.call("big", &json!({ "bytes": bytes })).await?.into_body().collect().await?.to_bytes();
        times.push(start.elapsed());
        ensure!(body.len() > bytes, "a result of {bytes} bytes came as {}", body.len());
    }
    Ok(json!({ "p50_ms": quantile(&mut times, 0.5).as_secs_f64() * 1e3 }))
}

/// One call that reports `count` steps as fast as they come.
pub async fn events(door: &Door, count: u64) -> Result<Value> {
    let mut client = Client::connect(door).await?;
    let start = Instant::now();
    let body = client.call("events", &json!({ "count": count })).await?.into_body().collect().await?.to_bytes();
    let seconds = start.elapsed().as_secs_f64();
    let got = String::from_utf8_lossy(&body).matches("notifications/progress").count();
    Ok(json!({ "got": got, "events_per_s": f64::from(u32::try_from(got)?) / seconds }))
}

impl Client {
    async fn connect(door: &Door) -> Result<Self> {
        let authority = door.url.strip_prefix("http://").and_then(|rest| rest.split('/').next());
        let stream = TcpStream::connect(authority.context("the URL is not http")?).await.context("connect")?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let mut client = Self { sender, door: door.clone(), session: None, next: 1 };
        let answer = client.post(message::initialize()).await.context("initialize")?;
        let session = answer.headers().get("mcp-session-id").map(|value| value.to_str().map(str::to_owned));
        client.session = session.transpose()?;
        answer.into_body().collect().await?;
        client.post(message::initialized()).await?.into_body().collect().await?;
        Ok(client)
    }

    async fn call_until(mut self, end: Instant) -> Result<Vec<Duration>> {
        for _ in 0..WARM_UP {
            self.echo().await?;
        }
        let mut times = Vec::new();
        while Instant::now() < end {
            let start = Instant::now();
            self.echo().await?;
            times.push(start.elapsed());
        }
        Ok(times)
    }

    async fn echo(&mut self) -> Result<()> {
        let body = self.call("echo", &json!({ "text": "hello" })).await?.into_body().collect().await?.to_bytes();
        ensure!(body.windows(5).any(|part| part == b"hello"), "{}", String::from_utf8_lossy(&body));
        Ok(())
    }

    async fn call(&mut self, tool: &str, arguments: &Value) -> Result<Response<Incoming>> {
        let id = self.next;
        self.next += 1;
        self.post(message::call(id, tool, arguments)).await
    }

    async fn post(&mut self, body: String) -> Result<Response<Incoming>> {
        let uri: hyper::Uri = self.door.url.parse()?;
        let authority = uri.authority().context("the URL has no host")?.as_str();
        let (name, value) = (&self.door.header.0, &self.door.header.1);
        let mut request = Request::post(uri.path())
            .header(header::HOST, authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header("mcp-protocol-version", message::VERSION)
            .header(name, value);
        if let Some(session) = &self.session {
            request = request.header("mcp-session-id", session);
        }
        self.sender.ready().await?;
        let answer = self.sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
        ensure!(answer.status().is_success(), "answered with {}", answer.status());
        Ok(answer)
    }
}
