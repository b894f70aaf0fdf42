//! Messages with their secrets cut: the credentials that we attached, what stands under a name that tells a secret, and
//! what looks like one. What cannot be looked through is not shown at all.

use http::HeaderValue;
use serde_json::Value;

/// Stands where a secret was.
pub(super) const CUT: &str = "•••";

/// What a member is called whose value is a secret, without case and separators.
const TELLING: [&str; 15] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "privatekey",
    "authorization",
    "credential",
    "cookie",
    "bearer",
    "jwt",
    "onetimecode",
    "sessionid",
];
/// Those that are one word only: they occur in others.
const TELLING_WHOLE: [&str; 4] = ["pin", "cvv", "otp", "pwd"];
/// What only sounds like it: MCP's own, and counts.
const HARMLESS: [&str; 3] = ["progresstoken", "maxtokens", "tokens"];

/// The shortest that is taken for a key by its looks.
const SHORTEST_KEY: usize = 24;
/// The shortest known secret that is searched for: shorter ones occur by chance.
const SHORTEST_SECRET: usize = 6;
/// JSON in texts in JSON: so deep.
const DEEPEST: usize = 8;

/// The messages of one direction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Messages {
    /// Each as indented JSON.
    pub texts: Vec<String>,
    /// How many bytes there were.
    pub bytes: u64,
    /// How many secrets were cut.
    pub cut: usize,
    /// Whether there was something that could not be looked through.
    pub withheld: bool,
}

impl Messages {
    pub(super) fn size(&self) -> usize {
        self.texts.iter().map(String::len).sum()
    }
}

/// The messages in `bytes`, JSON or events of a stream; `all` were there.
pub(super) fn messages(bytes: &[u8], all: u64, secrets: &[HeaderValue]) -> Messages {
    let mut shown = Messages { bytes: all, ..Messages::default() };
    if all == 0 {
        return shown;
    }
    let mut knife = Knife { secrets: known(secrets), cut: 0 };
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    match serde_json::from_str::<Value>(text) {
        Ok(message) => shown.texts.push(knife.message(message)),
        Err(_) => {
            let events: Vec<Option<Value>> = events(text).map(|event| serde_json::from_str(&event).ok()).collect();
            shown.withheld = events.is_empty() || events.iter().any(Option::is_none);
            shown.texts.extend(events.into_iter().flatten().map(|message| knife.message(message)));
        }
    }
    shown.cut = knife.cut;
    shown
}

/// The data of each event that has some (WHATWG HTML, server-sent events).
fn events(text: &str) -> impl Iterator<Item = String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let data = |event: &str| {
        let lines = event.lines().filter_map(|line| line.strip_prefix("data:"));
        lines.map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n")
    };
    text.split("\n\n").map(data).filter(|data| !data.is_empty()).collect::<Vec<_>>().into_iter()
}

/// The secrets in credentials: all of a value, and what stands behind its scheme.
fn known(credentials: &[HeaderValue]) -> Vec<String> {
    let values = credentials.iter().filter_map(|value| value.to_str().ok());
    let parts = values.map(|value| value.split_once(' ').map_or(value, |(_, secret)| secret).trim());
    parts.filter(|secret| secret.len() >= SHORTEST_SECRET).map(str::to_owned).collect()
}

struct Knife {
    secrets: Vec<String>,
    cut: usize,
}

impl Knife {
    fn message(&mut self, message: Value) -> String {
        serde_json::to_string_pretty(&self.value(message, 0)).unwrap_or_default()
    }

    fn value(&mut self, value: Value, depth: usize) -> Value {
        match value {
            Value::Object(members) => members
                .into_iter()
                .map(|(name, value)| {
                    let value = if tells(&name) { self.all(&value) } else { self.value(value, depth) };
                    (self.text(&name), value)
                })
                .collect(),
            Value::Array(values) => values.into_iter().map(|value| self.value(value, depth)).collect(),
            // Results of tools are often JSON in a text.
            Value::String(text) if depth < DEEPEST && text.trim_start().starts_with(['{', '[']) => {
                match serde_json::from_str(&text) {
                    Ok(inner) => Value::String(self.value(inner, depth + 1).to_string()),
                    Err(_) => Value::String(self.text(&text)),
                }
            }
            Value::String(text) => Value::String(self.text(&text)),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
        }
    }

    /// The value of a member whose name tells a secret: nothing says that only a part of it is one.
    fn all(&mut self, value: &Value) -> Value {
        match value {
            Value::Null | Value::Bool(_) => value.clone(),
            Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                self.cut += 1;
                Value::String(CUT.to_owned())
            }
        }
    }

    fn text(&mut self, text: &str) -> String {
        if text.contains("-----BEGIN") {
            self.cut += 1;
            return CUT.to_owned();
        }
        let mut text = text.to_owned();
        for secret in &self.secrets {
            if text.contains(secret.as_str()) {
                self.cut += text.matches(secret.as_str()).count();
                text = text.replace(secret.as_str(), CUT);
            }
        }
        self.words(&text)
    }

    /// Word by word: "token: abc", "Bearer abc", "?key=abc", and what looks like a key.
    fn words(&mut self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut next_is_secret = false;
        for piece in text.split_inclusive(is_edge) {
            let (word, edge) = match piece.char_indices().next_back() {
                Some((at, last)) if is_edge(last) => piece.split_at(at),
                Some(_) | None => (piece, ""),
            };
            let is_secret = !word.is_empty() && (std::mem::take(&mut next_is_secret) || looks_like_a_key(word));
            if is_secret && word != CUT {
                self.cut += 1;
                shown.push_str(CUT);
            } else {
                shown.push_str(word);
            }
            shown.push_str(edge);
            // The name stays in force over the blanks behind its colon.
            next_is_secret |= word.is_empty() && next_is_secret;
            if !word.is_empty() {
                let scheme = word.eq_ignore_ascii_case("bearer") || word.eq_ignore_ascii_case("basic");
                next_is_secret = (scheme && edge == " ") || (tells(word) && matches!(edge, ":" | "="));
            } else if edge == " " {
                next_is_secret = shown.trim_end().ends_with([':', '=']) && last_word_tells(&shown);
            }
        }
        shown
    }
}

fn is_edge(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(letter, ':' | '=' | '&' | '?' | '"' | '\'' | ',' | ';' | '(' | ')' | '<' | '>' | '@' | '/')
}

/// Whether what stands before a colon and blanks is a telling name.
fn last_word_tells(text: &str) -> bool {
    let before = text.trim_end().trim_end_matches([':', '=']);
    tells(before.rsplit(is_edge).next().unwrap_or_default())
}

/// Whether a name says that its value is a secret.
fn tells(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    !HARMLESS.contains(&name.as_str())
        && (TELLING_WHOLE.contains(&name.as_str()) || TELLING.iter().any(|telling| name.contains(telling)))
}

/// Long, without blanks, and of letters and digits as no word is.
fn looks_like_a_key(word: &str) -> bool {
    if word.len() < SHORTEST_KEY
        || !word.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_.+~".contains(letter))
    {
        return false;
    }
    let has = |kind: fn(&char) -> bool| word.chars().any(|letter| kind(&letter));
    let (digit, upper, lower) =
        (has(char::is_ascii_digit), has(char::is_ascii_uppercase), has(char::is_ascii_lowercase));
    let is_hex = word.chars().all(|letter| letter.is_ascii_hexdigit());
    digit && ((upper && lower) || (is_hex && (upper || lower)))
}
