//! Clients that read while it comes: one connection at the HTTP door, or one bridge.

use std::process::Stdio;
use std::time::Duration;

use keybearer_stories::core::{Home, keybearer};
use keybearer_stories::house::App;
use serde_json::{Value, json};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout};

/// The longest wait for a byte.
const PATIENCE: Duration = Duration::from_secs(60);

/// A connection to the HTTP door.
pub(crate) struct Http {
    stream: BufReader<TcpStream>,
    /// What every request says: the door's address and the key.
    fields: String,
    server: String,
    session: Option<String>,
}

/// How a body is framed.
enum Framing {
    Length(usize),
    Chunks,
}

impl Http {
    pub(crate) async fn connect(app: &App, server: &str) -> Self {
        Self::with_key(&app.door, &app.key, server).await
    }

    pub(crate) async fn with_key(door: &str, key: &str, server: &str) -> Self {
        let stream = TcpStream::connect(door).await.unwrap();
        stream.set_nodelay(true).unwrap();
        let fields = format!(
            "Host: {door}\r\nAuthorization: Bearer {key}\r\nAccept: application/json, text/event-stream\r\nContent-Type: application/json\r\n"
        );
        Self { stream: BufReader::new(stream), fields, server: server.to_owned(), session: None }
    }

    /// A second connection of the same session.
    pub(crate) async fn beside(&self) -> Self {
        let stream = TcpStream::connect(self.stream.get_ref().peer_addr().unwrap()).await.unwrap();
        let (fields, server, session) = (self.fields.clone(), self.server.clone(), self.session.clone());
        Self { stream: BufReader::new(stream), fields, server, session }
    }

    pub(crate) async fn send(&mut self, method: &str, body: &str) {
        let session = self.session.as_ref().map(|id| format!("Mcp-Session-Id: {id}\r\n")).unwrap_or_default();
        let request = format!(
            "{method} /mcp/{} HTTP/1.1\r\n{}{session}Content-Length: {}\r\n\r\n{body}",
            self.server,
            self.fields,
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).await.unwrap();
    }

    /// Begins a session.
    pub(crate) async fn initialize(&mut self) {
        self.send("POST", &initialize()).await;
        let (head, framing) = self.head().await;
        self.session = field(&head, "mcp-session-id");
        let body = self.whole(framing).await;
        assert!(self.session.is_some() && body.contains("\"serverInfo\""), "{head} {body}");
        self.send("POST", INITIALIZED).await;
        let (head, framing) = self.head().await;
        assert!(head.contains(" 202 "), "{head}");
        self.whole(framing).await;
    }

    /// Opens the server's own stream and waits until it is open.
    pub(crate) async fn listen(&mut self) {
        self.send("GET", "").await;
        let (head, _) = self.head().await;
        assert!(head.contains(" 200 ") && head.contains("text/event-stream"), "{head}");
    }

    /// Ends the session.
    pub(crate) async fn end(mut self) {
        self.send("DELETE", "").await;
        let (head, _) = self.head().await;
        assert!(head.contains(" 200 "), "{head}");
    }

    /// Sends a message and returns every message of the answer.
    pub(crate) async fn ask(&mut self, message: &Value) -> Vec<Value> {
        self.send("POST", &message.to_string()).await;
        let (head, framing) = self.head().await;
        let body = self.whole(framing).await;
        assert!(head.contains(" 200 "), "{head} {body}");
        let events: Vec<_> = body.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
        let texts = if events.is_empty() { vec![body.as_str()] } else { events };
        texts.into_iter().map(|text| serde_json::from_str(text).unwrap()).collect()
    }

