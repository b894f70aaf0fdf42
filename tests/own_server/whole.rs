//! Nothing of what a server says is lost, whatever no library knows of it.

use serde_json::{Value, json};

use super::Pair;
use super::lines::Lines;

/// What the server itself answers.
fn asked_directly(pair: &Pair, method: &str, params: Value) -> Value {
    let body = json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params }).to_string();
    keybearer_stories::http::post(pair.odd.said("url"), &[], body.as_bytes()).json()["result"].clone()
}

#[test]
fn a_tool_arrives_with_all_that_its_server_says_of_it() {
    let pair = Pair::open();
    let mut lines = Lines::open(&pair.house);
    let answer = lines.asks("tools/list", json!({}));
    let tools = answer["result"]["tools"].as_array().unwrap();
    let shown =
        |name: &str| tools.iter().find(|tool| tool["name"].as_str().unwrap().starts_with(name)).unwrap().clone();
    let mut odd = shown("odd__odd_tool");
    let name = odd["name"].as_str().unwrap().to_owned();
    assert!(name.len() <= 64 && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{name}");
    let own = asked_directly(&pair, "tools/list", json!({}))["tools"][0].clone();
    odd["name"] = own["name"].clone();
    assert_eq!(odd, own);
    let plain = asked_directly(&pair, "tools/list", json!({ "cursor": "p2" }))["tools"][0].clone();
    assert_eq!(shown("odd__plain")["description"], plain["description"]);

    // The call reaches the tool under the server's own name, and its result is the server's own.
    let arguments = json!({ "a": [1, 2.5, "é"], "big": 9_007_199_254_740_991_u64 });
    let params = json!({ "name": name, "arguments": arguments, "_meta": { "example.com/x": 1 } });
    let result = lines.asks("tools/call", params)["result"].clone();
    assert_eq!(result, asked_directly(&pair, "tools/call", json!({ "name": "odd" })));
    let seen = keybearer_stories::http::get(&format!("{}/__seen", pair.odd.said("origin")), &[]).json();
    assert_eq!(seen[0], json!({ "name": own["name"], "arguments": arguments, "_meta": { "example.com/x": 1 } }));
}

#[test]
fn a_call_that_is_called_off_is_called_off_at_its_server_and_answered_no_more() {
    let pair = Pair::open();
    let mut lines = Lines::open(&pair.house);
    lines.tools();
    let long = json!({ "name": "everything__trigger-long-running-operation", "arguments": { "duration": 60, "steps": 60 }, "_meta": { "progressToken": "t" } });
    let id = lines.sends("tools/call", long);
    lines.waits_for("notifications/progress");
    lines.tells("notifications/cancelled", json!({ "requestId": id, "reason": "enough" }));
    assert_eq!(lines.text_of("everything__echo", json!({ "message": "on" })), "Echo: on");
    assert!(!lines.heard.iter().any(|message| message["id"] == id));
    assert_eq!(lines.heard.iter().filter(|message| message["params"]["progressToken"] == "t").count(), 1);
}

#[test]
fn every_step_of_progress_comes_under_the_client_s_token_and_before_the_result() {
    let pair = Pair::open();
    let mut lines = Lines::open(&pair.house);
    lines.tools();
    let long = json!({ "name": "everything__trigger-long-running-operation", "arguments": { "duration": 1, "steps": 5 }, "_meta": { "progressToken": "my token" } });
    assert!(lines.asks("tools/call", long)["result"]["content"][0]["text"].as_str().unwrap().contains("Steps: 5"));
    let steps = lines.heard.iter().filter(|message| message["params"]["progressToken"] == "my token");
    assert_eq!(steps.map(|step| step["params"]["progress"].clone()).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
}
