//! Bad input and bad surroundings: each ends in a clear error at every door, and nothing is lost or sent.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]

#[path = "bad_input/policy.rs"]
mod policy;
#[path = "bad_input/settings.rs"]
mod settings;
#[path = "bad_input/upstreams.rs"]
mod upstreams;

use keybearer_stories::core::Ended;
use keybearer_stories::house::{App, House};
use serde_json::{Value, json};

const CALL: &str = r#"{"jsonrpc":"2.0","id":"of the client","method":"tools/call","params":{"name":"get_account"}}"#;

/// What each way in says of a call to `server` that is not made: the error's number and word, and the exit code.
#[track_caller]
fn check_refused(house: &House, app: &App, server: &str, code: i64, word: &str, exit: i32) -> Vec<String> {
    let answer = app.post(server, CALL);
    let over_http: Value = serde_json::from_slice(&answer.body).unwrap();
    let mut bridge = house.bridge(server);
    bridge.send(format!("{CALL}\n"));
    let over_stdio: Value = serde_json::from_slice(&bridge.line()).unwrap();
    let (left, status, complaints) = bridge.end();
    assert_eq!((left.len(), status.code(), complaints.as_str()), (0, Some(0), ""));
    let mut told = Vec::new();
    for answer in [over_http, over_stdio] {
        assert_eq!(answer["id"], "of the client", "{answer}");
        assert_eq!(
            (&answer["error"]["code"], &answer["error"]["data"]["code"]),
            (&json!(code), &json!(word)),
            "{answer}"
        );
        told.push(answer["error"]["message"].as_str().unwrap().to_owned());
    }
    let ended = house.run(&["call", server, "get_account"]);
    told.push(check_ended(&ended, exit));
    told
}

/// That a command failed with this code, and said why on standard error alone.
#[track_caller]
fn check_ended(ended: &Ended, exit: i32) -> String {
    assert_eq!((ended.code(), ended.out.as_str()), (exit, ""), "{ended:?}");
    let first = ended.err.lines().next().unwrap_or_default();
    let message = first.strip_prefix("error: ").unwrap_or_else(|| panic!("no error: {ended:?}"));
    assert!(!message.ends_with('\n') && !message.contains("panicked") && message.len() > 10, "{message}");
    message.to_owned()
}

/// The error of a command that was asked for JSON.
#[track_caller]
fn check_ended_in_json(ended: &Ended, exit: i32) -> Value {
    assert_eq!(ended.code(), exit, "{ended:?}");
    let told: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("no JSON: {ended:?}"));
    assert!(told["error"]["message"].as_str().is_some_and(|text| !text.is_empty()), "{told}");
    told
}
