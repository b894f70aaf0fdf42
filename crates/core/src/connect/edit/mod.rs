//! Changes a person's file by inserting and cutting pieces of text: every byte outside of our entry stays.
//!
//! Pure: text in, text out. Each change is proved by reading the text before and after with a parser of its format:
//! nothing but the entry may differ in meaning. What is not understood is refused.

use std::ops::Range;

use serde_json::{Map, Value};

mod dotenv;
mod json;
mod toml;
mod yaml;

#[cfg(test)]
mod tests;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// JSON as its client reads it: no comments.
    Json,
    /// JSON with comments and trailing commas.
    Jsonc,
    /// YAML, one document.
    Yaml,
    /// TOML.
    Toml,
    /// `NAME=value` lines.
    Dotenv,
}

/// One change of a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// An entry of a map that was not there.
    Put {
        /// The keys on the way to it, its own last.
        at: Vec<String>,
        /// What it is.
        value: Value,
    },
    /// An item of a list that was not in it.
    Add {
        /// The keys on the way to the list.
        at: Vec<String>,
        /// The item.
        item: Value,
    },
}

/// Why a file is not changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// It is not written in its format.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Something else stands where the entry belongs.
    #[error("`{0}` is there already, and not from keybearer")]
    Taken(String),
    /// Something stands in the way that holds no entries.
    #[error("`{0}` is not what entries can be added to")]
    Shape(String),
    /// It is written in a way that is not changed by a program.
    #[error("`{0}` is written in a way that keybearer does not change")]
    Unsupported(String),
    /// The entry is not there.
    #[error("`{0}` is not there")]
    Missing(String),
}

/// A piece of text that was put in, and the line on which it stands then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Counted from 1.
    pub line: usize,
    /// The text, without the line ends around it.
    pub text: String,
}

/// A changed text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edited {
    /// The whole text.
    pub text: String,
    /// What was put in.
    pub pieces: Vec<Piece>,
    /// How many of the keys on the way were there before; what comes after them was made.
    pub found: usize,
}

/// A range of the text and what stands there instead.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Splice {
    range: Range<usize>,
    with: String,
}

impl Splice {
    fn insert(at: usize, with: impl Into<String>) -> Self {
        Self { range: at..at, with: with.into() }
    }

    fn cut(range: Range<usize>) -> Self {
        Self { range, with: String::new() }
    }
}

impl Op {
    /// The keys on the way.
    pub fn at(&self) -> &[String] {
        match self {
            Self::Put { at, .. } | Self::Add { at, .. } => at,
        }
    }
}

/// What a text means, for looking into it and for comparing.
///
/// # Errors
/// If it is not written in its format.
pub fn read(format: Format, text: &str) -> Result<Value, EditError> {
    match format {
        Format::Json | Format::Jsonc => json::read(format, text),
        Format::Yaml => yaml::read(text),
        Format::Toml => toml::read(text),
        Format::Dotenv => dotenv::read(text),
    }
}

/// What stands at the end of a way of keys.
pub fn find<'a>(value: &'a Value, at: &[String]) -> Option<&'a Value> {
    at.iter().try_fold(value, |value, key| value.get(key))
}

/// Puts an entry or an item in; an item that is in the list already changes nothing.
///
/// # Errors
/// If the text is not understood, or something else stands there.
pub fn apply(format: Format, text: &str, op: &Op) -> Result<Edited, EditError> {
    let before = read(format, text)?;
    let found = found(&before, op.at());
    let mut meant = before.clone();
    if !put_value(&mut meant, op)? {
        return Ok(Edited { text: text.to_owned(), pieces: Vec::new(), found });
    }
    let splices = match format {
        Format::Json | Format::Jsonc => json::apply(format, text, op),
        Format::Yaml => yaml::apply(text, op),
        Format::Toml => toml::apply(text, op),
        Format::Dotenv => dotenv::apply(text, op),
    }?;
    let (changed, pieces) = spliced(text, splices);
    prove(format, &changed, &meant, op)?;
    Ok(Edited { text: changed, pieces, found })
}

