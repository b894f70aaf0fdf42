//! The plainest MCP client over HTTP: handshake and list of tools, one request a connection.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use serde_json::{Value, json};

use super::probe::internal;
use crate::failure::Failure;

/// The protocol version that is offered.
const VERSION: &str = "2025-11-25";

/// The most that is read of an answer.
const LONGEST: u64 = 64 << 20;

/// A stream to a door, by whichever way.
pub(super) trait Pipe: Read + Write {}
impl<T: Read + Write> Pipe for T {}

type Open = Box<dyn Fn() -> Result<Box<dyn Pipe>, Failure>>;

/// A door that is asked over HTTP.
pub(super) struct Web {
    open: Open,
    host: String,
    path: String,
    authorization: Option<String>,
    session: Option<String>,
}

impl Web {
    /// By a URL. A container's name for this machine means nothing here: `door` or loopback is asked, by that name.
    pub(super) fn over_tcp(url: &str, authorization: String, door: Option<String>) -> Result<Self, Failure> {
        let senseless = || internal("the entry's URL makes no sense");
        let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).ok_or_else(senseless)?;
        let (name, port) = host.rsplit_once(':').ok_or_else(senseless)?;
        let here = || format!("{}:{port}", if name.ends_with(".internal") { "127.0.0.1" } else { name });
        let address = door.unwrap_or_else(here);
        let open = move || {
            TcpStream::connect(&address).map_err(|cause| internal(&format!("`{address}` cannot be reached: {cause}")))
        };
        Ok(Self::over(open, host, &format!("/{path}"), Some(authorization)))
    }

    /// By any way of opening a stream.
    pub(super) fn over<S: Pipe + 'static>(
        open: impl Fn() -> Result<S, Failure> + 'static,
        host: &str,
        path: &str,
        authorization: Option<String>,
    ) -> Self {
        let open: Open = Box::new(move || open().map(|stream| Box::new(stream) as Box<dyn Pipe>));
        Self { open, host: host.to_owned(), path: path.to_owned(), authorization, session: None }
    }

    /// The tools, first page: enough to see that they come.
    pub(super) fn tools(mut self) -> Result<Vec<Value>, Failure> {
        let us = json!({ "name": "keybearer", "version": env!("CARGO_PKG_VERSION") });
        let hello = json!({ "protocolVersion": VERSION, "capabilities": {}, "clientInfo": us });
        self.ask(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello }))?;
        self.ask(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }))?;
        let listed = self.ask(&json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list", "params": {} }))?;
        Ok(listed.and_then(|result| result.get("tools")?.as_array().cloned()).unwrap_or_default())
    }

    /// Posts a message; its result, if it has one.
    fn ask(&mut self, message: &Value) -> Result<Option<Value>, Failure> {
        let mut stream = (self.open)()?;
        let broken = |cause: &std::io::Error| internal(&format!("the connection broke: {cause}"));
        stream.write_all(&self.request(message)).and_then(|()| stream.flush()).map_err(|cause| broken(&cause))?;
        let mut reader = BufReader::new(stream.take(LONGEST));
        let head = head(&mut reader).map_err(|cause| broken(&cause))?;
        let status: u16 = head.first().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap_or_default();
        let field = |name: &str| {
            let found = head.iter().filter_map(|line| line.split_once(':'));
            let mut found = found.filter(|(found, _)| found.eq_ignore_ascii_case(name));
            found.next().map(|(_, value)| value.trim().to_owned())
        };
        if let Some(session) = field("mcp-session-id") {
            self.session = Some(session);
        }
        match status {
            202 | 204 => return Ok(None),
            200 => {}
            401 | 403 => return Err(internal(&format!("it was turned away ({status})"))),
            other => return Err(internal(&format!("it answers with status {other}"))),
        }
        let chunked = field("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
        let length = field("content-length").and_then(|length| length.parse().ok());
        answer(reader, chunked, length, message.get("id"))
    }

    fn request(&self, message: &Value) -> Vec<u8> {
        let body = message.to_string();
        let mut head = format!(
            "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nConnection: close\r\nContent-Length: {}\r\n",
            self.path,
            self.host,
            body.len()
        );
        let session = self.session.as_deref();
        for (name, value) in [("Authorization", self.authorization.as_deref()), ("Mcp-Session-Id", session)] {
            if let Some(value) = value {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
        }
        if session.is_some() {
            head.push_str(&format!("MCP-Protocol-Version: {VERSION}\r\n"));
        }
        format!("{head}\r\n{body}").into_bytes()
    }
}

fn head(reader: &mut impl BufRead) -> std::io::Result<Vec<String>> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim_end().is_empty() {
            return Ok(lines);
        }
        lines.push(line.trim_end().to_owned());
    }
}

/// The result of a request, as JSON or as the event of a stream that may stay open.
fn answer(
    mut reader: impl BufRead,
    chunked: bool,
    length: Option<u64>,
    id: Option<&Value>,
) -> Result<Option<Value>, Failure> {
    let mut text = String::new();
    loop {
        let piece = if chunked { chunk(&mut reader) } else { whole(&mut reader, length) };
        let piece = piece.ok_or_else(|| internal("the answer broke off"))?;
        text.push_str(&piece);
        let lines = text.lines().map(|line| line.strip_prefix("data:").unwrap_or(line).trim());
        let found =
            lines.filter_map(|line| serde_json::from_str::<Value>(line).ok()).find(|found| found.get("id") == id);
        if let Some(found) = found {
            let told = found.get("error").and_then(|error| error.get("message")).and_then(Value::as_str);
            return match told {
                Some(message) => Err(internal(message)),
                None => Ok(found.get("result").cloned()),
            };
        }
        if piece.is_empty() || !chunked {
            return Err(internal("it answers with something that is no MCP"));
        }
    }
}

fn whole(reader: &mut impl BufRead, length: Option<u64>) -> Option<String> {
    let mut text = String::new();
    reader.take(length.unwrap_or(LONGEST)).read_to_string(&mut text).ok()?;
    Some(text)
}

/// The next chunk; empty at the end.
fn chunk(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let size = usize::from_str_radix(line.split(';').next()?.trim(), 16).ok().filter(|size| *size as u64 <= LONGEST)?;
    let mut piece = vec![0; size + 2];
    reader.read_exact(&mut piece).ok()?;
    piece.truncate(size);
    // A character may be cut in two: what is looked for begins and ends at lines.
    Some(String::from_utf8_lossy(&piece).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_found_in_json_and_in_events() {
        let json = "{\"jsonrpc\":\"2.0\",\"id\":2,\"result\":{\"tools\":[]}}";
        let found = answer(json.as_bytes(), false, Some(json.len() as u64), Some(&json!(2))).unwrap();
        assert_eq!(found, Some(json!({ "tools": [] })));
        let event = format!("event: message\ndata: {json}\n\n");
        let (first, second) = event.split_at(20);
        let chunks = format!("{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n", first.len(), second.len());
        assert_eq!(answer(chunks.as_bytes(), true, None, Some(&json!(2))).unwrap(), Some(json!({ "tools": [] })));
    }

    #[test]
    fn an_error_is_told_in_its_own_words() {
        let json = "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-1,\"message\":\"not now\"}}";
        let failure = answer(json.as_bytes(), false, None, Some(&json!(1))).unwrap_err();
        assert_eq!(failure.errors[0].message, "not now");
        assert!(answer("nonsense".as_bytes(), false, None, Some(&json!(1))).is_err());
        assert!(answer("5\r\nab".as_bytes(), true, None, Some(&json!(1))).is_err());
    }
}
