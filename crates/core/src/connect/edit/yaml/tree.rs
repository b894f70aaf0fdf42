//! A YAML document as a tree that knows where everything stands.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value, json};

use super::EditError;

/// A node and where it stands, in bytes.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
    /// Written in brackets.
    pub(super) flow: bool,
    tag: Option<String>,
}

#[derive(Debug)]
pub(super) enum Kind {
    Scalar { text: String, plain: bool },
    Map(Vec<(Node, Node)>),
    List(Vec<Node>),
    Alias(usize),
}

/// The one document of a text; `None` if it has none.
pub(super) fn parse(text: &str) -> Result<Option<Node>, EditError> {
    let unreadable = |error: &dyn std::fmt::Display| EditError::Unreadable(error.to_string());
    let mut events = Vec::new();
    for event in Parser::new_from_str(text) {
        events.push(event.map_err(|error| unreadable(&error))?);
    }
    if events.iter().filter(|(event, _)| matches!(event, Event::DocumentStart(_))).count() > 1 {
        return Err(unreadable(&"it holds more than one document"));
    }
    let places = Places::of(text);
    let mut rest = events.into_iter().filter(|(event, _)| !structure(event));
    let node = rest.next().map(|first| node(first, &mut rest, &places, text)).transpose()?;
    Ok(node)
}

fn structure(event: &Event<'_>) -> bool {
    matches!(
        event,
        Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd
    )
}

/// The parser counts characters.
struct Places(Vec<usize>);

impl Places {
    fn of(text: &str) -> Self {
        Self(text.char_indices().map(|(at, _)| at).chain([text.len()]).collect())
    }

    fn at(&self, character: usize) -> usize {
        self.0.get(character).or(self.0.last()).copied().unwrap_or_default()
    }
}

fn node<'a>(
    (event, span): (Event<'a>, Span),
    rest: &mut impl Iterator<Item = (Event<'a>, Span)>,
    places: &Places,
    text: &str,
) -> Result<Node, EditError> {
    let (start, mut end) = (places.at(span.start.index()), places.at(span.end.index()));
    let torn = || EditError::Unreadable("it ends too early".to_owned());
    let mut tag = None;
    let kind = match event {
        Event::Scalar(value, style, _, named) => {
            tag = named;
            Kind::Scalar { text: value.into_owned(), plain: style == ScalarStyle::Plain }
        }
        Event::Alias(id) => Kind::Alias(id),
        Event::MappingStart(_, named) => {
            tag = named;
            let mut entries = Vec::new();
            loop {
                let first = rest.next().ok_or_else(torn)?;
                if matches!(first.0, Event::MappingEnd) {
                    end = places.at(first.1.end.index());
                    break;
                }
                let key = node(first, rest, places, text)?;
                let value = node(rest.next().ok_or_else(torn)?, rest, places, text)?;
                entries.push((key, value));
            }
            Kind::Map(entries)
        }
        Event::SequenceStart(_, named) => {
            tag = named;
            let mut items = Vec::new();
            loop {
                let first = rest.next().ok_or_else(torn)?;
                if matches!(first.0, Event::SequenceEnd) {
                    end = places.at(first.1.end.index());
                    break;
                }
                items.push(node(first, rest, places, text)?);
            }
            Kind::List(items)
        }
        Event::Nothing
        | Event::StreamStart
        | Event::StreamEnd
        | Event::DocumentStart(_)
        | Event::DocumentEnd
        | Event::MappingEnd
        | Event::SequenceEnd => return Err(torn()),
    };
    let flow = matches!(kind, Kind::Map(_) | Kind::List(_)) && text[start..].starts_with(['{', '[']);
    if flow {
        let last = match &kind {
            Kind::Map(entries) => entries.last().map(|(key, value)| value.end.max(key.end)),
            Kind::List(items) => items.last().map(|item| item.end),
            Kind::Scalar { .. } | Kind::Alias(_) => None,
        };
        // The parser ends a collection where it sees the next thing.
        let last = last.unwrap_or(start + 1);
        end = text[last..].find(['}', ']']).map_or(end, |bracket| last + bracket + 1);
    }
    Ok(Node { kind, start, end, flow, tag: tag.map(|tag| format!("{}{}", tag.handle, tag.suffix)) })
}

impl Node {
    /// Whether it is a scalar with this text.
    pub(super) fn is(&self, name: &str) -> bool {
        matches!(&self.kind, Kind::Scalar { text, .. } if text == name)
    }

    /// Its text, if it is a scalar.
    pub(super) fn text(&self) -> &str {
        match &self.kind {
            Kind::Scalar { text, .. } => text,
            Kind::Map(_) | Kind::List(_) | Kind::Alias(_) => "",
        }
    }

    /// Whether it is null, or an empty map or list in brackets.
    pub(super) fn is_nothing(&self) -> bool {
        match &self.kind {
            Kind::Scalar { .. } => self.meaning() == Ok(Value::Null),
            Kind::Map(entries) => entries.is_empty(),
            Kind::List(items) => items.is_empty(),
            Kind::Alias(_) => false,
        }
    }

    /// The value of an entry.
    pub(super) fn entry(&self, name: &str) -> Option<&Self> {
        let Kind::Map(entries) = &self.kind else { return None };
        entries.iter().find(|(key, _)| key.is(name)).map(|(_, value)| value)
    }

    /// Where its last character stands. The parser ends what is written by indentation where the next thing begins.
    pub(super) fn last_end(&self) -> usize {
        let last = match &self.kind {
            Kind::Map(entries) if !self.flow => entries.last().map(|(key, value)| value.last_end().max(key.end)),
            Kind::List(items) if !self.flow => items.last().map(Self::last_end),
            Kind::Map(_) | Kind::List(_) | Kind::Scalar { .. } | Kind::Alias(_) => None,
        };
        last.unwrap_or(self.end)
    }

    /// What it means, as far as it has to be compared.
    pub(super) fn meaning(&self) -> Result<Value, EditError> {
        let value = match &self.kind {
            Kind::Scalar { text, plain: true } if self.tag.is_none() => plain(text),
            Kind::Scalar { text, .. } => Value::String(text.clone()),
            Kind::Alias(id) => json!({ "*": id }),
            Kind::List(items) => Value::Array(items.iter().map(Self::meaning).collect::<Result<_, _>>()?),
            Kind::Map(entries) => {
                let mut map = Map::new();
                for (key, value) in entries {
                    let name = match &key.kind {
                        Kind::Scalar { text, .. } => text.clone(),
                        Kind::Map(_) | Kind::List(_) | Kind::Alias(_) => key.meaning()?.to_string(),
                    };
                    if map.insert(name.clone(), value.meaning()?).is_some() && name != "<<" {
                        return Err(EditError::Unreadable(format!("`{name}` stands in it twice")));
                    }
                }
                Value::Object(map)
            }
        };
        Ok(match &self.tag {
            Some(tag) => json!({ "!": tag, "value": value }),
            None => value,
        })
    }
}

/// YAML 1.2's core schema.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => text.parse::<i64>().map_or_else(|_| Value::String(text.to_owned()), Value::from),
    }
}
