//! Several messages in one line, which one version of the protocol has.

use keybearer_testkit::client::lines::LineClient;
use keybearer_testkit::upstream::Reply;
use keybearer_testkit::world::World;
use serde_json::{Value, json};

use super::next;

const RULES: &str = "[[rules]]\neffect = \"allow\"\nexcept = [{ tool = \"drop_all\" }]\n\
    [[rules]]\neffect = \"deny\"\ntool = \"drop_all\"\n";

async fn in_session(world: &World, version: &str) -> LineClient {
    world.login("raw").await.unwrap();
    let mut app = world.stdio("desk-app", "raw").await.unwrap();
    let params =
        json!({ "protocolVersion": version, "capabilities": {}, "clientInfo": { "name": "x", "version": "1" } });
    let hello = app.request("initialize", params).await.unwrap();
    assert_eq!(hello.result().unwrap()["protocolVersion"], version);
    app
}

fn call(id: &str, tool: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool } })
}

fn answer(id: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":"{id}","result":{{}}}}"#)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_goes_as_it_is_and_its_answers_come_one_by_one() {
    let world = World::with_rules(RULES).await;
    let mut app = in_session(&world, "2025-03-26").await;
    let line =
        format!("[{} , {},{{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}}]", call("a", "one"), call("b", "two"));
    world.upstream.will(Reply::json(format!("[{},\n {}]", answer("b"), answer("a"))));
    app.send_line(&line).await.unwrap();
    assert_eq!((&next(&mut app).await["id"], &next(&mut app).await["id"]), (&json!("b"), &json!("a")));
    assert_eq!(String::from_utf8_lossy(&world.upstream.requests().last().unwrap().body), line);
    let (reply, stream) = Reply::sse();
    world.upstream.will(reply);
    app.send_line(&line).await.unwrap();
    stream.send(format!("data: {}\n\n", answer("a")));
    assert_eq!(next(&mut app).await["id"], "a", "before the other one is there");
    stream.cut();
    let broken = next(&mut app).await;
    assert_eq!((&broken["id"], broken["error"]["code"].as_i64()), (&json!("b"), Some(-31_006)));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_that_may_not_go_keeps_the_whole_batch_here() {
    let world = World::with_rules(RULES).await;
    let mut app = in_session(&world, "2025-03-26").await;
    let before = world.upstream.requests().len();
    app.send_line(json!([call("a", "one"), call("b", "drop_all")]).to_string()).await.unwrap();
    for id in ["a", "b"] {
        let refused = next(&mut app).await;
        assert_eq!((&refused["id"], refused["error"]["code"].as_i64()), (&json!(id), Some(-31_002)));
    }
    assert_eq!(world.upstream.requests().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn other_versions_have_no_batches() {
    let world = World::with_rules(RULES).await;
    let mut app = in_session(&world, "2025-06-18").await;
    let before = world.upstream.requests().len();
    app.send_line(json!([call("a", "one")]).to_string()).await.unwrap();
    assert_eq!(next(&mut app).await["error"]["code"], -32600);
    assert_eq!(world.upstream.requests().len(), before);
}