/// Takes out what [`apply`] put in. Of the keys on the way the first `found` stay; the others go where they hold
/// nothing else.
///
/// # Errors
/// If the text is not understood, or the entry is not there.
pub fn revert(format: Format, text: &str, op: &Op, found: usize) -> Result<String, EditError> {
    let before = read(format, text)?;
    if !holds(&before, op) {
        return Err(EditError::Missing(op.at().join(".")));
    }
    // A table is written with its whole name: those above it are there only with it.
    let op = if format == Format::Toml { op.clone() } else { widest(&before, op, found) };
    let mut meant = before.clone();
    take_value(&mut meant, &op);
    let splices = match format {
        Format::Json | Format::Jsonc => json::revert(format, text, &op),
        Format::Yaml => yaml::revert(text, &op),
        Format::Toml => toml::revert(text, &op),
        Format::Dotenv => dotenv::revert(text, &op),
    }?;
    let (changed, _) = spliced(text, splices);
    prove(format, &changed, &meant, &op)?;
    Ok(changed)
}

/// Whether the entry, or the item, stands there as the change says.
pub fn holds(value: &Value, op: &Op) -> bool {
    match op {
        Op::Put { at, value: wanted } => find(value, at) == Some(wanted),
        Op::Add { at, item } => find(value, at).and_then(Value::as_array).is_some_and(|list| list.contains(item)),
    }
}

/// The change that takes out as much of what was made as holds nothing else.
fn widest(before: &Value, op: &Op, found: usize) -> Op {
    let at = op.at();
    let alone = |length: usize| match find(before, &at[..length]) {
        Some(Value::Object(map)) => map.len() == 1,
        Some(Value::Array(list)) => list.len() == 1,
        Some(_) | None => false,
    };
    let deepest = if matches!(op, Op::Add { .. }) { at.len() } else { at.len() - 1 };
    let highest = (found.max(1)..=deepest).rev().take_while(|length| *length > found && alone(*length)).last();
    match highest {
        Some(length) => {
            let value = find(before, &at[..length]).cloned().unwrap_or_default();
            Op::Put { at: at[..length].to_vec(), value }
        }
        None => op.clone(),
    }
}

fn found(value: &Value, at: &[String]) -> usize {
    (0..=at.len()).rev().find(|length| find(value, &at[..*length]).is_some()).unwrap_or(0)
}

/// Changes the meaning as the text is to be changed; `false` if there is nothing to do.
fn put_value(root: &mut Value, op: &Op) -> Result<bool, EditError> {
    let (parents, last) = match op {
        Op::Put { at, .. } => (&at[..at.len() - 1], at.last()),
        Op::Add { at, .. } => (&at[..], None),
    };
    let shape = |at: &[String]| EditError::Shape(if at.is_empty() { "the file".to_owned() } else { at.join(".") });
    let mut place = root;
    for (depth, key) in parents.iter().enumerate() {
        let map = as_map(place).ok_or_else(|| shape(&parents[..depth]))?;
        place = map.entry(key.clone()).or_insert(Value::Null);
    }
    match op {
        Op::Put { at, value } => {
            let map = as_map(place).ok_or_else(|| shape(parents))?;
            let key = last.cloned().unwrap_or_default();
            if map.contains_key(&key) {
                return Err(EditError::Taken(at.join(".")));
            }
            map.insert(key, value.clone());
        }
        Op::Add { at, item } => {
            if place.is_null() {
                *place = Value::Array(Vec::new());
            }
            let list = place.as_array_mut().ok_or_else(|| shape(at))?;
            if list.contains(item) {
                return Ok(false);
            }
            list.push(item.clone());
        }
    }
    Ok(true)
}

