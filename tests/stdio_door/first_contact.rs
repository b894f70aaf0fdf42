//! Nothing that waits for a person keeps a handshake waiting, and no window opens for one.

use std::time::Duration;

use keybearer_core::ports::Answer as Yes;
use keybearer_testkit::client::answer::Answer;
use keybearer_testkit::client::lines::LineClient;
use keybearer_testkit::upstream::Reply;
use keybearer_testkit::world::World;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{next, until_told};

const SIGN_IN_NEEDED: i64 = -31_001;
const TOOLS_CHANGED: &str = "notifications/tools/list_changed";

/// A client that has been let in, and how long that took.
async fn greeted(world: &World, server: &str) -> (LineClient, Answer) {
    let mut app = world.stdio("desk-app", server).await.unwrap();
    let began = Instant::now();
    let answer = app.initialize().await.unwrap();
    assert!(began.elapsed() < Duration::from_secs(1), "the handshake took {:?}", began.elapsed());
    assert!(answer.result().is_some(), "{answer:?}");
    (app, answer)
}

async fn tools(app: &mut LineClient) -> Vec<String> {
    let answer = app.list_tools().await.unwrap();
    let tools = answer.result().unwrap()["tools"].as_array().unwrap().clone();
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_starts_signed_out_signs_in_by_a_tool_and_the_tools_appear() {
    let world = World::that_allows_all().await;
    let (mut app, hello) = greeted(&world, "crm").await;
    assert_eq!(hello.result().unwrap()["serverInfo"]["name"], "keybearer");
    assert_eq!(tools(&mut app).await, ["sign_in"]);
    assert_eq!(app.request("prompts/list", json!({})).await.unwrap().result().unwrap()["prompts"], json!([]));
    assert_eq!(app.request("ping", json!({})).await.unwrap().result(), Some(&json!({})));
    assert_eq!(world.browser.windows(), 0, "neither a handshake nor a list opens a window");
    let signed_in = app.call("sign_in", json!({})).await.unwrap();
    assert_eq!(signed_in.text().unwrap(), "Keybearer: signed in to crm as dana@example.com, the tools are there now.");
    assert!(signed_in.messages.iter().any(|message| message["method"] == TOOLS_CHANGED), "{signed_in:?}");
    assert_eq!(world.browser.windows(), 1);
    assert!(tools(&mut app).await.contains(&"get_account".to_owned()));
    let account = app.call("get_account", json!({ "id": "A-1002" })).await.unwrap();
    assert!(account.result().is_some(), "{account:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_from_elsewhere_brings_the_tools_too() {
    let world = World::that_allows_all().await;
    let (mut app, _) = greeted(&world, "crm").await;
    assert_eq!(tools(&mut app).await, ["sign_in"]);
    world.login("crm").await.unwrap();
    until_told(&mut app, TOOLS_CHANGED).await;
    assert!(!tools(&mut app).await.contains(&"sign_in".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_tool_opens_the_sign_in_and_is_called_then() {
    let world = World::that_allows_all().await;
    let (mut app, _) = greeted(&world, "crm").await;
    let answer = app.call("get_account", json!({ "id": "A-1002" })).await.unwrap();
    assert!(answer.result().is_some(), "{answer:?}");
    assert_eq!(world.browser.windows(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_waits_for_the_person_tells_that_it_does() {
    let world = World::that_allows_all().await;
    let (mut app, _) = greeted(&world, "crm").await;
    world.browser.hold();
    app.send_line(
        json!({ "jsonrpc": "2.0", "id": "c", "method": "tools/call",
            "params": { "name": "sign_in", "_meta": { "progressToken": 7 } } })
        .to_string(),
    )
    .await
    .unwrap();
    let told = until_told(&mut app, "notifications/progress").await;
    assert_eq!(told["params"]["progressToken"], 7);
    assert_eq!(told["params"]["message"], "Waiting for the sign-in to crm.");
    world.browser.release();
    let answer = until_answered(&mut app, "c").await;
    assert_eq!(answer["result"]["isError"], false, "{answer}");
}

async fn until_answered(app: &mut LineClient, id: &str) -> Value {
    loop {
        let message = next(app).await;
        if message["id"] == id {
            return message;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_has_signed_out_is_not_taken_to_the_sign_in_by_a_call() {
    let world = World::that_allows_all().await;
    world.login("crm").await.unwrap();
    world.logout("crm").await.unwrap();
    let (mut app, _) = greeted(&world, "crm").await;
    let refused = app.call("get_account", json!({ "id": "A-1002" })).await.unwrap();
    assert_eq!(refused.code(), Some(SIGN_IN_NEEDED), "{refused:?}");
    let refused = app.call("sign_in", json!({})).await.unwrap();
    assert_eq!(refused.text(), Some("Keybearer: sign in to crm in the Keybearer window, then try again."));
    assert_eq!((refused.result().unwrap()["isError"].as_bool(), world.browser.windows()), (Some(true), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_server_answers_the_next_handshake() {
    let mut world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    let (app, hello) = greeted(&world, "raw").await;
    assert_eq!(hello.result().unwrap()["serverInfo"]["name"], "fake-upstream");
    drop(app);
    world.logout("raw").await.unwrap();
    world.restart().await;
    let (mut app, hello) = greeted(&world, "raw").await;
    let hello = hello.result().unwrap();
    assert_eq!(hello["serverInfo"]["name"], "fake-upstream");
    assert_eq!(hello["capabilities"]["tools"]["listChanged"], true);
    assert_eq!(tools(&mut app).await, ["sign_in"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_takes_its_time_is_answered_for_and_its_lists_are_its_own() {
    let world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    let (reply, release) = Reply::json(
        r#"{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}}"#,
    )
    .held();
    world.upstream.will(reply);
    let (mut app, _) = greeted(&world, "raw").await;
    release.now();
    until_told(&mut app, TOOLS_CHANGED).await;
    assert_eq!(tools(&mut app).await, ["get_account", "update_account"]);
    let methods: Vec<String> = world.upstream.requests().iter().map(|seen| method(&seen.body)).collect();
    let heard: Vec<&str> = methods.iter().map(String::as_str).filter(|method| !method.is_empty()).collect();
    assert_eq!(heard[heard.len() - 3..], ["initialize", "notifications/initialized", "tools/list"]);
}

fn method(body: &[u8]) -> String {
    let message: Value = serde_json::from_slice(body).unwrap_or_default();
    message["method"].as_str().unwrap_or_default().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_must_be_allowed_first_is_told_so_and_waits_for_no_one() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    world.prompter.will_hesitate();
    let (mut app, hello) = greeted(&world, "crm").await;
    assert_eq!(hello.result().unwrap()["serverInfo"]["name"], "keybearer");
    let list = app.list_tools().await.unwrap();
    let tool = &list.result().unwrap()["tools"][0];
    assert_eq!(tool["name"], "sign_in");
    assert!(tool["description"].as_str().unwrap().contains("this app must be allowed to use crm first"), "{tool}");
    assert_eq!(world.prompter.questions().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_nobody_has_allowed_asks_again_by_the_tool() {
    let world = World::start().await;
    world.login("crm").await.unwrap();
    let (mut app, _) = greeted(&world, "crm").await;
    assert_eq!(tools(&mut app).await, ["sign_in"]);
    let refused = app.call("sign_in", json!({})).await.unwrap();
    assert_eq!(refused.result().unwrap()["isError"], true);
    assert!(refused.text().unwrap().contains("nobody is there to ask"), "{refused:?}");
    world.prompter.will(Yes::AllowOnce);
    let allowed = app.call("sign_in", json!({})).await.unwrap();
    assert_eq!(allowed.result().unwrap()["isError"], false, "{allowed:?}");
    assert!(tools(&mut app).await.contains(&"get_account".to_owned()));
    assert_eq!(world.prompter.questions().len(), 3, "lists need no further question");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sign_in_that_ends_in_between_shows_in_the_next_list() {
    let world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    let (mut app, _) = greeted(&world, "raw").await;
    assert_eq!(tools(&mut app).await.len(), 2);
    world.logout("raw").await.unwrap();
    assert_eq!(tools(&mut app).await, ["sign_in"]);
    world.login("raw").await.unwrap();
    until_told(&mut app, TOOLS_CHANGED).await;
    assert_eq!(tools(&mut app).await.len(), 2);
}

/// A request of the stateless era.
fn modern(id: u64, method: &str) -> String {
    let meta = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {} });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": { "_meta": meta } }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_the_stateless_era_is_answered_at_once_too() {
    let world = World::that_allows_all().await;
    let mut app = world.stdio("desk-app", "raw").await.unwrap();
    app.send_line(modern(1, "server/discover")).await.unwrap();
    let unknown = next(&mut app).await;
    assert_eq!(unknown["error"]["code"], -32601, "a client of both eras goes on with `initialize`: {unknown}");
    app.send_line(modern(2, "tools/list")).await.unwrap();
    let list = next(&mut app).await;
    assert_eq!(
        (&list["result"]["tools"][0]["name"], &list["result"]["resultType"]),
        (&json!("sign_in"), &json!("complete"))
    );
    assert_eq!(world.browser.windows(), 0);
}
