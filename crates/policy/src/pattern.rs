//! What a rule compares with: a text in which `*` stands for anything, also for nothing.

use std::fmt;
use std::str::FromStr;

use keybearer_model::caller::Caller;

/// A pattern. Letters are compared exactly; nothing but `*` is special.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern(Box<str>);

/// The longest pattern that we take.
const LONGEST: usize = 1024;

/// Why a text is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPattern {
    /// Nothing to compare with.
    #[error("a pattern must not be empty")]
    Empty,
    /// No name is that long.
    #[error("a pattern must not be longer than {LONGEST} bytes")]
    TooLong,
    /// The system names programs by paths without links and detours, so that this one would never fit.
    #[error("a path must not have `.`, `..` or empty parts: no program is ever named by such a path")]
    Detour,
    /// Something that cannot be seen.
    #[error("a pattern must not have control characters")]
    Control,
}

impl Pattern {
    /// The pattern as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the pattern is compared with the path of a program instead of a registered name.
    pub fn is_path(&self) -> bool {
        self.0.contains(['/', '\\'])
    }

    /// Whether the whole of `text` fits.
    pub fn matches(&self, text: &str) -> bool {
        glob(self.0.as_bytes(), text.as_bytes())
    }

    /// Whether the pattern speaks of `caller`: a path of its program, anything else of its registered name.
    pub fn matches_caller(&self, caller: &Caller) -> bool {
        if self.is_path() {
            // Byte by byte: what is no text must not look like another path.
            caller.executable().is_some_and(|path| glob(self.0.as_bytes(), path.as_os_str().as_encoded_bytes()))
        } else {
            // A caller without a name fits only where any name does.
            self.matches(caller.client.as_ref().map_or("", |client| client.as_str()))
        }
    }
}

impl FromStr for Pattern {
    type Err = InvalidPattern;
    fn from_str(text: &str) -> Result<Self, InvalidPattern> {
        if text.is_empty() {
            Err(InvalidPattern::Empty)
        } else if text.len() > LONGEST {
            Err(InvalidPattern::TooLong)
        } else if text.chars().any(char::is_control) {
            Err(InvalidPattern::Control)
        } else if has_detour(text) {
            Err(InvalidPattern::Detour)
        } else {
            Ok(Self(text.into()))
        }
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether a path has parts that no path of the system has. One of Windows may begin with two separators.
fn has_detour(text: &str) -> bool {
    let inside = text.trim_start_matches('\\').trim_start_matches('/');
    let doubled = text.starts_with("//") || inside.contains("//") || inside.contains("\\\\");
    text.contains(['/', '\\']) && (doubled || text.split(['/', '\\']).any(|part| part == "." || part == ".."))
}

/// Compares from the left and goes back to the last `*` only, which is all that a pattern without alternatives needs.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match (pattern.get(p), star) {
            (Some(b'*'), _) => {
                star = Some((p, t));
                p += 1;
            }
            (Some(letter), _) if text.get(t) == Some(letter) => {
                p += 1;
                t += 1;
            }
            (Some(_) | None, Some((at, from))) => {
                star = Some((at, from + 1));
                p = at + 1;
                t = from + 1;
            }
            (Some(_) | None, None) => return false,
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|letter| *letter == b'*')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_star_stands_for_anything() {
        for (pattern, text, fits) in [
            ("*", "", true),
            ("*", "anything", true),
            ("get_*", "get_", true),
            ("get_*", "forget_it", false),
            ("*_all", "delete_all_all", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-b-b", false),
            ("find", "find", true),
            ("find", "Find", false),
            ("find", "find ", false),
            ("a.b", "axb", false),
            ("[a]?", "[a]?", true),
            ("**", "x", true),
        ] {
            assert_eq!(pattern.parse::<Pattern>().unwrap().matches(text), fits, "{pattern} and {text}");
        }
    }

    #[test]
    fn what_cannot_be_meant_is_no_pattern() {
        assert_eq!("".parse::<Pattern>(), Err(InvalidPattern::Empty));
        assert_eq!("a\nb".parse::<Pattern>(), Err(InvalidPattern::Control));
        for path in ["/opt/../bin/sh", "/opt/./claude", "../claude", "/opt//claude", "//opt/claude", "C:\\a\\..\\b.exe"]
        {
            assert_eq!(path.parse::<Pattern>(), Err(InvalidPattern::Detour), "{path}");
        }
        for path in [
            "/opt/..claude",
            "/opt/*/claude",
            "C:\\a\\b.exe",
            "\\\\?\\C:\\b.exe",
            "\\\\house\\share\\b.exe",
            "*/claude",
            "a..b",
        ] {
            assert!(path.parse::<Pattern>().is_ok(), "{path}");
        }
        assert_eq!("a".repeat(1025).parse::<Pattern>(), Err(InvalidPattern::TooLong));
    }

    /// The obvious way: slow, and right by the look of it.
    fn slow(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|from| slow(rest, &text[from..])),
            [letter, rest @ ..] => text.first() == Some(letter) && slow(rest, &text[1..]),
        }
    }

    proptest! {
        #[test]
        fn the_fast_way_agrees_with_the_obvious_one(pattern in "[ab*]{1,8}", text in "[ab]{0,10}") {
            prop_assert_eq!(glob(pattern.as_bytes(), text.as_bytes()), slow(pattern.as_bytes(), text.as_bytes()));
        }
    }
}
