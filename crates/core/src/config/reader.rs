//! Walks the parsed tables and notes what does not fit, instead of stopping at the first thing.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::time::Duration;

use keybearer_policy::Unknown;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::nearest;
use super::{CallLimits, Config, KeyStoreChoice, Problem};

/// A value with its place.
pub(super) type Value<'t> = Spanned<DeValue<'t>>;

const TOP: [&str; 11] = [
    "unknown",
    "keystore",
    "http_port",
    "container_door",
    "open_calls",
    "calls_per_second",
    "ask_timeout",
    "client_metadata_url",
    "sign_in_surface",
    "servers",
    "rules",
];

/// The bounds of `open_calls` and `calls_per_second`.
const OPEN_CALLS: Range<u64> = 1..10_001;
const CALLS_PER_SECOND: Range<u64> = 1..1_000_001;

/// The bounds of `ask_timeout`, in seconds.
const PATIENCE: Range<u64> = 5..601;

/// Parts of a name that only a secret would have.
const SECRET_WORDS: [&str; 9] =
    ["secret", "token", "password", "passwd", "passphrase", "api_key", "apikey", "credential", "private_key"];

/// The text, and the problems so far.
pub(super) struct Reader<'t> {
    text: &'t str,
    problems: Vec<Problem>,
    /// What does not parse: one for each line.
    broken: Vec<Problem>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, problems: Vec::new(), broken: Vec::new() }
    }

    /// Notes an error of the syntax.
    pub(super) fn syntax(&mut self, error: &toml::de::Error) {
        let line = error.span().map(|span| self.line(&span));
        // Several errors of one line are one mistake, seen several times.
        if line.is_none() || !self.broken.iter().any(|problem| problem.line == line) {
            let nothing = error.span().is_some_and(|span| span.is_empty());
            let message = if nothing && error.message().starts_with("string values must be quoted") {
                "a value is missing".to_owned()
            } else {
                error.message().replace('\n', ", ")
            };
            self.broken.push(Problem { line, message, hint: None });
        }
    }

    /// Notes a problem where `span` begins.
    pub(super) fn note(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.problems.push(Problem::at(self.line(span), message));
    }

    /// Notes a problem with what to do, where there is something to say.
    pub(super) fn advise(&mut self, span: &Range<usize>, message: impl Into<String>, hint: Option<String>) {
        self.problems.push(Problem { hint, ..Problem::at(self.line(span), message) });
    }

    /// Notes that something is not there; not said where the text does not parse, since it may well be there.
    pub(super) fn missing(&mut self, span: &Range<usize>, message: impl Into<String>) {
        if self.broken.is_empty() {
            self.note(span, message);
        }
    }

    /// The line of a place, from 1.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        let before = self.text.as_bytes().get(..span.start).unwrap_or(self.text.as_bytes());
        1 + before.iter().filter(|byte| **byte == b'\n').count()
    }

    /// The result, if there was no problem.
    pub(super) fn finish(mut self, config: Config) -> Result<Config, Vec<Problem>> {
        let broken = std::mem::take(&mut self.broken);
        // What else is said of a line that does not parse would only repeat it.
        self.problems.retain(|problem| !broken.iter().any(|other| other.line == problem.line));
        self.problems.extend(broken);
        self.problems.sort_by_key(|problem| problem.line);
        if self.problems.is_empty() { Ok(config) } else { Err(self.problems) }
    }

    /// Reads the whole.
    pub(super) fn config(&mut self, table: &DeTable<'t>) -> Config {
        let mut config = Config::default();
        self.known(table, "", &TOP);
        if let Some(unknown) = self.choice(table, "unknown", &[("ask", Unknown::Ask), ("deny", Unknown::Deny)]) {
            config.policy.unknown = unknown;
        }
        let stores = [("system", KeyStoreChoice::System), ("memory", KeyStoreChoice::Memory)];
        if let Some(store) = self.choice(table, "keystore", &stores) {
            config.key_store = store;
        }
        config.http_port = self.number(table, "http_port", 0..65536).and_then(|port| u16::try_from(port).ok());
        config.container_door = self.container_door(table);
        self.limits(table, &mut config.limits);
        if let Some(seconds) = self.number(table, "ask_timeout", PATIENCE) {
            config.ask_timeout = Duration::from_secs(seconds);
        }
        config.client_metadata_url = self.client_metadata_url(table);
        config.surface = self.surface(table).unwrap_or_default();
        let declared = self.servers(table, &mut config.servers);
        config.policy.rules = self.rules(table, &declared);
        config
    }

    fn container_door(&mut self, table: &DeTable<'t>) -> Option<Ipv4Addr> {
        let text = self.text(table, "container_door")?;
        let address = text.get_ref().parse::<Ipv4Addr>().ok().filter(Ipv4Addr::is_private);
        if address.is_none() {
            let hint = "for the engine's default network it is usually \"172.17.0.1\"";
            let message = "`container_door` must be one private IPv4 address of this machine";
            self.advise(&text.span(), message, Some(hint.to_owned()));
        }
        address
    }

    fn limits(&mut self, table: &DeTable<'t>, limits: &mut CallLimits) {
        let mut number = |key, bounds| self.number(table, key, bounds).and_then(|number| u32::try_from(number).ok());
        limits.open = number("open_calls", OPEN_CALLS).unwrap_or(limits.open);
        limits.per_second = number("calls_per_second", CALLS_PER_SECOND).unwrap_or(limits.per_second);
    }

    /// Notes the keys that nothing reads; `place` names the table in the message.
    pub(super) fn known(&mut self, table: &DeTable<'t>, place: &str, known: &[&str]) {
        for key in table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())) {
            let name = key.get_ref().as_ref();
            let shown = shown(name);
            if is_secret(name) {
                let message = format!("`{shown}`{place} must not be in this file: secrets are kept in the keychain");
                let hint = if name.contains("client") {
                    "use `keybearer servers add NAME URL --client-id ID --client-secret-stdin`"
                } else {
                    "use `keybearer servers add NAME URL --header HEADER --secret-stdin`"
                };
                self.advise(&key.span(), message, Some(hint.to_owned()));
                continue;
            }
            let guess = nearest(name, known.iter().copied());
            let hint = match guess {
                Some(guess) => format!("did you mean `{guess}`?"),
                None => format!("there are {}", list(known)),
            };
            self.advise(&key.span(), format!("unknown key `{shown}`{place}"), Some(hint));
        }
    }

    /// The text at a key, if there is one.
    pub(super) fn text<'v>(&mut self, table: &'v DeTable<'t>, key: &str) -> Option<Spanned<&'v str>> {
        let value = table.get(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_type(value, key, "a text in quotes");
        }
        text.map(|text| Spanned::new(value.span(), text))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, table: &DeTable<'t>, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(table, key)?;
        let chosen = choices.iter().find(|(word, _)| word == text.get_ref()).map(|(_, choice)| *choice);
        if chosen.is_none() {
            let words = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect::<Vec<_>>();
            self.note(&text.span(), format!("`{key}` must be {}", words.join(" or ")));
        }
        chosen
    }

    pub(super) fn number(&mut self, table: &DeTable<'t>, key: &str, bounds: Range<u64>) -> Option<u64> {
        let value = table.get(key)?;
        let number =
            value.get_ref().as_integer().map(|number| u64::from_str_radix(number.as_str(), number.radix()).ok());
        match number {
            Some(Some(number)) if bounds.contains(&number) => return Some(number),
            Some(_) => {
                let message = format!("`{key}` must be from {} to {}", bounds.start, bounds.end - 1);
                self.note(&value.span(), message);
            }
            None => self.wrong_type(value, key, "a number"),
        }
        None
    }

    /// A text, or several: each with its place. `None` where there is nothing that can be used.
    pub(super) fn texts<'v>(&mut self, table: &'v DeTable<'t>, key: &str) -> Option<Vec<Spanned<&'v str>>> {
        let value = table.get(key)?;
        if let Some(text) = value.get_ref().as_str() {
            return Some(vec![Spanned::new(value.span(), text)]);
        }
        let Some(elements) = value.get_ref().as_array() else {
            self.wrong_type(value, key, "a text in quotes or a list of such texts");
            return None;
        };
        let mut texts = Vec::new();
        for element in elements.iter() {
            match element.get_ref().as_str() {
                Some(text) => texts.push(Spanned::new(element.span(), text)),
                None => self.wrong_type(element, key, "a list of texts in quotes"),
            }
        }
        Some(texts)
    }

    /// Notes a value of the wrong type.
    pub(super) fn wrong_type(&mut self, value: &Value<'t>, key: &str, wanted: &str) {
        let got = value.get_ref().type_str();
        self.note(&value.span(), format!("`{key}` must be {wanted}, not of type {got}"));
    }
}

/// A name from the file in a message: cut, and without what a terminal would obey.
pub(super) fn shown(name: &str) -> String {
    name.chars().filter(|letter| !letter.is_control()).take(64).collect()
}

/// `a`, `b` and `c`.
pub(super) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase().replace('-', "_");
    SECRET_WORDS.iter().any(|word| name.contains(word)) || name == "key" || name == "bearer" || name == "authorization"
}
