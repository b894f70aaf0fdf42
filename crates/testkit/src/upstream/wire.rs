//! Reads HTTP/1.1 requests as they stand on the wire.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::net::tcp::OwnedReadHalf;

/// The most that is read of one request, so that a broken client cannot fill the memory.
const LARGEST: usize = 64 << 20;

/// A request, byte for byte.
#[derive(Debug)]
pub struct Seen {
    /// The method, as written.
    pub method: String,
    /// Path and query, as written.
    pub target: String,
    /// The header fields in their order, names as written.
    pub headers: Vec<(String, String)>,
    /// The body's bytes, without the framing.
    pub body: Vec<u8>,
    /// Whether it was refused for want of a credential.
    pub turned_away: bool,
}

impl Seen {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Whether `text` occurs anywhere in it.
    pub fn mentions(&self, text: &str) -> bool {
        let body = self.body.windows(text.len()).any(|window| window == text.as_bytes());
        body || self.target.contains(text)
            || self.headers.iter().any(|(name, value)| name.contains(text) || value.contains(text))
    }
}

/// The next request of a connection; none where it ended.
pub(super) async fn read_request(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<Seen>> {
    let Some(first) = read_line(reader).await? else { return Ok(None) };
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Err(malformed("request line")) };
    let mut seen = Seen {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        turned_away: false,
    };
    loop {
        let line = read_line(reader).await?.ok_or_else(|| malformed("head"))?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("header field"))?;
        seen.headers.push((name.to_owned(), value.trim_matches([' ', '\t']).to_owned()));
    }
    seen.body = read_body(reader, &seen).await?;
    Ok(Some(seen))
}

async fn read_body(reader: &mut BufReader<OwnedReadHalf>, seen: &Seen) -> io::Result<Vec<u8>> {
    if seen.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        return read_chunks(reader).await;
    }
    let length = seen.header("content-length").map_or(Ok(0), str::parse).map_err(|_| malformed("length"))?;
    read_exactly(reader, length).await
}

async fn read_chunks(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(reader).await?.ok_or_else(|| malformed("chunk"))?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| malformed("chunk size"))?;
        if size == 0 {
            while read_line(reader).await?.is_some_and(|trailer| !trailer.is_empty()) {}
            return Ok(body);
        }
        body.extend(read_exactly(reader, size).await?);
        read_line(reader).await?;
        if body.len() > LARGEST {
            return Err(malformed("size"));
        }
    }
}

async fn read_exactly(reader: &mut BufReader<OwnedReadHalf>, length: usize) -> io::Result<Vec<u8>> {
    if length > LARGEST {
        return Err(malformed("size"));
    }
    let mut bytes = vec![0; length];
    reader.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn read_line(reader: &mut BufReader<OwnedReadHalf>) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    if reader.read_until(b'\n', &mut line).await? == 0 {
        return Ok(None);
    }
    let line = String::from_utf8_lossy(&line);
    Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
}

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed {what}"))
}
