//! Chunked bodies (RFC 9112 §7.1), read strictly: what is no chunk breaks the answer off.
//!
//! Extensions and trailers are read and dropped. Pure: bytes in, pieces out, wherever the bytes were cut.

use bytes::{Buf as _, Bytes, BytesMut};

/// So many digits of a chunk's size at most: they fit in 64 bits.
const MOST_DIGITS: u8 = 16;

/// The most bytes of extensions of one chunk, and of all trailers together.
const MOST_BESIDE: usize = 16 << 10;

/// What is no chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// Where in a chunked body the reader stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    /// In a chunk's size, behind so many digits.
    Size {
        size: u64,
        digits: u8,
    },
    /// In blanks between a size and its extension.
    Blank {
        size: u64,
    },
    Extension {
        size: u64,
    },
    /// Before the line feed of a size's line.
    SizeEnd {
        size: u64,
    },
    /// In the data, so many bytes before its end.
    Data {
        left: u64,
    },
    /// Before the line end behind data.
    DataReturn,
    DataEnd,
    /// At the beginning of a line behind the last chunk.
    Trailer,
    Name,
    Value,
    /// Before the line feed of a trailer.
    ValueEnd,
    /// Before the last line feed.
    LastEnd,
    Over,
    Broken,
}

/// The reader of one chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chunks {
    at: At,
    /// How much was read since the last data that is none.
    beside: usize,
}

impl Chunks {
    pub(super) const fn new() -> Self {
        Self { at: At::Size { size: 0, digits: 0 }, beside: 0 }
    }

    pub(super) fn is_over(&self) -> bool {
        self.at == At::Over
    }

    /// The next data in `read`, of which it takes what it has understood; `None` if more is needed, or at the end.
    pub(super) fn next(&mut self, read: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        self.pass_over(read);
        if self.at == At::Broken {
            return Err(Malformed);
        }
        let At::Data { left } = self.at else { return Ok(None) };
        if read.is_empty() {
            return Ok(None);
        }
        let length = usize::try_from(left).map_or(read.len(), |left| left.min(read.len()));
        self.at = match left - length as u64 {
            0 => At::DataReturn,
            left => At::Data { left },
        };
        let data = read.split_to(length).freeze();
        // The end may be there already. What is wrong behind the data is told behind it.
        self.pass_over(read);
        Ok(Some(data))
    }

    /// Goes over all that is no data.
    fn pass_over(&mut self, read: &mut BytesMut) {
        let mut passed = 0;
        for byte in read.iter() {
            if matches!(self.at, At::Data { .. } | At::Over | At::Broken) {
                break;
            }
            self.at = self.after(*byte);
            passed += 1;
            self.beside += 1;
            if self.beside > MOST_BESIDE {
                self.at = At::Broken;
            }
        }
        read.advance(passed);
        if matches!(self.at, At::Data { .. }) {
            self.beside = 0;
        }
    }

    fn after(&self, byte: u8) -> At {
        match (self.at, byte) {
            (At::Size { size, digits }, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if digits < MOST_DIGITS => {
                At::Size { size: (size << 4) | u64::from(value_of(byte)), digits: digits + 1 }
            }
            (At::Size { size, digits: 1.. }, b'\r') | (At::Extension { size }, b'\r') => At::SizeEnd { size },
            (At::Size { size, digits: 1.. } | At::Blank { size }, b' ' | b'\t') => At::Blank { size },
            (At::Size { size, digits: 1.. } | At::Blank { size }, b';') => At::Extension { size },
            (At::Extension { size }, byte) if is_text(byte) => At::Extension { size },
            (At::SizeEnd { size: 0 }, b'\n') => At::Trailer,
            (At::SizeEnd { size }, b'\n') => At::Data { left: size },
            (At::DataReturn, b'\r') => At::DataEnd,
            (At::DataEnd, b'\n') => At::Size { size: 0, digits: 0 },
            (At::Trailer, b'\r') => At::LastEnd,
            (At::Trailer | At::Name, byte) if is_of_token(byte) => At::Name,
            (At::Name, b':') => At::Value,
            (At::Value, b'\r') => At::ValueEnd,
            (At::Value, byte) if is_text(byte) => At::Value,
            (At::ValueEnd, b'\n') => At::Trailer,
            (At::LastEnd, b'\n') => At::Over,
            _ => At::Broken,
        }
    }
}

fn value_of(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}

/// RFC 9110 §5.6.2.
fn is_of_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}
