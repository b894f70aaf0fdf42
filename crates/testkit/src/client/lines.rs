//! The test client over lines: stdio of a bridge, or a socket.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderMap, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};

use super::answer::Answer;
use super::hello;

/// Speaks to an MCP server at the other end of a pipe, one request at a time.
pub struct LineClient {
    name: String,
    input: Box<dyn AsyncWrite + Unpin + Send>,
    output: BufReader<Box<dyn AsyncRead + Unpin + Send>>,
    received: Vec<u8>,
    reports_to: Option<Arc<Mutex<Vec<u8>>>>,
    next_id: u64,
}

impl LineClient {
    /// A client that writes to `input` and reads from `output`.
    pub fn new(
        name: &str,
        input: impl AsyncWrite + Unpin + Send + 'static,
        output: impl AsyncRead + Unpin + Send + 'static,
    ) -> Self {
        let output: Box<dyn AsyncRead + Unpin + Send> = Box::new(output);
        let output = BufReader::new(output);
        Self {
            name: name.to_owned(),
            input: Box::new(input),
            output,
            received: Vec::new(),
            reports_to: None,
            next_id: 1,
        }
    }

    /// Opens a session and says that it is open.
    pub async fn initialize(&mut self) -> io::Result<Answer> {
        let params = hello(&self.name);
        let answer = self.request("initialize", params).await?;
        if answer.result().is_some() {
            self.send_line(json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }).to_string()).await?;
        }
        Ok(answer)
    }

    /// Lists the tools.
    pub async fn list_tools(&mut self) -> io::Result<Answer> {
        self.request("tools/list", json!({})).await
    }

    /// Calls a tool, with a progress token.
    pub async fn call(&mut self, tool: &str, arguments: Value) -> io::Result<Answer> {
        let token = format!("progress-{}", self.next_id);
        let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": token } });
        self.request("tools/call", params).await
    }

    /// Sends a request and reads lines until its response is there.
    pub async fn request(&mut self, method: &str, params: Value) -> io::Result<Answer> {
        let id = self.next_id;
        self.next_id += 1;
        self.send_line(json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()).await?;
        let mut answer =
            Answer { status: StatusCode::OK, headers: HeaderMap::new(), body: Vec::new(), messages: Vec::new() };
        loop {
            let line = self.read_line().await?;
            let message: Value = serde_json::from_slice(&line).map_err(io::Error::other)?;
            let is_response = message["id"] == id && message["method"].is_null();
            answer.body.extend(line);
            answer.messages.push(message);
            if is_response {
                return Ok(answer);
            }
        }
    }

    /// Sends exactly this text and a line feed.
    pub async fn send_line(&mut self, line: impl AsRef<[u8]>) -> io::Result<()> {
        self.input.write_all(&[line.as_ref(), b"\n"].concat()).await?;
        self.input.flush().await
    }

    /// The next line, byte for byte, its line feed included.
    pub async fn read_line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        if self.output.read_until(b'\n', &mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.received.extend_from_slice(&line);
        if let Some(listener) = &self.reports_to {
            listener.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&line);
        }
        Ok(line)
    }

    /// What this client receives goes there, too.
    pub(crate) fn report_to(&mut self, listener: Arc<Mutex<Vec<u8>>>) {
        self.reports_to = Some(listener);
    }

    /// Everything that this client ever received.
    pub fn received(&self) -> &[u8] {
        &self.received
    }
}
