//! JSON, with and without comments.

use jsonc_parser::ast::{Array, Object, Value as Node};
use jsonc_parser::common::Ranged;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};
use serde_json::{Map, Value};

use super::{EditError, Format, Op, Splice, indent, line_end, line_start, line_stop, next_line};

/// A text, where it begins behind a byte order mark, and how it is indented.
struct Source<'a> {
    text: &'a str,
    mark: usize,
    end: &'static str,
    unit: String,
}

const MARK: char = '\u{feff}';

pub(super) fn read(format: Format, text: &str) -> Result<Value, EditError> {
    parsed(format, text.strip_prefix(MARK).unwrap_or(text))?.as_ref().map_or(Ok(Value::Null), meaning)
}

pub(super) fn apply(format: Format, text: &str, op: &Op) -> Result<Vec<Splice>, EditError> {
    let body = text.strip_prefix(MARK).unwrap_or(text);
    let tree = parsed(format, body)?;
    let source = Source::new(body, text.len() - body.len(), tree.as_ref());
    let splices = match &tree {
        None => {
            let before = if body.is_empty() || body.ends_with('\n') { "" } else { source.end };
            let (at, value) = whole(op);
            let text = source.rendered(&nested(at, value), "");
            vec![Splice::insert(body.len(), format!("{before}{text}{}", source.end))]
        }
        Some(root) => source.put(root, op)?,
    };
    Ok(source.shifted(splices))
}

pub(super) fn revert(format: Format, text: &str, op: &Op) -> Result<Vec<Splice>, EditError> {
    let body = text.strip_prefix(MARK).unwrap_or(text);
    let tree = parsed(format, body)?.ok_or_else(|| missing(op))?;
    let source = Source::new(body, text.len() - body.len(), Some(&tree));
    let mut place = &tree;
    let (way, last) = match op {
        Op::Put { at, .. } => at.split_at(at.len() - 1),
        Op::Add { at, .. } => (&at[..], &[][..]),
    };
    for key in way {
        place = place
            .as_object()
            .and_then(|object| object.get(key))
            .map(|found| &found.value)
            .ok_or_else(|| missing(op))?;
    }
    let (ranges, index) = match (op, last.first(), place) {
        (Op::Put { .. }, Some(key), Node::Object(object)) => {
            let ranges: Vec<_> = object.properties.iter().map(|property| property.range).collect();
            (ranges, object.properties.iter().position(|property| property.name.as_str() == key))
        }
        (Op::Add { item, .. }, _, Node::Array(array)) => {
            let ranges: Vec<_> = array.elements.iter().map(Ranged::range).collect();
            (ranges, array.elements.iter().rposition(|element| meaning(element).is_ok_and(|value| value == *item)))
        }
        _ => return Err(missing(op)),
    };
    let index = index.ok_or_else(|| missing(op))?;
    let ranges: Vec<(usize, usize)> = ranges.into_iter().map(|range| (range.start, range.end)).collect();
    Ok(source.shifted(source.taken((place.range().start, place.range().end), &ranges, index)))
}

fn missing(op: &Op) -> EditError {
    EditError::Missing(op.at().join("."))
}

fn parsed(format: Format, text: &str) -> Result<Option<Node<'_>>, EditError> {
    let lenient = format == Format::Jsonc;
    let options = ParseOptions {
        allow_comments: lenient,
        allow_trailing_commas: lenient,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &CollectOptions::default(), &options);
    parsed.map(|parsed| parsed.value).map_err(|error| EditError::Unreadable(error.to_string()))
}

/// What a tree means. A key that stands twice means something else to each reader: it is refused.
fn meaning(node: &Node<'_>) -> Result<Value, EditError> {
    Ok(match node {
        Node::StringLit(text) => Value::String(text.value.clone().into_owned()),
        Node::NumberLit(number) => {
            serde_json::from_str(number.value).unwrap_or_else(|_| Value::String(number.value.to_owned()))
        }
        Node::BooleanLit(truth) => Value::Bool(truth.value),
        Node::NullKeyword(_) => Value::Null,
        Node::Array(array) => Value::Array(array.elements.iter().map(meaning).collect::<Result<_, _>>()?),
        Node::Object(object) => {
            let mut map = Map::new();
            for property in &object.properties {
                let name = property.name.as_str();
                if map.insert(name.to_owned(), meaning(&property.value)?).is_some() {
                    return Err(EditError::Unreadable(format!("`{name}` stands in it twice")));
                }
            }
            Value::Object(map)
        }
    })
}

