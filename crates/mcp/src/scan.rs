//! A strict cursor over JSON text: every byte is looked at once, nothing is converted, nothing is copied.
//!
//! Not serde: its `deserialize_any` refuses numbers such as `1e400` that a message may carry through us, and
//! `IgnoredAny` sees no duplicate keys. That both agree on what is JSON is tested.

use std::borrow::Cow;
use std::collections::HashSet;

use crate::peek::Refused;

/// The deepest nesting that we judge; the outermost value is at depth 1.
pub(crate) const DEEPEST: u8 = 64;

/// What kind of value a raw text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    Object,
    Array,
    Text,
    Number,
    Literal,
}

/// One value: its text as it stands in the message, and its kind.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Raw<'a> {
    pub(crate) text: &'a str,
    pub(crate) shape: Shape,
}

impl<'a> Raw<'a> {
    /// The text that a JSON string stands for; borrowed where it has no escapes. `None` for other kinds and for
    /// escapes that are half a surrogate pair, which two parsers would read differently.
    pub(crate) fn unescaped(self) -> Option<Cow<'a, str>> {
        if self.shape != Shape::Text {
            return None;
        }
        let inner = self.text.get(1..self.text.len().checked_sub(1)?)?;
        if inner.bytes().any(|byte| byte == b'\\') {
            serde_json::from_str::<String>(self.text).ok().map(Cow::Owned)
        } else {
            Some(Cow::Borrowed(inner))
        }
    }
}

/// The cursor.
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    depth: u8,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0, depth: 0 }
    }

    /// The next byte that is not white space, not consumed.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        let rest = self.text.as_bytes().get(self.at..)?;
        let skipped = rest.iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r'))?;
        self.at += skipped;
        rest.get(skipped).copied()
    }

    /// That nothing but white space is left.
    pub(crate) fn end(&mut self) -> Result<(), Refused> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(Refused::Trailing { at: self.at }),
        }
    }

    /// Passes one value of any kind, with everything in it.
    pub(crate) fn value(&mut self) -> Result<Raw<'a>, Refused> {
        let first = self.peek();
        let start = self.at;
        let shape = match first {
            Some(b'{') => {
                self.object(|scanner, _| scanner.value().map(drop))?;
                Shape::Object
            }
            Some(b'[') => {
                self.array(|scanner| scanner.value().map(drop))?;
                Shape::Array
            }
            Some(b'"') => {
                self.string()?;
                Shape::Text
            }
            Some(b'-' | b'0'..=b'9') => {
                self.number()?;
                Shape::Number
            }
            Some(b't') => self.literal("true")?,
            Some(b'f') => self.literal("false")?,
            Some(b'n') => self.literal("null")?,
            Some(_) | None => return Err(self.syntax()),
        };
        Ok(Raw { text: self.since(start)?, shape })
    }

    /// Passes an object: `member` is called at each value, with the member's name, and passes the value.
    pub(crate) fn object(
        &mut self,
        mut member: impl FnMut(&mut Self, &Cow<'a, str>) -> Result<(), Refused>,
    ) -> Result<(), Refused> {
        self.open(b'{')?;
        let mut seen = Seen::default();
        if self.peek() == Some(b'}') {
            return self.close();
        }
        loop {
            self.peek();
            let start = self.at;
            self.string()?;
            let raw = Raw { text: self.since(start)?, shape: Shape::Text };
            let name = raw.unescaped().ok_or(Refused::HalfSurrogate { at: start })?;
            self.expect(b':')?;
            member(self, &name)?;
            if !seen.insert(name) {
                return Err(Refused::DuplicateKey { at: start });
            }
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => return self.close(),
                Some(_) | None => return Err(self.syntax()),
            }
        }
    }

    /// Passes an array: `element` is called at each element and passes it.
    pub(crate) fn array(&mut self, mut element: impl FnMut(&mut Self) -> Result<(), Refused>) -> Result<(), Refused> {
        self.open(b'[')?;
        if self.peek() == Some(b']') {
            return self.close();
        }
        loop {
            element(self)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => return self.close(),
                Some(_) | None => return Err(self.syntax()),
            }
        }
    }

    /// The text from `start` to the cursor.
    pub(crate) fn since(&self, start: usize) -> Result<&'a str, Refused> {
        self.text.get(start..self.at).ok_or(Refused::Syntax { at: start })
    }

    /// Where the cursor stands.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    fn open(&mut self, bracket: u8) -> Result<(), Refused> {
        self.expect(bracket)?;
        self.depth += 1;
        if self.depth > DEEPEST { Err(Refused::TooDeep { at: self.at }) } else { Ok(()) }
    }

    fn close(&mut self) -> Result<(), Refused> {
        self.at += 1;
        self.depth -= 1;
        Ok(())
    }

    fn expect(&mut self, byte: u8) -> Result<(), Refused> {
        if self.peek() == Some(byte) {
            self.at += 1;
            Ok(())
        } else {
            Err(self.syntax())
        }
    }

    fn syntax(&self) -> Refused {
        Refused::Syntax { at: self.at }
    }

    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn literal(&mut self, word: &str) -> Result<Shape, Refused> {
        if self.text.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(word.as_bytes())) {
            self.at += word.len();
            Ok(Shape::Literal)
        } else {
            Err(self.syntax())
        }
    }

    /// RFC 8259 §7.
    fn string(&mut self) -> Result<(), Refused> {
        self.expect(b'"')?;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            let Some(plain) = rest.iter().position(|byte| *byte == b'"' || *byte == b'\\' || *byte < 0x20) else {
                return Err(self.syntax());
            };
            self.at += plain;
            match self.here() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) | None => return Err(self.syntax()),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Refused> {
        let rest = self.text.as_bytes().get(self.at + 1..).unwrap_or_default();
        let length = match rest.first() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            Some(b'u') if rest.get(1..5).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) => 6,
            Some(_) | None => return Err(self.syntax()),
        };
        self.at += length;
        Ok(())
    }

    /// RFC 8259 §6, of any size: numbers are forwarded, not computed.
    fn number(&mut self) -> Result<(), Refused> {
        if self.here() == Some(b'-') {
            self.at += 1;
        }
        if self.here() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.here(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.here(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Refused> {
        let start = self.at;
        while self.here().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start { Err(self.syntax()) } else { Ok(()) }
    }
}

/// How many names are compared one by one before a set is worth its memory.
const FEW: usize = 16;

/// The names of one object's members so far.
#[derive(Default)]
struct Seen<'a> {
    few: [Cow<'a, str>; FEW],
    count: usize,
    many: Option<HashSet<Cow<'a, str>>>,
}

impl<'a> Seen<'a> {
    /// Notes a name; `false` if it was there already.
    fn insert(&mut self, name: Cow<'a, str>) -> bool {
        if self.few.iter().take(self.count).any(|other| *other == name) {
            return false;
        }
        match self.few.get_mut(self.count) {
            Some(free) => {
                *free = name;
                self.count += 1;
                true
            }
            None => self.many.get_or_insert_default().insert(name),
        }
    }
}

#[cfg(test)]
mod tests;
