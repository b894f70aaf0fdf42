//! TOML: a table of our own at the end of the file.

use serde_json::Value;
use toml_edit::{Document, Item, Key};

use super::{EditError, Op, Splice, line_end, next_line};

const MARK: char = '\u{feff}';

pub(super) fn read(text: &str) -> Result<Value, EditError> {
    let unreadable =
        |error: &dyn std::fmt::Display| EditError::Unreadable(error.to_string().trim().replace('\n', ", "));
    let table: toml::Table =
        toml::from_str(text.trim_start_matches(MARK)).map_err(|error| unreadable(&error.message()))?;
    serde_json::to_value(table).map_err(|error| unreadable(&error))
}

pub(super) fn apply(text: &str, op: &Op) -> Result<Vec<Splice>, EditError> {
    let unsupported = || EditError::Unsupported(op.at().join("."));
    let Op::Put { at, value: Value::Object(entry) } = op else { return Err(unsupported()) };
    let end = line_end(text);
    let mut table = match text {
        "" => String::new(),
        _ if text.ends_with('\n') => end.to_owned(),
        _ => format!("{end}{end}"),
    };
    let header: Vec<String> = at.iter().map(|key| Key::new(key).to_string()).collect();
    table.push_str(&format!("[{}]{end}", header.join(".")));
    for (key, value) in entry {
        let value = written(value).ok_or_else(unsupported)?;
        table.push_str(&format!("{} = {value}{end}", Key::new(key)));
    }
    Ok(vec![Splice::insert(text.len(), table)])
}

pub(super) fn revert(text: &str, op: &Op) -> Result<Vec<Splice>, EditError> {
    let unsupported = || EditError::Unsupported(op.at().join("."));
    let document = Document::parse(text).map_err(|_| unsupported())?;
    let mut item: &Item = document.as_item();
    for key in op.at() {
        item = item.get(key).ok_or_else(|| EditError::Missing(op.at().join(".")))?;
    }
    let table = item.as_table().ok_or_else(unsupported)?;
    let header = table.span().ok_or_else(unsupported)?;
    let stop = table.iter().filter_map(|(_, value)| value.span()).fold(header.end, |stop, span| stop.max(span.end));
    // The blank line before it is ours; a comment in between is the person's.
    let start = header.start;
    let before = text[..start].strip_suffix('\n').map_or("", |before| before.strip_suffix('\r').unwrap_or(before));
    let blank = before.is_empty() || before.ends_with('\n');
    let start = if blank { before.len() } else { start };
    Ok(vec![Splice::cut(start..next_line(text, stop.max(header.start)))])
}

fn written(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => toml_edit::Value::from(text.as_str()).to_string(),
        Value::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(written).collect();
            format!("[{}]", items?.join(", "))
        }
        Value::Object(map) => {
            let pairs = map.iter().map(|(key, value)| Some(format!("{} = {}", Key::new(key), written(value)?)));
            format!("{{ {} }}", pairs.collect::<Option<Vec<_>>>()?.join(", "))
        }
    })
}