/// What a change puts at the end of its keys where nothing is there yet.
fn whole(op: &Op) -> (&[String], Value) {
    match op {
        Op::Put { at, value } => (at, value.clone()),
        Op::Add { at, item } => (at, Value::Array(vec![item.clone()])),
    }
}

fn nested(at: &[String], value: Value) -> Value {
    at.iter().rev().fold(value, |value, key| Value::Object(Map::from_iter([(key.clone(), value)])))
}

impl<'a> Source<'a> {
    fn new(text: &'a str, mark: usize, tree: Option<&Node<'_>>) -> Self {
        let first = tree.and_then(Node::as_object).and_then(|object| object.properties.first());
        let unit = first.and_then(|property| indent(text, property.range.start)).filter(|unit| !unit.is_empty());
        Self { text, mark, end: line_end(text), unit: unit.unwrap_or("  ").to_owned() }
    }

    fn shifted(&self, mut splices: Vec<Splice>) -> Vec<Splice> {
        for splice in &mut splices {
            splice.range = splice.range.start + self.mark..splice.range.end + self.mark;
        }
        splices
    }

    fn rendered(&self, value: &Value, indent: &str) -> String {
        let mut text = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(self.unit.as_bytes());
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
        // A value of text keys always serialises.
        let _ = serde::Serialize::serialize(value, &mut serializer);
        String::from_utf8_lossy(&text).replace('\n', &format!("{}{indent}", self.end))
    }

    fn put(&self, root: &Node<'_>, op: &Op) -> Result<Vec<Splice>, EditError> {
        let (at, value) = whole(op);
        let mut place = root;
        for (depth, key) in at.iter().enumerate() {
            let shape = || EditError::Shape(at[..depth].join("."));
            let object = place.as_object().ok_or_else(shape)?;
            match object.get(key) {
                Some(found) => place = &found.value,
                None => return Ok(self.property(object, key, &nested(&at[depth + 1..], value))),
            }
        }
        match (op, place) {
            (Op::Add { item, .. }, Node::Array(array)) => Ok(self.element(array, item)),
            _ => Err(EditError::Taken(at.join("."))),
        }
    }

    fn property(&self, object: &Object<'_>, key: &str, value: &Value) -> Vec<Splice> {
        let name = Value::String(key.to_owned());
        let ranges: Vec<_> = object.properties.iter().map(|found| (found.range.start, found.range.end)).collect();
        self.member((object.range.start, object.range.end), &ranges, |indent| match indent {
            Some(indent) => format!("{name}: {}", self.rendered(value, indent)),
            None => format!("{name}:{value}"),
        })
    }

    fn element(&self, array: &Array<'_>, item: &Value) -> Vec<Splice> {
        let ranges: Vec<_> = array.elements.iter().map(|found| (found.start(), found.end())).collect();
        self.member((array.range.start, array.range.end), &ranges, |indent| match indent {
            Some(indent) => self.rendered(item, indent),
            None => item.to_string(),
        })
    }

