//! What the tray says, in the person's language: the same catalogues as the window's.

use std::collections::HashMap;

use jiff::tz::TimeZone;
use keybearer_control::view::Failure;
use serde::Deserialize;

/// A language that Keybearer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English.
    English,
    /// German.
    German,
}

/// A sentence of the catalogues, which may depend on a number.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Message {
    One(String),
    ByNumber { one: String, other: String },
}

/// The words of one language.
#[derive(Debug)]
pub struct Words {
    language: Language,
    zone: TimeZone,
    parts: HashMap<&'static str, HashMap<String, Message>>,
}

macro_rules! catalogue {
    ($language:literal) => {
        [
            ("common", include_str!(concat!("../../ui/src/lib/i18n/", $language, "/common.json"))),
            ("errors", include_str!(concat!("../../ui/src/lib/i18n/", $language, "/errors.json"))),
            ("home", include_str!(concat!("../../ui/src/lib/i18n/", $language, "/home.json"))),
            ("pages", include_str!(concat!("../../ui/src/lib/i18n/", $language, "/pages.json"))),
            ("prompt", include_str!(concat!("../../ui/src/lib/i18n/", $language, "/prompt.json"))),
            ("signin", include_str!(concat!("../../ui/src/lib/i18n/", $language, "/signin.json"))),
            ("tray", include_str!(concat!("../../ui/src/lib/i18n/", $language, "/tray.json"))),
        ]
    };
}

impl Language {
    /// The first of the person's languages that we speak, else English.
    pub fn of_person() -> Self {
        Self::first_of(sys_locale::get_locales())
    }

    fn first_of(wishes: impl IntoIterator<Item = String>) -> Self {
        wishes.into_iter().find_map(|wish| Self::of(&wish)).unwrap_or(Self::English)
    }

    fn of(tag: &str) -> Option<Self> {
        match tag.split(['-', '_', '.']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
            "en" | "c" | "posix" => Some(Self::English),
            "de" => Some(Self::German),
            _ => None,
        }
    }

    /// Its tag, as the window understands it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
        }
    }
}

impl Words {
    /// The words of a language.
    pub fn of(language: Language) -> Self {
        let sources = match language {
            Language::English => catalogue!("en"),
            Language::German => catalogue!("de"),
        };
        let parts = sources.into_iter().map(|(part, source)| (part, serde_json::from_str(source).unwrap_or_default()));
        Self { language, zone: TimeZone::system(), parts: parts.collect() }
    }

    /// The same words, with times as they are in this zone.
    #[must_use]
    pub fn in_zone(self, zone: TimeZone) -> Self {
        Self { zone, ..self }
    }

    /// The time of day of a moment in RFC 3339, where the person is: "5:20 PM", "17:20".
    pub fn clock(&self, at: &str) -> Option<String> {
        let at = at.parse::<jiff::Timestamp>().ok()?.to_zoned(self.zone.clone());
        let (hour, minute) = (at.hour(), at.minute());
        Some(match self.language {
            Language::German => format!("{hour}:{minute:02}"),
            Language::English => {
                let half = if hour < 12 { "AM" } else { "PM" };
                format!("{}:{minute:02} {half}", (hour + 11) % 12 + 1)
            }
        })
    }

    /// The language that they are of.
    pub fn language(&self) -> Language {
        self.language
    }

    /// The sentence `key` (`part.name`) with its places filled: `{name}` by the value of that name.
    pub fn say(&self, key: &str, values: &[(&str, &str)]) -> String {
        match self.find(key) {
            Some(Message::One(text) | Message::ByNumber { other: text, .. }) => fill(text, values),
            None => missing(key),
        }
    }

    /// The sentence for a number, which fills `{count}`. Both languages have two forms.
    pub fn count(&self, key: &str, count: u32) -> String {
        let number = count.to_string();
        match self.find(key) {
            Some(Message::ByNumber { one: text, .. }) if count == 1 => fill(text, &[("count", &number)]),
            Some(Message::One(text) | Message::ByNumber { other: text, .. }) => fill(text, &[("count", &number)]),
            None => missing(key),
        }
    }

    /// What went wrong: exactly, where there are words for that, else by its kind.
    pub fn failure(&self, failure: &Failure) -> String {
        let Some(serde_json::Value::Object(exactly)) =
            failure.exactly.as_ref().and_then(|exactly| serde_json::to_value(exactly).ok())
        else {
            return self.say(&format!("errors.{}", failure.code.word()), &[]);
        };
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let names: Vec<(&str, String)> = exactly.iter().map(|(name, value)| (name.as_str(), text(value))).collect();
        let kind = names.iter().find(|(name, _)| *name == "kind").map_or("", |(_, kind)| kind);
        let values: Vec<(&str, &str)> = names.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.say(&format!("errors.exactly_{kind}"), &values)
    }

    fn find(&self, key: &str) -> Option<&Message> {
        let (part, name) = key.split_once('.')?;
        self.parts.get(part)?.get(name)
    }
}

/// A sentence that is not there: the tests fail, and a person reads at least its name.
fn missing(key: &str) -> String {
    debug_assert!(false, "no sentence `{key}`");
    key.to_owned()
}

/// In one pass: what is filled in may itself contain braces, and stays as it is.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { break };
        filled.push_str(before);
        filled.push_str(values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value));
        rest = behind;
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_catalogue_can_be_read() {
        for language in [Language::English, Language::German] {
            let words = Words::of(language);
            assert!(words.parts["tray"].len() > 10, "{language:?}");
            assert!(words.parts["home"].len() > 10, "{language:?}");
            assert!(!words.parts["errors"].is_empty(), "{language:?}");
        }
    }

    #[test]
    fn places_are_filled_in_one_pass() {
        let words = Words::of(Language::English);
        assert_eq!(words.say("common.sign_in_to", &[("name", "{name}")]), "Sign in to {name}");
        assert_eq!(words.count("home.headline_sign_in_to_many", 1), "Sign in to 1 tool");
        assert_eq!(Words::of(Language::German).count("home.headline_sign_in_to_many", 2), "Bei 2 Werkzeugen anmelden");
    }

    #[test]
    fn a_time_of_day_is_where_the_person_is() {
        let clock = |language, at| {
            let words = Words::of(language).in_zone(TimeZone::fixed(jiff::tz::offset(1)));
            words.clock(at).unwrap_or_default()
        };
        assert_eq!(clock(Language::English, "2026-11-30T16:20:00.000Z"), "5:20 PM");
        assert_eq!(clock(Language::English, "2026-11-30T23:05:00Z"), "12:05 AM");
        assert_eq!(clock(Language::German, "2026-11-30T08:05:00Z"), "9:05");
        assert_eq!(clock(Language::German, "soon"), "");
    }

    #[test]
    fn the_first_language_that_is_spoken_wins() {
        let first = |tags: &[&str]| Language::first_of(tags.iter().map(|&tag| tag.to_owned()));
        assert_eq!(first(&["fr-FR", "de_AT.UTF-8", "en-US"]), Language::German);
        assert_eq!(first(&["C", "de"]), Language::English);
        assert_eq!(first(&[]), Language::English);
    }
}
