//! HTTP/1.1 as far as the relay reads it: whole requests, whole replies, framed anew.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use crate::http::{self, Answer};

/// How a connection is used is each side's own affair.
const FRAMING: [&str; 4] = ["connection", "keep-alive", "transfer-encoding", "content-length"];

/// A request.
pub(super) struct Request {
    head: String,
    body: Vec<u8>,
}

/// A reply, as it is to be written.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) bytes: Vec<u8>,
    /// The refresh token in it.
    pub(super) refresh_token: Option<String>,
}

impl Request {
    /// The refresh token that it uses, if it asks for a renewal.
    pub(super) fn refresh_token(&self) -> Option<&str> {
        let is_renewal = self.head.starts_with("POST ") && has(&self.body, b"grant_type=refresh_token");
        let form = std::str::from_utf8(&self.body).ok().filter(|_| is_renewal)?;
        // The issuer's tokens need no escaping in a form.
        form.split('&').find_map(|field| field.strip_prefix("refresh_token="))
    }
}

/// The next request, with its body; `None` when there is none.
pub(super) fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut came = Vec::new();
    let mut piece = [0; 4096];
    let end = loop {
        if let Some(end) = came.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        let count = stream.read(&mut piece).ok().filter(|count| *count > 0)?;
        came.extend_from_slice(&piece[..count]);
    };
    let head = String::from_utf8(came[..end].to_vec()).ok()?;
    let length = field(&head, "content-length").map_or(0, |text| text.parse().unwrap());
    let mut body = came.split_off(end + 4);
    let begun = body.len();
    body.resize(begun.max(length), 0);
    stream.read_exact(&mut body[begun..]).ok()?;
    Some(Request { head, body })
}

/// Asks the issuer.
pub(super) fn ask(target: &str, request: &Request) -> Option<Reply> {
    let mut bytes = unframed(&request.head);
    bytes.push_str(&format!("Connection: close\r\nContent-Length: {}\r\n\r\n", request.body.len()));
    let answer = http::exchange(target, &[bytes.as_bytes(), &request.body].concat()).ok()?;
    let mut bytes = unframed(&answer.head).into_bytes();
    bytes.extend_from_slice(format!("Content-Length: {}\r\n\r\n", answer.body.len()).as_bytes());
    bytes.extend_from_slice(&answer.body);
    Some(Reply { status: answer.status, refresh_token: refresh_token_in(&answer), bytes })
}

/// Writes a reply; false if nobody takes it any more.
pub(super) fn write(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).is_ok()
}

fn refresh_token_in(answer: &Answer) -> Option<String> {
    let body: serde_json::Value = serde_json::from_slice(&answer.body).ok()?;
    body["refresh_token"].as_str().map(str::to_owned)
}

/// A head without what frames it: its lines, each with its end.
fn unframed(head: &str) -> String {
    let is_framing =
        |line: &str| line.split_once(':').is_some_and(|(name, _)| FRAMING.contains(&name.to_lowercase().as_str()));
    head.split("\r\n").filter(|line| !is_framing(line)).map(|line| format!("{line}\r\n")).collect()
}

fn field<'a>(head: &'a str, wanted: &str) -> Option<&'a str> {
    let fields = head.split("\r\n").filter_map(|line| line.split_once(':'));
    fields.into_iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
}

fn has(bytes: &[u8], wanted: &[u8]) -> bool {
    memchr::memmem::find(bytes, wanted).is_some()
}
