//! What was surveyed, as a person is shown it: of what is there now, names only.

use keybearer_control::connect::{Added, FilePreview, KnownBy, Preview};
use keybearer_core::connect::catalog::Transport;
use keybearer_core::connect::edit;
use serde_json::Value;

use super::survey::{Survey, Surveyed};

pub(super) fn preview(survey: &Survey) -> Preview {
    Preview {
        client: survey.known.id.clone(),
        name: survey.known.name.clone(),
        transport: survey.way.transport.as_str().to_owned(),
        known_by: match (&survey.program, survey.way.transport) {
            (_, Transport::Http) => KnownBy::Key,
            (Some(path), _) => KnownBy::Program { path: path.clone() },
            (None, Transport::Stdio | Transport::Socket) => KnownBy::Arrival,
        },
        files: survey.files.iter().map(file).collect(),
        setting: survey.container_address.map(|address| format!("container_door = \"{address}\"")),
        warnings: survey.warnings.clone(),
        token: survey.token.clone(),
    }
}

fn file(surveyed: &Surveyed) -> FilePreview {
    let real = (surveyed.file.real != surveyed.path).then(|| surveyed.file.real.display().to_string());
    let pieces = surveyed.planned.pieces.iter();
    FilePreview {
        path: surveyed.path.display().to_string(),
        real: real.filter(|_| surveyed.path.is_symlink()),
        exists: surveyed.file.text.is_some(),
        replaces: replaced(surveyed),
        added: pieces.map(|piece| Added { line: piece.line, text: piece.text.clone() }).collect(),
    }
}

fn replaced(surveyed: &Surveyed) -> Vec<String> {
    let (Some(record), Some(text)) = (&surveyed.record, &surveyed.file.text) else { return Vec::new() };
    let Ok(standing) = edit::read(surveyed.known.format, text) else { return Vec::new() };
    let entries = record.entries.iter().filter(|entry| !entry.item);
    entries.filter_map(|entry| Some((entry.at.join("."), edit::find(&standing, &entry.at)?))).map(summary).collect()
}

/// An entry by the names of what is in it: values may be secrets.
fn summary((name, entry): (String, &Value)) -> String {
    let Value::Object(entry) = entry else { return name };
    let inner = |value: &Value| match value {
        Value::Object(map) if !map.is_empty() => {
            format!(": {}", map.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            String::new()
        }
    };
    let parts: Vec<String> = entry.iter().map(|(key, value)| format!("{key}{}", inner(value))).collect();
    format!("{name} ({})", parts.join("; "))
}
