//! The stateless era at the stdio door: headers made from the body, and tools that may not go on.

use keybearer_testkit::upstream::Reply;
use keybearer_testkit::world::World;
use serde_json::{Value, json};

use super::next;

fn request(id: u64, method: &str, mut params: Value) -> String {
    params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {} });
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }).to_string()
}

const REGION: &str = r#"{"name":"find", "inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}}"#;
const BROKEN: &str =
    r#"{"name":"bad","inputSchema":{"type":"object","properties":{"n":{"type":"number","x-mcp-header":"N"}}}}"#;
const PLAIN: &str = r#"{"name":"plain","inputSchema":{"type":"object"} , "x":1e400}"#;

fn page(id: &str, tools: &[&str], next: Option<&str>) -> String {
    let cursor = next.map(|next| format!(r#","nextCursor":"{next}""#)).unwrap_or_default();
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{"tools":[{}]{cursor}}}}}"#, tools.join(","))
}

fn find(id: u64) -> String {
    request(id, "tools/call", json!({ "name": "find", "arguments": { "region": "zürich" } }))
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_stand_in_headers_where_the_tool_wants_it_and_broken_tools_do_not_go_on() {
    let world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    let mut app = world.stdio("desk-app", "raw").await.unwrap();
    for (id, stream) in [(1, false), (2, true)] {
        let list = page(&id.to_string(), &[REGION, BROKEN, PLAIN], None);
        if stream {
            let (reply, stream) = Reply::sse();
            world.upstream.will(reply);
            stream.send(format!("data: {list}\n\n"));
        } else {
            world.upstream.will(Reply::json(list));
        }
        app.send_line(request(id, "tools/list", json!({}))).await.unwrap();
        let line = String::from_utf8(app.read_line().await.unwrap()).unwrap();
        assert_eq!(line.trim_end(), page(&id.to_string(), &[REGION, PLAIN], None), "the other tools stay as they were");
    }
    app.send_line(find(3)).await.unwrap();
    assert!(next(&mut app).await["result"].is_object());
    let requests = world.upstream.requests();
    let call = requests.last().unwrap();
    assert_eq!(call.header("mcp-param-region"), Some("=?base64?esO8cmljaA==?="));
    assert_eq!((call.header("mcp-method"), call.header("mcp-name")), (Some("tools/call"), Some("find")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_is_missing_is_looked_up_on_every_page_and_the_call_made_once() {
    let world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    let mut app = world.stdio("desk-app", "raw").await.unwrap();
    let mismatch = r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"Header mismatch"}}"#;
    let ours = "\"keybearer-tools\"";
    world
        .upstream
        .will(Reply::with_body(400, "application/json", mismatch))
        .will(Reply::json(page(ours, &[PLAIN], Some("p2"))))
        .will(Reply::json(page(ours, &[REGION], None)));
    app.send_line(find(1)).await.unwrap();
    let answer = next(&mut app).await;
    assert!(answer["id"] == 1 && answer["result"].is_object(), "{answer}");
    let requests = world.upstream.requests();
    let methods: Vec<_> = requests.iter().map(|seen| seen.header("mcp-method").unwrap_or_default()).collect();
    assert_eq!(methods[methods.len() - 4..], ["tools/call", "tools/list", "tools/list", "tools/call"]);
    assert_eq!(requests.last().unwrap().header("mcp-param-region"), Some("=?base64?esO8cmljaA==?="));
    // A server that goes on refusing is believed.
    world.upstream.will(Reply::with_body(400, "application/json", mismatch)).will(Reply::json(page(ours, &[], None)));
    world.upstream.will(Reply::with_body(400, "application/json", mismatch));
    app.send_line(find(1)).await.unwrap();
    assert_eq!(next(&mut app).await["error"]["code"], -32020);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscription_whose_stream_ends_is_completed() {
    let world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    let mut app = world.stdio("desk-app", "raw").await.unwrap();
    let (reply, stream) = Reply::sse();
    world.upstream.will(reply);
    app.send_line(request(9, "subscriptions/listen", json!({}))).await.unwrap();
    stream.send("data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/subscriptions/acknowledged\"}\n\n");
    assert_eq!(next(&mut app).await["method"], "notifications/subscriptions/acknowledged");
    stream.finish();
    let end = next(&mut app).await;
    assert_eq!((&end["id"], &end["result"]["resultType"]), (&json!(9), &json!("complete")));
    assert_eq!(end["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"], 9);
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_a_legacy_server_for_its_era_gets_a_quick_no() {
    let world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    for reply in [
        Reply::status(404),
        Reply::with_body(400, "text/html", "<html>"),
        Reply::with_body(
            400,
            "application/json",
            r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"x"}}"#,
        ),
    ] {
        let mut app = world.stdio("desk-app", "raw").await.unwrap();
        world.upstream.will(reply);
        app.send_line(request(1, "server/discover", json!({}))).await.unwrap();
        let answer = next(&mut app).await;
        let code = answer["error"]["code"].as_i64().unwrap();
        assert!(answer["id"] == 1 && !(-32022..=-32020).contains(&code), "{answer}");
        assert!(app.initialize().await.unwrap().result().is_some(), "and it goes on with a handshake");
    }
}
