use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

fn put(at: &[&str], value: Value) -> Op {
    Op::Put { at: at.iter().map(|key| (*key).to_owned()).collect(), value }
}

fn add(at: &[&str], item: &str) -> Op {
    Op::Add { at: at.iter().map(|key| (*key).to_owned()).collect(), item: json!(item) }
}

fn entry() -> Value {
    json!({ "command": "/usr/bin/keybearer", "args": ["stdio", "crm"] })
}

/// The text with the change, and that taking it out gives the text back to the byte.
#[track_caller]
fn check(format: Format, before: &str, op: &Op, after: &Expect) {
    let edited = apply(format, before, op).unwrap();
    after.assert_eq(&edited.text);
    assert_eq!(revert(format, &edited.text, op, edited.found).unwrap(), before, "from\n{}", edited.text);
}

/// The same where nothing of the old text may be lost, but a line end or a pair of brackets may be left behind.
#[track_caller]
fn check_meaning(format: Format, before: &str, op: &Op, after: &Expect) {
    let edited = apply(format, before, op).unwrap();
    after.assert_eq(&edited.text);
    let back = revert(format, &edited.text, op, edited.found).unwrap();
    assert!(same(&read(format, &back).unwrap(), &read(format, before).unwrap()), "{back}");
}

#[track_caller]
fn refused(format: Format, before: &str, op: &Op, error: &EditError) {
    assert_eq!(&apply(format, before, op).unwrap_err(), error);
}

mod dotenv;
mod generated;
mod json;
mod toml;
mod yaml;
