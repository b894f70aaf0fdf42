//! A cheap look at a line's outermost members, in as many pieces as it comes: what a pipe must know of what it passes.
//!
//! It judges nothing: a line that is no message is [`Seen::Other`] or seen wrongly, and whoever reads it refuses it.

/// The longest `id` and `method` that are remembered; a line with a longer one is [`Seen::Other`].
const LONGEST: usize = 4096;

/// What a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen<'a> {
    /// It wants an answer under this id (JSON text).
    Request {
        /// As it was written.
        id: &'a str,
        /// As it was written, without its quotes.
        method: &'a str,
    },
    /// It wants none.
    Notification {
        /// As it was written, without its quotes.
        method: &'a str,
    },
    /// It answers this id (JSON text).
    Answer {
        /// As it was written.
        id: &'a str,
        /// Whether the answer is an error.
        failed: bool,
    },
    /// Several messages, or none that we know.
    Other,
}

/// The look at one line.
#[derive(Debug, Default)]
pub struct Envelope {
    depth: u32,
    place: Place,
    /// Within a string, and after a backslash in it.
    text: Option<Escape>,
    name: Vec<u8>,
    id: Vec<u8>,
    method: Vec<u8>,
    result: bool,
    error: bool,
    doubtful: bool,
}

/// Where in the outermost object the look is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    /// Before the message, or at a member's name.
    #[default]
    Name,
    /// At the value of `id`.
    Id,
    /// At the value of `method`.
    Method,
    /// At a value that does not matter.
    Value,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Escape {
    Outside,
    Inside,
}

impl Envelope {
    /// Looks at a whole line.
    pub fn of(line: &[u8]) -> Self {
        let mut envelope = Self::default();
        envelope.feed(line);
        envelope
    }

