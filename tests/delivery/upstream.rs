//! A server that has much to say to many: what it is called with decides what it answers, and it counts who is there.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a large result is made of, over and over; no byte of it needs an escape.
pub(crate) const PATTERN: &[u8] = b"the quick brown fox jumps over the lazy dog 0123456789 ";

/// How much of it is written at once.
const PIECE: usize = 256 << 10;

/// The server; it ends when it is dropped.
pub(crate) struct Busy {
    address: SocketAddr,
    counts: Arc<Counts>,
    accepting: JoinHandle<()>,
}

/// Who is there, and how much was said.
#[derive(Default)]
pub(crate) struct Counts {
    begun: AtomicUsize,
    pub(crate) sessions: AtomicUsize,
    pub(crate) streams: AtomicUsize,
    pub(crate) calls: AtomicUsize,
    /// How many bytes of large results were taken from it.
    pub(crate) said: AtomicU64,
}

struct Request {
    method: String,
    path: String,
    session: Option<String>,
    body: Value,
}

impl Busy {
    pub(crate) async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, counts) = (listener.local_addr().unwrap(), Arc::<Counts>::default());
        let all = Arc::clone(&counts);
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let counts = Arc::clone(&all);
                // One that hangs up in the middle is nothing to report: the story sees what it has read.
                tokio::spawn(async move { drop(converse(stream, &counts).await) });
            }
        });
        Self { address, counts, accepting }
    }

    /// Where the server of this name is.
    pub(crate) fn url(&self, name: &str) -> String {
        format!("http://{}/{name}", self.address)
    }

    /// Settings for servers of these names.
    pub(crate) fn settings(&self, names: &[String]) -> String {
        names.iter().map(|name| format!("[servers.{name}]\nurl = \"{}\"\nauth = \"none\"\n", self.url(name))).collect()
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.counts
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn converse(stream: TcpStream, counts: &Counts) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    while let Some(request) = read(&mut reader).await? {
        match request.method.as_str() {
            "GET" => return listen(&mut reader, &mut writer, counts).await,
            "DELETE" => {
                counts.sessions.fetch_sub(1, Ordering::SeqCst);
                writer.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await?;
            }
            _ => answer(&request, &mut writer, counts).await?,
        }
    }
    Ok(())
}

async fn read(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Request>> {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).await? == 0 {
            return Ok(None);
        }
    }
    let field = |name: &str| {
        let mut fields = head.lines().filter_map(|line| line.split_once(':'));
        fields.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
    };
    let mut body = vec![0; field("content-length").map_or(0, |length| length.parse().unwrap())];
    reader.read_exact(&mut body).await?;
    let mut words = head.split(' ');
    Ok(Some(Request {
        method: words.next().unwrap().to_owned(),
        path: words.next().unwrap().trim_start_matches('/').to_owned(),
        session: field("mcp-session-id"),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }))
}

/// A stream of the server's own, on which nothing happens until the other side goes.
async fn listen(reader: &mut BufReader<OwnedReadHalf>, writer: &mut OwnedWriteHalf, counts: &Counts) -> io::Result<()> {
    writer
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await?;
    counts.streams.fetch_add(1, Ordering::SeqCst);
    let gone = reader.read_u8().await;
    counts.streams.fetch_sub(1, Ordering::SeqCst);
    gone.map(|_| ())
}

async fn answer(request: &Request, writer: &mut OwnedWriteHalf, counts: &Counts) -> io::Result<()> {
    let (id, parameters) = (&request.body["id"], &request.body["params"]);
    if id.is_null() {
        return writer.write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n").await;
    }
    let arguments = &parameters["arguments"];
    let said = json!({ "server": request.path, "session": request.session, "said": arguments["said"] });
    match (request.body["method"].as_str(), parameters["name"].as_str()) {
        (Some("initialize"), _) => {
            let number = counts.begun.fetch_add(1, Ordering::SeqCst);
            counts.sessions.fetch_add(1, Ordering::SeqCst);
            let info = json!({ "name": request.path, "version": "1" });
            let result =
                json!({ "protocolVersion": "2025-11-25", "capabilities": { "tools": {} }, "serverInfo": info });
            let session = format!("Mcp-Session-Id: session-{number}\r\n");
            json_answer(writer, &session, &json!({ "jsonrpc": "2.0", "id": id, "result": result })).await
        }
        (_, Some("large")) => large(id, arguments, writer, counts).await,
        (_, Some("progress")) => {
            counts.calls.fetch_add(1, Ordering::SeqCst);
            progress(id, parameters, &said, writer).await
        }
        _ => {
            counts.calls.fetch_add(1, Ordering::SeqCst);
            json_answer(writer, "", &json!({ "jsonrpc": "2.0", "id": id, "result": result(&said) })).await
        }
    }
}

fn result(said: &Value) -> Value {
    json!({ "content": [{ "type": "text", "text": "done" }], "structuredContent": said })
}

async fn json_answer(writer: &mut OwnedWriteHalf, fields: &str, message: &Value) -> io::Result<()> {
    let body = message.to_string();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{fields}Content-Length: {}", body.len());
    writer.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await
}

/// As many progress notifications as asked for, and then the result, as one event stream.
async fn progress(id: &Value, parameters: &Value, said: &Value, writer: &mut OwnedWriteHalf) -> io::Result<()> {
    let token = &parameters["_meta"]["progressToken"];
    writer
        .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        .await?;
    let many = parameters["arguments"]["many"].as_u64().unwrap();
    let mut events = Vec::new();
    for number in 1..=many {
        let params = json!({ "progressToken": token, "progress": number, "message": said["said"] });
        let message = json!({ "jsonrpc": "2.0", "method": "notifications/progress", "params": params });
        event(&mut events, &message.to_string());
        if events.len() > PIECE {
            writer.write_all(&events).await?;
            events.clear();
        }
    }
    event(&mut events, &json!({ "jsonrpc": "2.0", "id": id, "result": result(said) }).to_string());
    events.extend_from_slice(b"0\r\n\r\n");
    writer.write_all(&events).await
}

fn event(events: &mut Vec<u8>, data: &str) {
    let text = format!("event: message\ndata: {data}\n\n");
    events.extend_from_slice(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes());
}

/// A result whose text is as long as asked for, as one JSON document or as one event.
async fn large(id: &Value, arguments: &Value, writer: &mut OwnedWriteHalf, counts: &Counts) -> io::Result<()> {
    let size = usize::try_from(arguments["bytes"].as_u64().unwrap()).unwrap();
    let (before, after) = around(id);
    let stream = arguments["as"] == "event";
    let (first, last) = if stream { ("data: ", "\n\n") } else { ("", "") };
    let kind = if stream { "text/event-stream" } else { "application/json" };
    let length = first.len() + before.len() + size + after.len() + last.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{first}{before}");
    writer.write_all(head.as_bytes()).await?;
    let piece = PATTERN.repeat(PIECE / PATTERN.len());
    let mut left = size;
    while left > 0 {
        let count = left.min(piece.len());
        writer.write_all(&piece[..count]).await?;
        counts.said.fetch_add(count as u64, Ordering::SeqCst);
        left -= count;
    }
    writer.write_all(format!("{after}{last}").as_bytes()).await
}

/// What stands before and after the text of a large result.
pub(crate) fn around(id: &Value) -> (String, &'static str) {
    (format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"content":[{{"type":"text","text":""#), r#""}]}}"#)
}
