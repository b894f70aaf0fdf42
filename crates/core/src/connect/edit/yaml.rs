//! YAML: lines of our own between the person's lines.

use serde_json::{Map, Value};

use super::{EditError, Op, Splice, indent, line_end, line_start, next_line};

mod tree;
mod written;

use tree::{Kind, Node};

pub(super) fn read(text: &str) -> Result<Value, EditError> {
    tree::parse(text)?.as_ref().map_or(Ok(Value::Null), Node::meaning)
}

pub(super) fn apply(text: &str, op: &Op) -> Result<Vec<Splice>, EditError> {
    let (at, value) = match op {
        Op::Put { at, value } => (&at[..], value.clone()),
        Op::Add { at, item } => (&at[..], Value::Array(vec![item.clone()])),
    };
    let source = Source { text, end: line_end(text) };
    let Some(root) = tree::parse(text)?.filter(|root| !root.is_nothing()) else {
        return Ok(vec![source.at_the_end(&at[0], &nested(&at[1..], value), "")]);
    };
    let (mut place, mut key) = (&root, None);
    for (depth, name) in at.iter().enumerate() {
        let missing = (name.as_str(), nested(&at[depth + 1..], value.clone()));
        match &place.kind {
            Kind::Map(entries) => match entries.iter().find(|(key, _)| key.is(name)) {
                Some((found, value)) => (place, key) = (value, Some(found)),
                None => return source.entry(place, key, missing.0, &missing.1),
            },
            _ if place.is_nothing() => return source.entry(place, key, missing.0, &missing.1),
            Kind::List(_) | Kind::Scalar { .. } | Kind::Alias(_) => {
                return Err(EditError::Shape(at[..depth].join(".")));
            }
        }
    }
    match (op, key) {
        (Op::Add { item, .. }, Some(key)) => source.item(place, key, item),
        _ => Err(EditError::Taken(at.join("."))),
    }
}

pub(super) fn revert(text: &str, op: &Op) -> Result<Vec<Splice>, EditError> {
    let missing = || EditError::Missing(op.at().join("."));
    let root = tree::parse(text)?.ok_or_else(missing)?;
    let (way, last) = match op {
        Op::Put { at, .. } => at.split_at(at.len() - 1),
        Op::Add { at, .. } => (&at[..], &[][..]),
    };
    let mut place = &root;
    for name in way {
        place = place.entry(name).ok_or_else(missing)?;
    }
    let members: Vec<(usize, usize)> = match &place.kind {
        Kind::Map(entries) => entries.iter().map(|(key, value)| (key.start, value.last_end().max(key.end))).collect(),
        Kind::List(items) => items.iter().map(|item| (item.start, item.last_end())).collect(),
        Kind::Scalar { .. } | Kind::Alias(_) => return Err(missing()),
    };
    let index = match (&place.kind, op, last.first()) {
        (Kind::Map(entries), Op::Put { .. }, Some(name)) => entries.iter().position(|(key, _)| key.is(name)),
        (Kind::List(items), Op::Add { item, .. }, _) => {
            items.iter().rposition(|found| found.meaning().is_ok_and(|value| value == *item))
        }
        _ => None,
    };
    let index = index.ok_or_else(missing)?;
    let cut = if place.flow { in_brackets(text, place, &members, index) } else { lines(text, members[index]) };
    Ok(vec![Splice::cut(cut)])
}

fn nested(at: &[String], value: Value) -> Value {
    at.iter().rev().fold(value, |value, key| Value::Object(Map::from_iter([(key.clone(), value)])))
}

/// The lines of a member; with those at the end of the file goes the blank line before them.
fn lines(text: &str, (from, to): (usize, usize)) -> std::ops::Range<usize> {
    let (mut start, stop) = (line_start(text, from), next_line(text, to));
    let before = &text[..start];
    let above = before.strip_suffix('\n').map(|above| above.strip_suffix('\r').unwrap_or(above));
    if stop == text.len()
        && let Some(above) = above.filter(|above| above.ends_with('\n'))
    {
        start = above.len();
    }
    start..stop
}

fn in_brackets(text: &str, place: &Node, members: &[(usize, usize)], index: usize) -> std::ops::Range<usize> {
    let (from, to) = members[index];
    match (index.checked_sub(1).map(|before| members[before].1), members.get(index + 1)) {
        (_, Some((next, _))) => from..*next,
        (Some(before), None) => before..to,
        (None, None) => place.start + 1..text[to..].find(['}', ']']).map_or(to, |end| to + end),
    }
}

