//! The plainest HTTP client: one request, one connection, bytes as they are.

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::Value;

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its head, as text.
    pub head: String,
    /// Its body, with chunks put together.
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value; names in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let line = self
            .head
            .lines()
            .skip(1)
            .find(|line| line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name)))?;
        Some(line.split_once(':')?.1.trim())
    }

    /// Its body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Its body as JSON: the whole of it, or the last event of a stream.
    #[track_caller]
    pub fn json(&self) -> Value {
        let text = self.text();
        let event = text.lines().filter_map(|line| line.strip_prefix("data:")).rfind(|line| !line.trim().is_empty());
        serde_json::from_str(event.unwrap_or(&text)).unwrap_or_else(|_| panic!("no JSON in {}: {text}", self.head))
    }
}

/// `GET url`.
pub fn get(url: &str, headers: &[(&str, &str)]) -> Answer {
    request("GET", url, headers, b"")
}

/// `POST url` with a JSON body.
pub fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut all = vec![("Content-Type", "application/json"), ("Accept", "application/json, text/event-stream")];
    all.extend_from_slice(headers);
    request("POST", url, &all, body)
}

/// Any request to an `http://host:port/path`.
pub fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let (host, bytes) = written(method, url, headers, body);
    raw(host, &bytes)
}

/// Where a request goes, and its bytes.
pub fn written<'a>(method: &str, url: &'a str, headers: &[(&str, &str)], body: &[u8]) -> (&'a str, Vec<u8>) {
    let rest = url.strip_prefix("http://").unwrap();
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let mut head = format!("{method} /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if method != "GET" {
        head.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    head.push_str("\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(body);
    (host, bytes)
}

/// Sends bytes as they are and reads the answer until the other side hangs up.
pub fn raw(host: &str, bytes: &[u8]) -> Answer {
    exchange(host, bytes).unwrap_or_else(|error| panic!("no answer from `{host}`: {error}"))
}

/// The same where the other side may be gone, or go in the middle of it.
///
/// # Errors
/// When it cannot be reached, or no whole answer came.
pub fn exchange(host: &str, bytes: &[u8]) -> io::Result<Answer> {
    let mut stream = TcpStream::connect(host)?;
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    // A server that refuses the head may hang up while the body is still on its way.
    let _ = stream.write_all(bytes);
    let mut answer = Vec::new();
    // One that was reset after its last byte is whole all the same.
    let ended = stream.read_to_end(&mut answer);
    parse(&answer).ok_or_else(|| ended.err().unwrap_or_else(|| broken(&answer)))
}

/// An answer that is all there; `None` while something is missing.
fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8(answer[..end].to_vec()).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let mut answer = Answer { status, head, body: answer[end + 4..].to_vec() };
    if answer.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        answer.body = unchunk(&answer.body)?;
    }
    let length = answer.header("content-length").and_then(|text| text.parse().ok());
    (length.is_none_or(|length: usize| answer.body.len() >= length)).then_some(answer)
}

fn broken(answer: &[u8]) -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, format!("it broke off: {}", String::from_utf8_lossy(answer)))
}

/// What the chunks hold; `None` if the last one is missing.
fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.trim(), 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(rest.get(end + 2..end + 2 + size)?);
        rest = rest.get(end + 2 + size + 2..)?;
    }
}