/// Nothing at all is an empty map: an empty file, a key without a value.
fn as_map(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if value.is_null() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

fn take_value(root: &mut Value, op: &Op) {
    let (way, last) = match op {
        Op::Put { at, .. } => (&at[..at.len() - 1], at.last()),
        Op::Add { at, .. } => (&at[..], None),
    };
    let Some(place) = way.iter().try_fold(root, |value, key| value.get_mut(key)) else { return };
    match (op, last) {
        (Op::Put { .. }, Some(key)) => drop(place.as_object_mut().and_then(|map| map.remove(key))),
        (Op::Add { item, .. }, _) => {
            if let Some(list) = place.as_array_mut()
                && let Some(index) = list.iter().rposition(|found| found == item)
            {
                list.remove(index);
            }
        }
        (Op::Put { .. }, None) => {}
    }
}

/// The order of a list's items does not count here: an item may be put in anywhere.
fn prove(format: Format, text: &str, meant: &Value, op: &Op) -> Result<(), EditError> {
    let unsupported = || EditError::Unsupported(op.at().join("."));
    let after = read(format, text).map_err(|_| unsupported())?;
    let equal = match format {
        Format::Toml => same(&without_nothing(&after), &without_nothing(meant)),
        Format::Json | Format::Jsonc | Format::Yaml | Format::Dotenv => same(&after, meant),
    };
    if equal { Ok(()) } else { Err(unsupported()) }
}

/// Equal but for the order of lists, and but for empty maps and lists where nothing stood.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let lacks = |one: &Map<String, Value>, other: &Map<String, Value>| {
                one.iter().any(|(key, value)| !other.get(key).is_some_and(|found| same(value, found)))
            };
            a.len() == b.len() && !lacks(a, b)
        }
        (Value::Array(a), Value::Array(b)) => {
            let mut left: Vec<&Value> = b.iter().collect();
            a.len() == b.len()
                && a.iter().all(|item| {
                    let at = left.iter().position(|other| same(item, other));
                    at.map(|at| left.remove(at)).is_some()
                })
        }
        (Value::Null, Value::Object(map)) | (Value::Object(map), Value::Null) => map.is_empty(),
        (Value::Null, Value::Array(list)) | (Value::Array(list), Value::Null) => list.is_empty(),
        (a, b) => a == b,
    }
}

fn without_nothing(value: &Value) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    let entries = map.iter().map(|(key, value)| (key.clone(), without_nothing(value)));
    Value::Object(entries.filter(|(_, value)| value.as_object().is_none_or(|map| !map.is_empty())).collect())
}

fn spliced(text: &str, mut splices: Vec<Splice>) -> (String, Vec<Piece>) {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let (mut changed, mut pieces, mut from) = (String::with_capacity(text.len() + 256), Vec::new(), 0);
    for splice in splices {
        changed.push_str(text.get(from..splice.range.start).unwrap_or_default());
        // The comma behind somebody else's entry is no piece worth showing.
        if splice.with.trim().len() > 1 {
            let blank = splice.with.len() - splice.with.trim_start().len();
            let line = 1 + changed.matches('\n').count() + splice.with[..blank].matches('\n').count();
            let text = splice.with.trim_matches(['\r', '\n']).replace("\r\n", "\n");
            pieces.push(Piece { line, text });
        }
        changed.push_str(&splice.with);
        from = splice.range.end;
    }
    changed.push_str(text.get(from..).unwrap_or_default());
    (changed, pieces)
}

/// The line end that the text uses.
fn line_end(text: &str) -> &'static str {
    match text.find('\n') {
        Some(at) if text[..at].ends_with('\r') => "\r\n",
        Some(_) | None => "\n",
    }
}

/// Where the line of a place begins.
fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Where the line of a place ends, its end not included.
fn line_stop(text: &str, at: usize) -> usize {
    let stop = text[at..].find('\n').map_or(text.len(), |newline| at + newline);
    if text[at..stop].ends_with('\r') { stop - 1 } else { stop }
}

/// Where the line after the one of a place begins.
fn next_line(text: &str, at: usize) -> usize {
    text[at..].find('\n').map_or(text.len(), |newline| at + newline + 1)
}

/// The white space with which the line of a place begins; `None` if something else stands before the place.
fn indent(text: &str, at: usize) -> Option<&str> {
    let before = &text[line_start(text, at)..at];
    before.chars().all(|character| character == ' ' || character == '\t').then_some(before)
}
