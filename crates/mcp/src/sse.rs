//! Server-sent events out of a byte stream, wherever its chunks end.
//!
//! For doors that need the messages. The HTTP door forwards the bytes as they are and needs none of this.

/// The longest event that is held together.
pub const LONGEST: usize = 16 << 20;

/// One event. MCP's priming events have an id and empty data; ids and data come as they were sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The event's type, where one was sent; MCP's messages are of type `message` or of none.
    pub event: Option<String>,
    /// The lines of data, joined by line feeds; empty where there were none.
    pub data: Vec<u8>,
    /// The id to resume from, where this event sent one.
    pub id: Option<String>,
    /// How many milliseconds to wait before connecting again, where this event said so.
    pub retry: Option<u64>,
}

/// An event was longer than [`LONGEST`]; the stream cannot be followed further.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {LONGEST} bytes")]
pub struct TooLong;

/// Reads events from chunks.
#[derive(Debug, Default)]
pub struct Decoder {
    line: Vec<u8>,
    pending: Event,
    has_data: bool,
    has_fields: bool,
    after_return: bool,
    begun: bool,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and returns the events that they complete.
    ///
    /// An event that the stream ends in the middle of is never returned, as the standard has it.
    pub fn feed(&mut self, chunk: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        let mut rest = chunk;
        if self.after_return && !rest.is_empty() {
            self.after_return = false;
            // A line that ended with a return at the end of the last chunk: this feed belongs to it.
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (head, tail) = rest.split_at(end);
            self.extend(head)?;
            events.extend(self.end_line());
            rest = match tail {
                [b'\r', b'\n', next @ ..] => next,
                [b'\r'] => {
                    self.after_return = true;
                    &[]
                }
                [_, next @ ..] => next,
                [] => &[],
            };
        }
        self.extend(rest)?;
        Ok(events)
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        if self.line.len() + self.pending.data.len() + bytes.len() > LONGEST {
            return Err(TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// One line is whole: the event, if it was an empty one.
    fn end_line(&mut self) -> Option<Event> {
        let line = std::mem::take(&mut self.line);
        let line = if self.begun { &line[..] } else { line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line) };
        self.begun = true;
        if line.is_empty() {
            let event = std::mem::take(&mut self.pending);
            self.has_data = false;
            return std::mem::take(&mut self.has_fields).then_some(event);
        }
        let (field, value) = match line.iter().position(|byte| *byte == b':') {
            Some(0) => return None,
            Some(colon) => {
                let (field, value) = line.split_at(colon);
                let value = value.strip_prefix(b":").unwrap_or(value);
                (field, value.strip_prefix(b" ").unwrap_or(value))
            }
            None => (line, &b""[..]),
        };
        self.field(field, value);
        None
    }

    fn field(&mut self, field: &[u8], value: &[u8]) {
        match field {
            b"data" => {
                if self.has_data {
                    self.pending.data.push(b'\n');
                }
                self.has_data = true;
                self.pending.data.extend_from_slice(value);
            }
            b"event" => self.pending.event = Some(String::from_utf8_lossy(value).into_owned()),
            b"id" if !value.contains(&0) => self.pending.id = Some(String::from_utf8_lossy(value).into_owned()),
            b"retry" if value.iter().all(u8::is_ascii_digit) => {
                self.pending.retry = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok());
            }
            _ => return,
        }
        self.has_fields = true;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &[u8] =
        "\u{feff}: hello\nid: 1\ndata:\n\nretry: 250\n\nevent: message\r\nid:2\r\ndata: {\"a\":\r\ndata:  1}\r\n\r\n\
        data: x\rnonsense\rretry: soon\r\r:\n\n\ndata: é\n\ndata: cut"
            .as_bytes();

    fn whole() -> Vec<Event> {
        let event = |data: &str| Event { data: data.into(), ..Event::default() };
        vec![
            Event { id: Some("1".into()), ..event("") },
            Event { retry: Some(250), ..event("") },
            Event { event: Some("message".into()), id: Some("2".into()), ..event("{\"a\":\n 1}") },
            event("x"),
            event("é"),
        ]
    }

    #[test]
    fn events_are_read_from_one_chunk_and_from_single_bytes() {
        assert_eq!(Decoder::new().feed(STREAM), Ok(whole()));
        let mut decoder = Decoder::new();
        let bytewise = STREAM.chunks(1).flat_map(|byte| decoder.feed(byte).unwrap()).collect::<Vec<_>>();
        assert_eq!(bytewise, whole());
    }

    #[test]
    fn an_endless_event_ends_the_stream() {
        let mut decoder = Decoder::new();
        let line = [b"data: ".to_vec(), vec![b'x'; 1 << 20], b"\n".to_vec()].concat();
        let refused = (0..20).find_map(|_| decoder.feed(&line).err());
        assert_eq!(refused, Some(TooLong));
        assert_eq!(Decoder::new().feed(&vec![b'x'; LONGEST + 1]), Err(TooLong));
    }

    proptest! {
        #[test]
        fn where_chunks_end_changes_nothing(cuts in proptest::collection::vec(0..STREAM.len(), 0..12)) {
            let mut cuts = cuts;
            cuts.sort_unstable();
            let mut decoder = Decoder::new();
            let mut events = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([STREAM.len()]) {
                events.extend(decoder.feed(&STREAM[from..cut]).unwrap());
                from = cut;
            }
            prop_assert_eq!(events, whole());
        }

        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Decoder::new().feed(&bytes).is_ok());
        }
    }
}
