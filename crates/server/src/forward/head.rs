//! The head of a server's answer (RFC 9112 §2 to §6), read strictly: what two readers could take for two things is no
//! answer. Pure.

use std::mem::MaybeUninit;

use bytes::{Bytes, BytesMut};
use http::header::{
    CONNECTION, CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue, LOCATION, TRANSFER_ENCODING, WWW_AUTHENTICATE,
};
use http::{Method, StatusCode};
use keybearer_mcp::header;

use super::body::Framing;

/// The largest head.
const LARGEST: usize = 64 << 10;

/// The most fields in it.
const MOST_FIELDS: usize = 100;

/// What every head begins with.
const BEGINNING: &[u8] = b"HTTP/1.";

/// The fields that are read on this side; of all others only those that go on are kept.
const READ: [HeaderName; 5] = [CONNECTION, CONTENT_LENGTH, LOCATION, TRANSFER_ENCODING, WWW_AUTHENTICATE];

/// The head of an answer, and what it says of what follows.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(super) framing: Framing,
    /// Whether the connection can carry another request behind the body.
    pub(super) keeps: bool,
}

/// Why bytes are no head, in words.
pub(super) type Wrong = &'static str;

/// How far the end of a head was looked for.
#[derive(Debug, Default)]
pub(super) struct Search {
    seen: usize,
    /// Where the line begins that is not whole yet.
    line: usize,
    /// Up to which line what was read has been looked through.
    known: usize,
    /// Empty: what the head's fields are put into.
    fields: HeaderMap,
}

impl Search {
    /// A search for a head whose fields are put into this empty map.
    pub(super) fn into(fields: HeaderMap) -> Self {
        Self { fields, ..Self::default() }
    }

    /// Where the head ends that `read` begins with; `None` if more has to be read.
    fn end(&mut self, read: &[u8]) -> Result<Option<usize>, Wrong> {
        while let Some(offset) = memchr::memchr(b'\n', read.get(self.seen..).unwrap_or_default()) {
            let feed = self.seen + offset;
            let line = read.get(self.line..feed).unwrap_or_default();
            let first = self.line == 0;
            (self.seen, self.line) = (feed + 1, feed + 1);
            match line {
                [b'\r'] if first => return Err("its answer begins with an empty line"),
                [b'\r'] if feed < LARGEST => return Ok(Some(feed + 1)),
                [.., b'\r'] => {}
                _ => return Err("a line of its answer has no proper end"),
            }
        }
        self.seen = read.len();
        if read.len() >= LARGEST { Err("the head of its answer is too large") } else { Ok(None) }
    }

    /// Whether the beginning that was read can become a head: nobody waits for the rest of what is none.
    fn may_become_a_head(&mut self, read: &[u8]) -> Result<(), Wrong> {
        let begins = read.len().min(BEGINNING.len());
        if read.get(..begins) != BEGINNING.get(..begins) {
            return Err("its answer is no HTTP/1.1");
        }
        // Once for each line.
        if std::mem::replace(&mut self.known, self.line) != self.line {
            let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
            scan(read, &mut httparse::Response::new(&mut []), &mut fields)?;
        }
        Ok(())
    }

    /// Takes the head of the answer to a request of this method out of `read`; `None` if more has to be read.
    pub(super) fn take(&mut self, read: &mut BytesMut, asked: &Method) -> Result<Option<Head>, Wrong> {
        let Some(end) = self.end(read)? else { return self.may_become_a_head(read).map(|()| None) };
        let fields = std::mem::take(self).fields;
        parse(&read.split_to(end).freeze(), asked, fields).map(Some)
    }
}

/// Finds the fields of a head, or of the beginning of one.
fn scan<'f, 'b>(
    bytes: &'b [u8],
    answer: &mut httparse::Response<'f, 'b>,
    fields: &'f mut [MaybeUninit<httparse::Header<'b>>],
) -> Result<httparse::Status<usize>, Wrong> {
    let found = httparse::ParserConfig::default().parse_response_with_uninit_headers(answer, bytes, fields);
    found.map_err(|error| match error == httparse::Error::TooManyHeaders {
        true => "its answer has too many header fields",
        false => "its answer is no HTTP/1.1",
    })
}

fn parse(bytes: &Bytes, asked: &Method, mut headers: HeaderMap) -> Result<Head, Wrong> {
    let mut fields = [const { MaybeUninit::uninit() }; MOST_FIELDS];
    let mut answer = httparse::Response::new(&mut []);
    // Both readers of it find the same end.
    if scan(bytes, &mut answer, &mut fields)? != httparse::Status::Complete(bytes.len()) {
        return Err("its answer is no HTTP/1.1");
    }
    let status = answer.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or("its status is none")?;
    for field in answer.headers.iter() {
        let name = HeaderName::from_bytes(field.name.as_bytes()).map_err(|_| "a header's name is none")?;
        if READ.contains(&name) || header::response_passes(&name) {
            let value = HeaderValue::from_maybe_shared(bytes.slice_ref(field.value));
            headers.append(name, value.map_err(|_| "a header's value is none")?);
        }
    }
    let keeps = answer.version == Some(1) && !names_close(&headers);
    let (framing, certain) = framing(&mut headers, status, asked, answer.version == Some(1))?;
    headers.remove(CONNECTION);
    headers.remove(TRANSFER_ENCODING);
    Ok(Head { status, headers, framing, keeps: keeps && certain && framing != Framing::to_the_end() })
}

/// How the body is framed, and whether nobody can see that otherwise.
fn framing(
    headers: &mut HeaderMap,
    status: StatusCode,
    asked: &Method,
    version_1_1: bool,
) -> Result<(Framing, bool), Wrong> {
    let length = length(headers)?;
    let encoded = encoding(headers)?;
    if encoded && !version_1_1 {
        return Err("it answers in chunks that its HTTP does not have");
    }
    let bodiless = status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED);
    if bodiless || *asked == Method::HEAD {
        let certain = *asked == Method::HEAD || (!encoded && length.unwrap_or(0) == 0);
        return Ok((Framing::NONE, certain));
    }
    Ok(match (encoded, length) {
        (true, None) => (Framing::chunked(), true),
        (true, Some(_)) => {
            // It counts for nothing (RFC 9112 §6.3), and somebody has put it there.
            headers.remove(CONTENT_LENGTH);
            (Framing::chunked(), false)
        }
        (false, Some(length)) => (Framing::Sized(length), true),
        (false, None) => (Framing::to_the_end(), true),
    })
}

/// The one length that is told.
fn length(headers: &HeaderMap) -> Result<Option<u64>, Wrong> {
    let mut told = headers.get_all(CONTENT_LENGTH).iter();
    let Some(length) = told.next() else { return Ok(None) };
    let digits = length.as_bytes();
    if told.next().is_some() || digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err("it tells no one length of its answer");
    }
    let number = length.to_str().ok().and_then(|digits| digits.parse().ok());
    number.map(Some).ok_or("it tells a length that nobody has")
}

/// Whether the body comes in chunks: no other coding is asked for.
fn encoding(headers: &HeaderMap) -> Result<bool, Wrong> {
    let mut told = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = told.next() else { return Ok(false) };
    if told.next().is_some() || !coding.as_bytes().eq_ignore_ascii_case(b"chunked") {
        return Err("it answers in a coding that was not asked for");
    }
    Ok(true)
}

fn names_close(headers: &HeaderMap) -> bool {
    let mut options = headers.get_all(CONNECTION).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    options.any(|option| option.trim_ascii().eq_ignore_ascii_case(b"close"))
}

#[cfg(test)]
mod tests;
