//! Several messages in one body: each is judged for itself, and all of them go on, or none.

use keybearer_stories::house::{ALLOW_ALL, App, House};
use keybearer_testkit::upstream::{FakeUpstream, Reply};
use serde_json::{Value, json};

const BATCH: &str = r#"[ {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_account"}},
  {"jsonrpc":"2.0","method":"notifications/progress"},{"jsonrpc":"2.0","id":"b","method":"tools/list"} ]"#;

const ANSWERS: &str = r#"[{"jsonrpc":"2.0","id":"b","result":{}},{"jsonrpc":"2.0","id":1,"result":{}}]"#;

async fn street(rules: &str) -> (House, FakeUpstream, App) {
    let upstream = FakeUpstream::open().await.unwrap();
    let house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{rules}", upstream.url()));
    let app = house.client("chat-app", &[]);
    (house, upstream, app)
}

fn post(app: &App, fields: &[&str], body: &str) -> (u16, Value) {
    let mut wire = app.wire();
    wire.send(app.post_bytes("crm", fields, body.as_bytes()));
    let (head, body) = wire.answer().unwrap();
    (head.status(), serde_json::from_slice(&body.bytes).unwrap_or(Value::Null))
}

/// What is on record of each call: method, decision, outcome.
fn recorded(house: &mut House) -> Vec<[Value; 3]> {
    house.recorded_calls().iter().map(|call| ["method", "decision", "outcome"].map(|key| call[key].clone())).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_goes_on_byte_for_byte_and_each_message_is_on_record() {
    let (mut house, upstream, app) = street(ALLOW_ALL).await;
    for fields in [&[][..], &["MCP-Protocol-Version: 2025-03-26"]] {
        upstream.will(Reply::json(ANSWERS));
        let (status, told) = post(&app, fields, BATCH);
        assert_eq!((status, told), (200, serde_json::from_str(ANSWERS).unwrap()));
        assert_eq!(upstream.next().await.unwrap().body, BATCH.as_bytes());
    }
    let each = ["tools/call", "notifications/progress", "tools/list"];
    let mut told = recorded(&mut house);
    told.sort_by_key(|call| call[0].to_string());
    let mut wanted: Vec<_> =
        each.iter().chain(&each).map(|it| [json!(it), json!("allow"), json!("answered")]).collect();
    wanted.sort_by_key(|call| call[0].to_string());
    assert_eq!(told, wanted);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_refusal_holds_back_the_whole_batch() {
    let rules = format!("{ALLOW_ALL}[[rules]]\neffect = \"deny\"\ntool = \"delete_*\"\n");
    let (mut house, upstream, app) = street(&rules).await;
    let call = |id: &str, tool: &str| {
        format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"{tool}"}}}}"#)
    };
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/progress"}"#;
    let batch =
        format!("[{},{notification},{},{}]", call("1", "get_account"), call("\"x\"", "delete_all"), call("3", "get"));
    let (status, told) = post(&app, &[], &batch);
    let errors: Vec<_> =
        told.as_array().unwrap().iter().map(|error| (&error["id"], &error["error"]["data"]["code"])).collect();
    let (refused, batch_refused) = (json!("not_allowed"), json!("batch_refused"));
    assert_eq!(status, 200);
    assert_eq!(errors, [(&json!(1), &batch_refused), (&json!("x"), &refused), (&json!(3), &batch_refused)]);
    assert_eq!(upstream.requests().len(), 0);
    let (allow, deny, none) = (json!("allow"), json!("deny"), Value::Null);
    let told: Vec<_> = recorded(&mut house).into_iter().map(|[_, decision, outcome]| (decision, outcome)).collect();
    let held = json!("not_sent");
    assert_eq!(told.len(), 4);
    for wanted in [(&deny, &json!("denied")), (&allow, &held), (&none, &held)] {
        assert!(told.iter().any(|(decision, outcome)| (decision, outcome) == wanted), "{wanted:?} is not in {told:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn later_versions_have_no_batches_and_none_is_endless() {
    let (_house, upstream, app) = street(ALLOW_ALL).await;
    for version in ["2025-06-18", "2025-11-25", "2026-07-28", "2024-11-05", "nonsense"] {
        let (status, told) = post(&app, &[&format!("MCP-Protocol-Version: {version}")], BATCH);
        assert_eq!((status, &told["error"]["code"]), (400, &json!(-32600)), "{version}: {told}");
    }
    let endless = format!("[{}]", vec![r#"{"jsonrpc":"2.0","method":"notifications/x"}"#; 257].join(","));
    assert_eq!(post(&app, &[], &endless).1["error"]["data"]["code"], "batch");
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_in_nobody_s_session_is_told_so() {
    let (mut house, upstream, app) = street(ALLOW_ALL).await;
    let (status, told) = post(&app, &["Mcp-Session-Id: guessed"], BATCH);
    assert_eq!((status, &told["error"]["data"]["code"]), (404, &json!("unknown_session")));
    assert_eq!(upstream.requests().len(), 0);
    assert!(recorded(&mut house).iter().all(|call| call[2] == "unknown_session"));
}
