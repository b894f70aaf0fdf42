//! Calls that are not allowed: told as such, recorded once, and never sent.

use keybearer_stories::house::House;
use keybearer_testkit::upstream::FakeUpstream;
use serde_json::{Value, json};

use super::{CALL, check_ended_in_json, check_refused};

/// A house with these rules, which start in line 5 of its settings.
async fn house_with(rules: &str) -> (House, FakeUpstream) {
    let upstream = FakeUpstream::open().await.unwrap();
    let house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{rules}", upstream.url()));
    (house, upstream)
}

fn calls_of_tools(recorded: Vec<Value>) -> Vec<Value> {
    recorded.into_iter().filter(|call| call["method"] == "tools/call").collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_call_has_one_record_with_its_rule_and_reaches_nobody() {
    let (mut house, upstream) =
        house_with("[[rules]]\neffect = \"allow\"\n[[rules]]\neffect = \"deny\"\ntool = \"get_*\"\n").await;
    let app = house.client("chat-app", &[]);
    let told = check_refused(&house, &app, "crm", -31_002, "not_allowed", 5);
    assert!(told.iter().all(|text| text == "Keybearer: this is not allowed for crm."), "{told:?}");
    let arrived = upstream.requests();
    assert!(arrived.iter().all(|request| !request.mentions("get_account")), "a denied call arrived");
    let recorded = calls_of_tools(house.recorded_calls());
    assert_eq!(recorded.len(), 3, "one for each call: {recorded:?}");
    for call in &recorded {
        assert_eq!(
            (&call["decision"], &call["outcome"], &call["tool"]),
            (&json!("deny"), &json!("denied"), &json!("get_account"))
        );
        assert_eq!(call["reason"], "rule 2 (config.toml line 7)");
        assert_eq!(call["status"], Value::Null);
    }
    assert!(house.run(&["audit", "verify"]).status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_asks_denies_where_nobody_can_be_asked() {
    let (mut house, upstream) =
        house_with("[[rules]]\neffect = \"ask\"\ntool = \"*\"\n[[rules]]\neffect = \"allow\"\n").await;
    let app = house.client("chat-app", &[]);
    let told = check_refused(&house, &app, "crm", -31_003, "nobody_to_ask", 5);
    assert!(told.iter().all(|text| text.contains("nobody is there to ask")), "{told:?}");
    let error = check_ended_in_json(&house.run(&["call", "crm", "get_account", "--json"]), 5);
    assert_eq!(error["error"]["code"], "not_allowed");
    assert!(upstream.requests().iter().all(|request| !request.mentions("get_account")));
    let recorded = calls_of_tools(house.recorded_calls());
    assert_eq!(recorded.len(), 4);
    assert!(recorded.iter().all(|call| call["outcome"] == "denied" && call["decision"] == "deny"), "{recorded:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_rule_speaks_of_is_denied_where_the_settings_say_so() {
    let upstream = FakeUpstream::open().await.unwrap();
    let mut house =
        House::open(&format!("unknown = \"deny\"\n[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n", upstream.url()));
    let app = house.client("chat-app", &[]);
    let answer: Value = serde_json::from_slice(&app.post("crm", CALL).body).unwrap();
    assert_eq!(answer["error"]["code"], -31_002, "{answer}");
    // A registered client may still connect.
    let hello = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    assert_eq!(app.post("crm", hello).status, 200);
    assert_eq!(upstream.requests().len(), 1);
    assert_eq!(calls_of_tools(house.recorded_calls()).len(), 1);
}
