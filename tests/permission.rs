//! Who may do what: rules, questions, and the one record that each call leaves.
#![expect(clippy::expect_used, reason = "a story ends where its world is not as it must be")]

use keybearer_core::ports::Answer;
use keybearer_testkit::world::World;
use serde_json::{Value, json};

const NOT_ALLOWED: i64 = -31_002;
const NOBODY_TO_ASK: i64 = -31_003;

const RULES: &str = r#"
[[rules]]
effect = "allow"
tool = ["find_*", "get_*"]
except = [{ tool = "get_salaries" }]

[[rules]]
effect = "ask"
tool = "update_*"

[[rules]]
effect = "deny"
client = "chat-app"
server = "wiki"
"#;

/// The calls in the audit trail: method or tool, decision, outcome.
fn trail(world: &World) -> Vec<Value> {
    let text = std::fs::read_to_string(world.home().join("state/audit/audit.jsonl")).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).expect("a record is JSON")).collect()
}

async fn until_recorded(world: &World, tool: &str) -> Value {
    loop {
        let found = trail(world).into_iter().rfind(|record| record["tool"] == tool);
        match found {
            Some(record) => return record,
            None => tokio::task::yield_now().await,
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_allows_needs_no_question() {
    let world = World::with_rules(RULES).await;
    let client = world.client("chat-app").await;
    assert!(client.call("crm", "find_accounts", json!({ "query": "in" })).await.result().is_some());
    assert!(world.prompter.questions().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_rule_asks_is_asked_each_time_with_its_arguments() {
    let world = World::with_rules(RULES).await;
    let client = world.client("chat-app").await;
    world.prompter.will(Answer::AllowOnce).will(Answer::Deny);
    let change = json!({ "id": "A-1002", "owner": "m.bolton" });
    assert!(client.call("crm", "update_account", change.clone()).await.result().is_some());
    assert_eq!(client.call("crm", "update_account", change).await.code(), Some(NOT_ALLOWED));
    let questions = world.prompter.questions();
    assert_eq!(questions.len(), 2);
    assert!(questions[0].arguments.contains("m.bolton"), "{:?}", questions[0]);
    assert_eq!(questions[0].call.tool.as_deref(), Some("update_account"));
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_57_what_no_rule_knows_is_asked_and_without_an_answer_denied() {
    let world = World::with_rules(RULES).await;
    let client = world.client("chat-app").await;
    world.prompter.will(Answer::NobodyThere);
    let answer = client.call("crm", "export_report", json!({})).await;
    assert_eq!(answer.code(), Some(NOBODY_TO_ASK), "{answer:?}");
    let before = world.company.crm.requests();
    world.prompter.will(Answer::Deny);
    assert_eq!(client.call("crm", "get_salaries", json!({})).await.code(), Some(NOT_ALLOWED));
    assert_eq!(world.company.crm.requests(), before, "a denied call reached the server");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_denied_server_is_denied_whatever_else_allows() {
    let world = World::with_rules(RULES).await;
    let client = world.client("chat-app").await;
    assert_eq!(client.call("wiki", "find_pages", json!({})).await.code(), Some(NOT_ALLOWED));
    assert_eq!(world.company.wiki.requests(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_leaves_one_record_that_tells_who_what_and_why() {
    let world = World::with_rules(RULES).await;
    let client = world.client("chat-app").await;
    client.call("crm", "get_account", json!({ "id": "A-1002" })).await;
    let record = until_recorded(&world, "get_account").await;
    assert_eq!((&record["client"], &record["server"]), (&json!("chat-app"), &json!("crm")), "{record}");
    assert_eq!(record["arguments"], json!(["id"]), "{record}");
    assert!(!record.to_string().contains("A-1002"), "{record}");
    let records = trail(&world).into_iter().filter(|record| record["tool"] == "get_account").count();
    assert_eq!(records, 1);
    keybearer_core::audit::verify(&world.home().join("state/audit")).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_yes_lets_a_session_begin_and_each_tool_is_asked_for_itself() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    world.prompter.will(Answer::AllowOnce).will(Answer::AllowOnce).will(Answer::Deny);
    let mut app = world.stdio("desk-app", "crm").await.unwrap();
    assert!(app.initialize().await.unwrap().result().is_some());
    assert!(app.list_tools().await.unwrap().result().is_some());
    assert!(app.call("get_account", json!({ "id": "A-1002" })).await.unwrap().result().is_some());
    assert_eq!(app.call("get_account", json!({ "id": "A-1002" })).await.unwrap().code(), Some(NOT_ALLOWED));
    let asked: Vec<String> = world.prompter.questions().iter().map(|asked| asked.call.method.to_string()).collect();
    assert_eq!(asked, ["initialize", "tools/call", "tools/call"]);
}
