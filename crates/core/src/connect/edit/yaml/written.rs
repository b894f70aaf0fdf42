//! Values as YAML: maps and lists by indentation, texts in quotation marks where they could be taken for something else.

use serde_json::Value;

/// An entry as lines.
pub(super) fn block(name: &str, value: &Value, indent: &str, unit: &str) -> String {
    let mut lines = String::new();
    entry(&mut lines, name, value, indent, unit);
    lines
}

fn entry(lines: &mut String, name: &str, value: &Value, indent: &str, unit: &str) {
    let name = scalar(name);
    let inner = format!("{indent}{unit}");
    match value {
        Value::Object(map) if !map.is_empty() => {
            lines.push_str(&format!("{indent}{name}:\n"));
            map.iter().for_each(|(name, value)| entry(lines, name, value, &inner, unit));
        }
        Value::Array(items) if !items.is_empty() => {
            lines.push_str(&format!("{indent}{name}:\n"));
            items.iter().for_each(|item| lines.push_str(&format!("{inner}- {}\n", inline(item))));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            lines.push_str(&format!("{indent}{name}: {}\n", inline(value)));
        }
    }
}

/// A value on one line: JSON is YAML.
pub(super) fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

/// A text, bare if every reader takes it for one.
pub(super) fn scalar(text: &str) -> String {
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let bare = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.chars().all(|character| character.is_ascii_alphanumeric() || "-_./".contains(character))
        && !words.contains(&text.to_ascii_lowercase().as_str());
    if bare { text.to_owned() } else { Value::String(text.to_owned()).to_string() }
}
