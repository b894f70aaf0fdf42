//! Every call is judged and recorded as the client's call to the real server and tool.

use keybearer_stories::house::House;
use serde_json::{Value, json};

use super::Pair;
use super::driver::{Driver, Library};

#[test]
fn a_server_that_a_client_may_not_use_is_neither_shown_nor_callable() {
    let mut pair = Pair::open();
    let app = pair.house.client("app", &["odd"]);
    let mut client = Driver::http(&pair.house.home, Library::Sdk, &app.door, &app.key);
    let tools = client.tools();
    assert!(tools.iter().any(|tool| tool == "odd__plain"), "{tools:?}");
    assert!(!tools.iter().any(|tool| tool.starts_with("everything")), "{tools:?}");
    assert_eq!(client.calls("list_servers", json!({}))["text"], "odd");
    let tried = client.tries("call", json!({ "tool": "everything__echo", "arguments": { "message": "x" } }));
    assert_eq!(tried["code"], -31_002, "{tried}");
    let told = client.calls("sign_in", json!({ "server": "everything" }));
    assert_eq!(told["failed"], true, "{told}");
    drop(client);
    let calls = pair.house.recorded_calls();
    let refused = call_of(&calls, "everything", "echo");
    assert_eq!((&refused["client"], &refused["outcome"]), (&json!("app"), &json!("denied")), "{refused}");
    assert_eq!(calls.iter().filter(|call| call["server"] == "everything").count(), 1);
}

#[test]
fn a_tool_that_a_rule_forbids_is_forbidden_here_too_and_the_trail_tells_the_real_names() {
    let rules =
        "[[rules]]\neffect = \"allow\"\n[[rules]]\neffect = \"deny\"\nserver = \"everything\"\ntool = \"get-sum\"\n";
    let mut pair = Pair::with_rules(rules);
    let app = pair.house.client("app", &[]);
    let mut client = Driver::http(&pair.house.home, Library::Modern, &app.door, &app.key);
    client.tools();
    client.calls("everything__echo", json!({ "message": "x" }));
    let tried = client.tries("call", json!({ "tool": "everything__get-sum", "arguments": { "a": 1, "b": 2 } }));
    assert_eq!(tried["code"], -31_002, "{tried}");
    client.calls("status", json!({}));
    drop(client);
    let calls = pair.house.recorded_calls();
    let echoed = call_of(&calls, "everything", "echo");
    assert_eq!((&echoed["client"], &echoed["outcome"]), (&json!("app"), &json!("answered")), "{echoed}");
    assert_eq!(echoed["arguments"], json!(["message"]));
    assert_eq!(call_of(&calls, "everything", "get-sum")["outcome"], "denied");
    assert_eq!(call_of(&calls, "keybearer", "status")["outcome"], "answered");
    assert!(calls.iter().all(|call| !call["tool"].as_str().unwrap_or_default().contains("__")));
}

#[test]
fn nobody_else_may_have_our_name() {
    let house = House::open("");
    let ended = house.run(&["servers", "add", "keybearer", "https://example.com/mcp", "--json"]);
    assert!(!ended.status.success() && ended.out.contains("kept for Keybearer"), "{ended:?}");
}

#[track_caller]
fn call_of<'a>(calls: &'a [Value], server: &str, tool: &str) -> &'a Value {
    let found = calls.iter().find(|call| call["server"] == server && call["tool"] == tool);
    found.unwrap_or_else(|| panic!("no call of `{tool}` at `{server}` in {calls:#?}"))
}