struct Source<'a> {
    text: &'a str,
    end: &'static str,
}

impl Source<'_> {
    /// A new entry of a map, or of what is nothing yet and becomes one.
    fn entry(&self, place: &Node, key: Option<&Node>, name: &str, value: &Value) -> Result<Vec<Splice>, EditError> {
        let first = match &place.kind {
            Kind::Map(entries) => entries.first().map(|(key, _)| key),
            Kind::Scalar { .. } | Kind::List(_) | Kind::Alias(_) => None,
        };
        if place.flow && !place.is_nothing() {
            return Ok(vec![Splice::insert(place.start + 1, format!("{}: {value}, ", written::scalar(name)))]);
        }
        let unsupported = || EditError::Unsupported(name.to_owned());
        let inner = match first {
            Some(first) => indent(self.text, first.start).ok_or_else(unsupported)?.to_owned(),
            None => self.deeper(key.ok_or_else(unsupported)?)?,
        };
        match key {
            None => Ok(vec![self.at_the_end(name, value, &inner)]),
            Some(key) => self.below(place, key, &self.block(name, value, &inner)),
        }
    }

    /// A new item of a list, or of what is nothing yet and becomes one.
    fn item(&self, place: &Node, key: &Node, item: &Value) -> Result<Vec<Splice>, EditError> {
        let unsupported = || EditError::Unsupported("list".to_owned());
        if place.flow && !place.is_nothing() {
            return Ok(vec![Splice::insert(place.start + 1, format!("{item}, "))]);
        }
        let inner = match &place.kind {
            Kind::List(items) if !items.is_empty() => {
                let line = &self.text[line_start(self.text, items[0].start)..];
                let (indent, _) =
                    line.split_once('-').filter(|(before, _)| before.trim().is_empty()).ok_or_else(unsupported)?;
                indent.to_owned()
            }
            Kind::List(_) | Kind::Scalar { .. } | Kind::Map(_) | Kind::Alias(_) => self.deeper(key)?,
        };
        let line = format!("{inner}- {}{}", written::inline(item), self.end);
        self.below(place, key, &line)
    }

    /// Lines right below the line of a key; a written nothing (`{}`, `null`) makes room for them.
    fn below(&self, place: &Node, key: &Node, lines: &str) -> Result<Vec<Splice>, EditError> {
        let line = next_line(self.text, key.end);
        if !place.is_nothing() && line_start(self.text, place.start) < line {
            return Err(EditError::Unsupported(key.text().to_owned()));
        }
        let mut splices = Vec::new();
        if place.is_nothing() && place.start < place.end {
            if next_line(self.text, place.end) != line {
                return Err(EditError::Unsupported(key.text().to_owned()));
            }
            let space = self.text[..place.start].len() - self.text[..place.start].trim_end_matches(' ').len();
            splices.push(Splice::cut(place.start - space..place.end));
        }
        let before = if self.text[..line].ends_with('\n') { "" } else { self.end };
        splices.push(Splice::insert(line, format!("{before}{lines}")));
        Ok(splices)
    }

    fn at_the_end(&self, name: &str, value: &Value, inner: &str) -> Splice {
        let blank = format!("{0}{0}", self.end);
        let before = match self.text {
            "" => "",
            text if text.ends_with(&blank) => "",
            text if text.ends_with('\n') => self.end,
            _ => &blank,
        };
        Splice::insert(self.text.len(), format!("{before}{}", self.block(name, value, inner)))
    }

    fn block(&self, name: &str, value: &Value, inner: &str) -> String {
        written::block(name, value, inner, &self.unit()).replace('\n', self.end)
    }

    /// One step deeper than the line of a key.
    fn deeper(&self, key: &Node) -> Result<String, EditError> {
        let outer = indent(self.text, key.start).ok_or_else(|| EditError::Unsupported(key.text().to_owned()))?;
        Ok(format!("{outer}{}", self.unit()))
    }

    /// The first indentation that the file uses.
    fn unit(&self) -> String {
        let widths =
            self.text.lines().filter(|line| !line.trim_start().starts_with(['#', '-']) && !line.trim().is_empty());
        let widths = widths.map(|line| line.len() - line.trim_start_matches(' ').len());
        " ".repeat(widths.filter(|width| (2..=8).contains(width)).min().unwrap_or(2))
    }
}
