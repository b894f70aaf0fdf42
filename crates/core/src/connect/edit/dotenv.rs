//! `NAME=value` lines, as Compose reads them.

use serde_json::{Map, Value};

use super::{EditError, Op, Splice, line_end, next_line};

pub(super) fn read(text: &str) -> Result<Value, EditError> {
    let mut map = Map::new();
    for line in text.lines() {
        if let Some((name, value)) = entry(line) {
            // The last one counts, as for everybody who reads such files.
            let value = value.strip_prefix('\'').and_then(|value| value.strip_suffix('\'')).unwrap_or(value);
            map.insert(name.to_owned(), Value::String(value.to_owned()));
        }
    }
    Ok(Value::Object(map))
}

pub(super) fn apply(text: &str, op: &Op) -> Result<Vec<Splice>, EditError> {
    let (name, value) = wanted(op)?;
    let quote = if value.contains(['"', '#', '$', ' ', '\\']) { "'" } else { "" };
    let end = line_end(text);
    let before = if text.is_empty() || text.ends_with('\n') { "" } else { end };
    Ok(vec![Splice::insert(text.len(), format!("{before}{name}={quote}{value}{quote}{end}"))])
}

pub(super) fn revert(text: &str, op: &Op) -> Result<Vec<Splice>, EditError> {
    let (name, _) = wanted(op)?;
    let mut start = 0;
    let mut found = None;
    while start < text.len() {
        let stop = next_line(text, start);
        if entry(text[start..stop].trim_end()).is_some_and(|(other, _)| other == name) {
            found = Some(Splice::cut(start..stop));
        }
        start = stop;
    }
    found.map(|cut| vec![cut]).ok_or_else(|| EditError::Missing(name.to_owned()))
}

fn wanted(op: &Op) -> Result<(&str, &str), EditError> {
    let unsupported = || EditError::Unsupported(op.at().join("."));
    let Op::Put { at, value } = op else { return Err(unsupported()) };
    match (&at[..], value.as_str()) {
        ([name], Some(value)) if !value.contains(['\n', '\r', '\'']) => Ok((name, value)),
        _ => Err(unsupported()),
    }
}

fn entry(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').filter(|_| !line.starts_with('#'))?;
    Some((name.trim(), value.trim()))
}
