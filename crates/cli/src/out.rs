//! Everything that the program prints goes through here; colour is taken out where it is not wanted.
//!
//! Standard output carries the result, standard error everything else. Nobody reading any more is no error.

use std::io::Write as _;

use keybearer_control::error::Error;
use serde::Serialize;

use crate::failure::Failure;
use crate::plain::clean;
use crate::show::tone::Tone;

/// What a result is printed as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON value.
    Json,
}

/// Prints a result: `text` for people, `value` for programs.
pub(crate) fn result(format: Format, value: &impl Serialize, text: impl FnOnce() -> String) {
    match format {
        Format::Text => print(&text()),
        Format::Json => json(value),
    }
}

/// Prints text for people on standard output.
pub(crate) fn print(text: &str) {
    let mut out = anstream::stdout().lock();
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Prints bytes on standard output as they are, for scripts and files.
pub(crate) fn bytes(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

/// Prints one JSON value on a line of its own.
pub(crate) fn json(value: &impl Serialize) {
    // These are our own types and parsed JSON: they cannot fail to serialise.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    bytes(&line);
}

/// Prints a remark on standard error.
pub(crate) fn note(text: &str) {
    let mut out = anstream::stderr().lock();
    let _ = writeln!(out, "{text}");
}

/// Prints why it did not work: for people on standard error, for programs on standard output.
pub(crate) fn failure(format: Format, failure: &Failure) {
    match format {
        Format::Text => failure.errors.iter().for_each(|error| note(error_text(error).trim_end())),
        Format::Json => json(&serde_json::json!({ "error": failure.errors.first(), "errors": failure.errors })),
    }
}

/// An error as a person reads it. Its words may come from a server: they are cleaned.
pub(crate) fn error_text(error: &Error) -> String {
    let mut text = format!("{} {}\n", Tone::Danger.paint("error:"), clean(&error.message));
    if let Some(hint) = &error.hint {
        text.push_str(&format!("{} {}\n", Tone::Attention.paint("hint:"), clean(hint)));
    }
    text
}
