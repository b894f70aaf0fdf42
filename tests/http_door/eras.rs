//! What the modern era asks of a door: headers that agree with the body, and a closed stream that ends the call.

use std::time::{Duration, Instant};

use keybearer_testkit::upstream::Reply;
use serde_json::{Value, json};

use super::Street;

const VERSION: &str = "MCP-Protocol-Version: 2026-07-28";

const CALL: &str = r#"{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_account","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_contradict_the_body_are_refused() {
    let street = Street::build().await;
    for fields in [
        &[VERSION, "Mcp-Method: tools/list"][..],
        &[VERSION, "Mcp-Method: tools/call", "Mcp-Name: delete_account"],
        &[VERSION, "Mcp-Name: =?base64?ZGVsZXRl?="],
        &[VERSION, "Mcp-Name: get_account", "Mcp-Name: delete_account"],
        &["MCP-Protocol-Version: 2025-11-25"],
    ] {
        let (head, body) = street.knock(street.app.post_bytes("crm", fields, CALL.as_bytes()));
        let told: Value = serde_json::from_slice(&body.bytes).unwrap();
        assert_eq!(
            (head.status(), &told["id"], &told["error"]["code"]),
            (400, &json!(7), &json!(-32020)),
            "{fields:?}"
        );
    }
    assert_eq!(street.arrived(), 0);
    let fields = [VERSION, "Mcp-Method: tools/call", "Mcp-Name: =?base64?Z2V0X2FjY291bnQ=?=", "Mcp-Param-Region: eu"];
    let (head, _) = street.knock(street.app.post_bytes("crm", &fields, CALL.as_bytes()));
    let seen = street.upstream.next().await.unwrap();
    assert_eq!((head.status(), seen.body.as_slice()), (200, CALL.as_bytes()));
    for field in fields {
        let (name, value) = field.split_once(": ").unwrap();
        assert_eq!(seen.header(name), Some(value), "{name} goes on as it is");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_the_stream_ends_the_call_at_once() {
    let street = Street::build().await;
    let (reply, mut stream) = Reply::sse();
    street.upstream.will(reply);
    let mut wire = street.app.wire();
    wire.send(street.app.post_bytes("crm", &[VERSION], CALL.as_bytes()));
    stream.send("data: {}\n\n");
    let head = wire.head().unwrap();
    wire.body(&head, |body| !body.bytes.is_empty());
    let closed = Instant::now();
    drop(wire);
    tokio::time::timeout(Duration::from_secs(30), stream.client_left()).await.unwrap();
    assert!(closed.elapsed() < Duration::from_secs(1), "the server heard of it after {:?}", closed.elapsed());
    street.assert_good_call();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_before_the_answer_ends_the_call_too() {
    let mut street = Street::build().await;
    let (reply, release) = Reply::json("{}").held();
    street.upstream.will(reply);
    let mut wire = street.app.wire();
    wire.send(street.app.post_bytes("crm", &[VERSION], CALL.as_bytes()));
    street.upstream.next().await.unwrap();
    drop(wire);
    // The call is over when it is on record, which a call that still waits for its answer is not.
    let end = Instant::now() + Duration::from_secs(30);
    while !street.house.home.audit().iter().any(|record| record["outcome"] == "aborted") {
        assert!(Instant::now() < end, "the call goes on without its client");
        std::thread::yield_now();
    }
    release.now();
    assert_eq!(street.house.recorded_calls().len(), 1);
}
