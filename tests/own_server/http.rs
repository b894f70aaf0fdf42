//! What HTTP asks of the server beside its messages.

use keybearer_stories::house::App;
use keybearer_stories::http::{self, Answer};
use serde_json::{Value, json};

use super::Pair;

const HELLO: &str = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}"#;
const LIST: &str = r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#;

fn sends(app: &App, method: &str, fields: &[(&str, &str)], body: &str) -> Answer {
    let authorization = format!("Bearer {}", app.key);
    let mut all = vec![
        ("Authorization", authorization.as_str()),
        ("Content-Type", "application/json"),
        ("Accept", "application/json, text/event-stream"),
    ];
    all.extend_from_slice(fields);
    http::request(method, &format!("http://{}/mcp", app.door), &all, body.as_bytes())
}

fn modern(method: &str, params: Value) -> String {
    let mut params = params;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    json!({ "jsonrpc": "2.0", "id": "m", "method": method, "params": params }).to_string()
}

#[test]
fn a_session_is_its_callers_alone_and_ends_when_it_says_so() {
    let pair = Pair::open();
    let (app, other) = (pair.house.client("app", &[]), pair.house.client("other", &[]));
    let hello = sends(&app, "POST", &[], HELLO);
    let id = hello.header("mcp-session-id").unwrap_or_else(|| panic!("no session: {hello:?}")).to_owned();
    let session = [("Mcp-Session-Id", id.as_str())];
    assert_eq!(sends(&app, "POST", &session, LIST).json()["result"]["tools"][0]["name"], "status");
    assert_eq!(sends(&other, "POST", &session, LIST).status, 404);
    assert_eq!(sends(&app, "POST", &[("Mcp-Session-Id", "guess")], LIST).status, 404);
    assert_eq!(sends(&app, "POST", &[], LIST).status, 400, "it is in no session");
    assert_eq!(sends(&other, "DELETE", &session, "").status, 404);
    assert!(sends(&app, "DELETE", &session, "").status < 300);
    assert_eq!(sends(&app, "POST", &session, LIST).status, 404);
    let batch = sends(&app, "POST", &[], &format!("[{LIST}]"));
    assert_eq!((batch.status, &batch.json()["error"]["code"]), (400, &json!(-32600)));
}

#[test]
fn a_modern_request_speaks_for_itself() {
    let pair = Pair::open();
    let app = pair.house.client("app", &[]);
    let fields = |method: &'static str| [("MCP-Protocol-Version", "2026-07-28"), ("Mcp-Method", method)];
    let listed = sends(&app, "POST", &fields("tools/list"), &modern("tools/list", json!({})));
    let told = listed.json();
    assert_eq!((listed.status, listed.header("mcp-session-id")), (200, None));
    assert_eq!((&told["result"]["cacheScope"], &told["result"]["resultType"]), (&json!("private"), &json!("complete")));
    let discovered = sends(&app, "POST", &fields("server/discover"), &modern("server/discover", json!({}))).json();
    assert!(discovered["result"]["supportedVersions"].to_string().contains("2026-07-28"), "{discovered}");

    let refused = |fields: &[(&str, &str)], body: String, status: u16, code: i64| {
        let answer = sends(&app, "POST", fields, &body);
        assert_eq!((answer.status, answer.json()["error"]["code"].as_i64()), (status, Some(code)), "{body}");
    };
    let call = || modern("tools/call", json!({ "name": "odd__plain", "arguments": {} }));
    refused(&fields("tools/list"), LIST.to_owned(), 400, -32602);
    refused(&fields("tools/list"), call(), 400, -32020);
    refused(&fields("tools/call"), call(), 400, -32020);
    refused(&fields("ping"), modern("ping", json!({})), 404, -32601);
    let future = call().replace("2026-07-28", "2099-01-01");
    let future_fields = [("MCP-Protocol-Version", "2099-01-01"), ("Mcp-Method", "tools/call"), ("Mcp-Name", "status")];
    refused(&future_fields, future.replace("odd__plain", "status"), 400, -32022);
    assert_eq!(sends(&app, "GET", &fields("tools/list"), "").status, 405);
    assert_eq!(sends(&app, "DELETE", &fields("tools/list"), "").status, 405);
}

#[test]
fn closing_the_stream_of_a_modern_call_calls_it_off_at_its_server() {
    let pair = Pair::open();
    let app = pair.house.client("app", &[]);
    let seen = || http::get(&format!("{}/__seen", pair.odd.said("origin")), &[]).json();
    let mut wire = app.wire();
    let body = modern("tools/call", json!({ "name": "odd__slow", "arguments": {} }));
    let (door, key) = (&app.door, &app.key);
    wire.send(format!(
        "POST /mcp HTTP/1.1\r\nHost: {door}\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\n\
         Mcp-Name: odd__slow\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    waits(|| seen() == json!([{ "begun": "slow" }]));
    drop(wire);
    waits(|| seen() == json!([{ "begun": "slow" }, { "cancelled": "slow" }]));
}

/// Asks again until it is so.
#[track_caller]
fn waits(is_so: impl Fn() -> bool) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !is_so() {
        assert!(std::time::Instant::now() < end, "it does not come to that");
        std::thread::yield_now();
    }
}