    /// Looks at the next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        let mut rest = piece;
        while !rest.is_empty() {
            let passed = match self.text {
                Some(Escape::Inside) => {
                    self.text = Some(Escape::Outside);
                    1
                }
                Some(Escape::Outside) => self.text_piece(rest),
                None => self.structure_piece(rest),
            };
            let (looked_at, left) = rest.split_at(passed.min(rest.len()));
            self.keep(looked_at);
            rest = left;
        }
    }

    /// What the line is, once all of it was looked at.
    pub fn seen(&self) -> Seen<'_> {
        if self.doubtful || self.depth != 0 || self.text.is_some() {
            return Seen::Other;
        }
        let (Ok(id), Ok(method)) = (std::str::from_utf8(&self.id), std::str::from_utf8(&self.method)) else {
            return Seen::Other;
        };
        let method = method.trim().trim_matches('"');
        match (id.trim(), method) {
            ("", "") => Seen::Other,
            ("", method) => Seen::Notification { method },
            (id, "") if self.result || self.error => Seen::Answer { id, failed: self.error },
            (_, "") => Seen::Other,
            (id, method) => Seen::Request { id, method },
        }
    }

    /// How much of a string's inside can be passed at once.
    fn text_piece(&mut self, rest: &[u8]) -> usize {
        let Some(end) = rest.iter().position(|byte| matches!(byte, b'"' | b'\\')) else { return rest.len() };
        self.text = if rest.get(end) == Some(&b'"') { None } else { Some(Escape::Inside) };
        end + 1
    }

    /// One byte outside of strings, or the many within nested values that change nothing.
    fn structure_piece(&mut self, rest: &[u8]) -> usize {
        match rest.first() {
            Some(b'"') => self.text = Some(Escape::Outside),
            Some(b'{' | b'[') => {
                // Several messages in one line are none that is followed here.
                self.doubtful |= self.depth == 0 && rest.first() == Some(&b'[');
                self.doubtful |= self.depth == 1 && matches!(self.place, Place::Id | Place::Method);
                self.depth = self.depth.saturating_add(1);
            }
            Some(b'}' | b']') => self.depth = self.depth.saturating_sub(1),
            Some(b':') if self.depth == 1 => self.value_begins(),
            Some(b',') if self.depth == 1 => {
                self.place = Place::Name;
                self.name.clear();
            }
            _ if self.depth > 1 => {
                let plain = |byte: &u8| !matches!(byte, b'"' | b'{' | b'[' | b'}' | b']');
                return rest.iter().take_while(|byte| plain(byte)).count().max(1);
            }
            _ => {}
        }
        1
    }

    fn value_begins(&mut self) {
        let again = |doubtful: &mut bool, kept: &[u8]| *doubtful |= !kept.is_empty();
        self.place = match self.name.trim_ascii() {
            b"\"id\"" => {
                again(&mut self.doubtful, &self.id);
                Place::Id
            }
            b"\"method\"" => {
                again(&mut self.doubtful, &self.method);
                Place::Method
            }
            b"\"result\"" => {
                self.result = true;
                Place::Value
            }
            b"\"error\"" => {
                self.error = true;
                Place::Value
            }
            // A name with escapes may be any of them: it is written plainly by everybody who means well.
            name => {
                self.doubtful |= name.contains(&b'\\');
                Place::Value
            }
        };
        self.name.clear();
    }

    fn keep(&mut self, piece: &[u8]) {
        let into = match (self.depth, self.place) {
            (1, Place::Name) => &mut self.name,
            (1, Place::Id) => &mut self.id,
            (1, Place::Method) => &mut self.method,
            (_, Place::Name | Place::Id | Place::Method | Place::Value) => return,
        };
        // The brackets, commas and colons around a member are no part of it.
        let piece = match piece {
            [b'{' | b',' | b':'] if self.text.is_none() => return,
            piece => piece,
        };
        if into.len() + piece.len() > LONGEST {
            self.doubtful |= self.place != Place::Name;
            return;
        }
        into.extend_from_slice(piece);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[track_caller]
    fn check(line: &str, want: Seen<'_>) {
        for size in [1, 2, 3, 7, line.len().max(1)] {
            let mut envelope = Envelope::default();
            line.as_bytes().chunks(size).for_each(|piece| envelope.feed(piece));
            assert_eq!(envelope.seen(), want, "{line} in pieces of {size}");
        }
    }

    #[test]
    fn only_the_outermost_members_count() {
        check(
            r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"id":9,"method":"x","a":["}",{"id":1}]}}"#,
            Seen::Request { id: "7", method: "tools/call" },
        );
        check(
            r#" { "params" : { "id" : "no" } , "method" : "m" , "id" : "a\",\"id\":1" } "#,
            Seen::Request { id: r#""a\",\"id\":1""#, method: "m" },
        );
        check(r#"{"method":"notifications/initialized"}"#, Seen::Notification { method: "notifications/initialized" });
        check(r#"{"result":{"id":3,"error":{}},"id":1e2,"jsonrpc":"2.0"}"#, Seen::Answer { id: "1e2", failed: false });
        check(r#"{"id":null,"error":{"code":1,"message":"id"}}"#, Seen::Answer { id: "null", failed: true });
        check(r#"{"x":"\"id\":5","id":"\\"}"#, Seen::Other);
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_not_followed() {
        for line in [
            "",
            "{",
            "garbage",
            r#"{"id":1"#,
            r#"[{"id":1,"method":"m"}]"#,
            r#"{"id":1,"method":"m","id":2}"#,
            r#"{"id":{"a":1},"method":"m"}"#,
            r#"{"id":1,"method":["m"]}"#,
            r#"{"\u0069d":2,"id":1,"method":"m"}"#,
            r#"{"id":1,"method":"m","text":"not ended}"#,
        ] {
            check(line, Seen::Other);
        }
        let long = "x".repeat(LONGEST + 1);
        check(&format!(r#"{{"id":"{long}","method":"m"}}"#), Seen::Other);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            r#"[ -~"\\\[\]{}:,]{0,12}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("id|method|result|[a-z\"]{0,3}", inner, 0..4)
                    .prop_map(|members| members.into_iter().collect()),
            ]
        })
    }

    proptest! {
        #[test]
        fn any_request_is_seen_however_it_is_cut(params in value(), id in any::<i64>(), cut in 0usize..200) {
            let line = json!({ "jsonrpc": "2.0", "params": params, "id": id, "method": "a/b" }).to_string();
            let (first, second) = line.as_bytes().split_at(cut.min(line.len()));
            let mut envelope = Envelope::default();
            envelope.feed(first);
            envelope.feed(second);
            let id = id.to_string();
            prop_assert_eq!(envelope.seen(), Seen::Request { id: &id, method: "a/b" });
        }

        #[test]
        fn any_answer_is_seen_whatever_is_in_it(result in value(), id in "[ -~]{0,9}", pretty in any::<bool>()) {
            let answer = json!({ "result": result, "id": id });
            let line = if pretty { serde_json::to_string_pretty(&answer) } else { serde_json::to_string(&answer) }.unwrap();
            let id = json!(id).to_string();
            let envelope = Envelope::of(line.as_bytes());
            prop_assert_eq!(envelope.seen(), Seen::Answer { id: &id, failed: false });
        }

        #[test]
        fn no_bytes_are_a_danger(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let envelope = Envelope::of(&bytes);
            let _ = envelope.seen();
        }
    }
}
