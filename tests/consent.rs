//! Consent, by speaking the wire: who can answer a question, when an answer counts, and how long a yes lasts.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a story stops where its world is not as it must be")]
#![allow(clippy::disallowed_methods, reason = "clients and commands are processes of their own")]

#[path = "consent/answers.rs"]
mod answers;
#[path = "consent/changes.rs"]
mod changes;
#[path = "consent/lasting.rs"]
mod lasting;
#[path = "consent/shell.rs"]
mod shell;

use keybearer_testkit::world::World;
use serde_json::{Value, json};

const NOT_ALLOWED: i64 = -31_002;

/// The arguments of a call that changes something.
fn change() -> Value {
    json!({ "id": "A-1002", "owner": "m.bolton" })
}

/// Waits until the trail has a record that is as `met` says.
async fn recorded(world: &World, met: impl Fn(&Value) -> bool) -> Value {
    loop {
        let text = std::fs::read_to_string(world.home().join("state/audit/audit.jsonl")).unwrap_or_default();
        let mut records = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        match records.find(|record| met(record)) {
            Some(record) => return record,
            None => tokio::task::yield_now().await,
        }
    }
}