    /// Puts a member behind the others. `text` gives it for an indentation, or for one line.
    fn member(
        &self,
        (start, stop): (usize, usize),
        members: &[(usize, usize)],
        text: impl Fn(Option<&str>) -> String,
    ) -> Vec<Splice> {
        let Some((last_start, last_stop)) = members.last().copied() else {
            let outer = leading(self.text, start);
            let inner = format!("{outer}{}", self.unit);
            let member = text(Some(&inner));
            // Comments may stand between the brackets: they come behind.
            let rest = &self.text[start + 1..stop - 1];
            let close = if rest.contains('\n') { String::new() } else { format!("{}{outer}", self.end) };
            return vec![Splice::insert(start + 1, format!("{}{inner}{member}{close}", self.end))];
        };
        let comma = self.comma(last_stop, stop);
        if !self.text[start..stop].contains('\n') {
            let space = if self.text[start..stop].contains(", ") || members.len() == 1 { " " } else { "" };
            return vec![Splice::insert(last_stop, format!(",{space}{}", text(None)))];
        }
        let inner = indent(self.text, last_start)
            .map_or_else(|| format!("{}{}", leading(self.text, start), self.unit), ToOwned::to_owned);
        let behind = self.rest_of_line(comma.map_or(last_stop, |comma| comma + 1), stop);
        let mut splices = Vec::new();
        let trailing = if comma.is_some() { "," } else { "" };
        if comma.is_none() {
            splices.push(Splice::insert(last_stop, ","));
        }
        let close = if self.text[behind..stop - 1].contains('\n') {
            String::new()
        } else {
            format!("{}{}", self.end, leading(self.text, start))
        };
        splices.push(Splice::insert(behind, format!("{}{inner}{}{trailing}{close}", self.end, text(Some(&inner)))));
        splices
    }

    /// Where the comma behind a member is, if there is one before the end.
    fn comma(&self, from: usize, stop: usize) -> Option<usize> {
        let at = self.skip(from, stop, true);
        self.text[at..stop].starts_with(',').then_some(at)
    }

    /// The end of the line, if only a comment is left on it; else the place itself.
    fn rest_of_line(&self, from: usize, stop: usize) -> usize {
        let at = self.skip(from, stop, false);
        let rest = &self.text[at..stop];
        if rest.starts_with('\n') || rest.starts_with("\r\n") { at } else { from }
    }

    /// Passes over white space and comments, over line ends only if told to.
    fn skip(&self, from: usize, stop: usize, lines: bool) -> usize {
        let mut at = from;
        loop {
            let rest = &self.text[at..stop];
            let blank = |character: char| {
                character == ' ' || character == '\t' || (lines && (character == '\r' || character == '\n'))
            };
            let passed = rest.len() - rest.trim_start_matches(blank).len();
            let rest = &rest[passed..];
            at += passed;
            if rest.starts_with("//") {
                at = line_stop(self.text, at).min(stop);
            } else if rest.starts_with("/*") {
                at += rest.find("*/").map_or(rest.len(), |end| end + 2);
            } else if passed == 0 {
                return at;
            }
        }
    }

    /// Cuts a member out, with its comma and with its lines if nothing else stands on them.
    fn taken(&self, (start, stop): (usize, usize), members: &[(usize, usize)], index: usize) -> Vec<Splice> {
        let (from, to) = members[index];
        let comma = self.comma(to, stop);
        let (mut cut, mut splices) = (from..comma.map_or(to, |comma| comma + 1), Vec::new());
        let alone = members.len() == 1 && self.text[start + 1..from].trim().is_empty();
        if alone && self.text[cut.end..stop - 1].trim().is_empty() {
            return vec![Splice::cut(start + 1..stop - 1)];
        }
        if comma.is_none()
            && let Some((_, before)) = index.checked_sub(1).map(|before| members[before])
            && let Some(comma) = self.comma(before, stop)
        {
            splices.push(Splice::cut(comma..comma + 1));
        }
        let whole_lines =
            indent(self.text, from).is_some() && self.text[cut.end..line_stop(self.text, cut.end)].trim().is_empty();
        if whole_lines {
            cut = line_start(self.text, from)..next_line(self.text, cut.end);
        } else if let Some(next) = members.get(index + 1).filter(|next| !self.text[cut.end..next.0].contains('\n')) {
            cut.end = next.0;
        } else if index > 0 && self.text[..cut.start].ends_with(' ') && indent(self.text, from).is_none() {
            cut.start -= 1;
        }
        splices.push(Splice::cut(cut));
        splices
    }
}

/// The white space with which the line of a place begins.
fn leading(text: &str, at: usize) -> &str {
    let line = &text[line_start(text, at)..];
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}