    async fn head(&mut self) -> (String, Framing) {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = tokio::time::timeout(PATIENCE, self.stream.read_line(&mut head)).await;
            assert_ne!(read.unwrap_or_else(|_| panic!("no answer: {head}")).unwrap(), 0, "no answer: {head}");
        }
        let length = field(&head, "content-length").map(|length| length.parse().unwrap());
        let chunked = field(&head, "transfer-encoding").is_some();
        let framing = if chunked { Framing::Chunks } else { Framing::Length(length.unwrap_or(0)) };
        (head, framing)
    }

    async fn whole(&mut self, framing: Framing) -> String {
        let mut body = Vec::new();
        self.body(framing, |piece| body.extend_from_slice(piece)).await;
        String::from_utf8(body).unwrap()
    }

    /// The head's status, and then the body piece by piece.
    pub(crate) async fn read(&mut self, taker: impl FnMut(&[u8])) -> u16 {
        let (head, framing) = self.head().await;
        self.body(framing, taker).await;
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    async fn body(&mut self, framing: Framing, mut taker: impl FnMut(&[u8])) {
        match framing {
            Framing::Length(length) => take(&mut self.stream, length, &mut taker).await,
            Framing::Chunks => loop {
                let mut size = String::new();
                self.stream.read_line(&mut size).await.unwrap();
                let size = usize::from_str_radix(size.trim(), 16).unwrap_or_else(|_| panic!("no chunk: {size}"));
                take(&mut self.stream, size, &mut taker).await;
                let mut end = [0; 2];
                self.stream.read_exact(&mut end).await.unwrap();
                if size == 0 {
                    return;
                }
            },
        }
    }
}

async fn take(stream: &mut (impl AsyncBufRead + Unpin), mut left: usize, taker: &mut impl FnMut(&[u8])) {
    while left > 0 {
        let piece = tokio::time::timeout(PATIENCE, stream.fill_buf()).await.unwrap().unwrap();
        assert!(!piece.is_empty(), "the body ended {left} bytes too early");
        let count = piece.len().min(left);
        taker(&piece[..count]);
        stream.consume(count);
        left -= count;
    }
}

fn field(head: &str, name: &str) -> Option<String> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}

/// `keybearer stdio NAME` as this process's child.
pub(crate) struct Line {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Line {
    pub(crate) fn start(home: &Home, server: &str) -> Self {
        let mut command = home.command(keybearer());
        command.args(["stdio", server]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let mut child = tokio::process::Command::from(command).kill_on_drop(true).spawn().unwrap();
        let (input, output) = (child.stdin.take(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, input, output }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id().unwrap()
    }

    pub(crate) async fn initialize(&mut self) {
        self.send(&initialize()).await;
        let answer = self.next().await;
        assert!(answer["result"]["serverInfo"].is_object(), "{answer}");
        self.send(INITIALIZED).await;
    }

    pub(crate) async fn send(&mut self, message: &str) {
        self.input.as_mut().unwrap().write_all(format!("{message}\n").as_bytes()).await.unwrap();
    }

    /// The next message that is about something that was asked. That a list has changed may come between: where the
    /// server was slow the handshake was answered before it was heard.
    pub(crate) async fn next(&mut self) -> Value {
        loop {
            let mut line = String::new();
            let read = tokio::time::timeout(PATIENCE, self.output.read_line(&mut line)).await;
            read.unwrap_or_else(|_| panic!("no line came")).unwrap();
            let message: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no message: {line}"));
            if !message["method"].as_str().is_some_and(|method| method.ends_with("/list_changed")) {
                return message;
            }
        }
    }

    /// The next line, piece by piece, without its end.
    pub(crate) async fn read(&mut self, mut taker: impl FnMut(&[u8])) {
        loop {
            let piece = tokio::time::timeout(PATIENCE, self.output.fill_buf()).await.unwrap().unwrap();
            assert!(!piece.is_empty(), "the line broke off");
            let end = piece.iter().position(|byte| *byte == b'\n');
            taker(&piece[..end.unwrap_or(piece.len())]);
            let count = end.map_or(piece.len(), |end| end + 1);
            self.output.consume(count);
            if end.is_some() {
                return;
            }
        }
    }

    /// Ends its input and waits for its end.
    pub(crate) async fn end(mut self) {
        drop(self.input.take());
        let mut rest = Vec::new();
        self.output.read_to_end(&mut rest).await.unwrap();
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await.unwrap().unwrap();
        assert!(ended.success() && rest.is_empty(), "{ended} {}", String::from_utf8_lossy(&rest));
    }
}

const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

fn initialize() -> String {
    let info = json!({ "name": "crowd", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": info });
    json!({ "jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params }).to_string()
}

/// The call of a tool.
pub(crate) fn call(id: u64, tool: &str, arguments: &Value) -> Value {
    let params = json!({ "name": tool, "arguments": arguments, "_meta": { "progressToken": id } });
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": params })
}
