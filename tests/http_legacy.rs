//! Servers of the transport of 2024-11-05, which name an address for messages in the first event of a stream.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "a real client program is started")]

use std::process::Command;
use std::time::{Duration, Instant};

use keybearer_stories::house::{ALLOW_ALL, App, House};
use keybearer_stories::parts::{self, Part};
use keybearer_stories::wire::Wire;
use keybearer_testkit::upstream::{FakeUpstream, Reply};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}"#;

/// Opens a stream at the server and returns it with what its first event says.
fn open(app: &App, enough: impl Fn(&str) -> bool) -> (Wire, String) {
    let mut wire = app.wire();
    wire.send(app.post_head("old", &["Accept: text/event-stream"]).replacen("POST", "GET", 1));
    let head = wire.head().unwrap();
    let body = wire.body(&head, |body| enough(&String::from_utf8_lossy(&body.bytes)));
    (wire, String::from_utf8(body.bytes).unwrap())
}

fn is_event(text: &str) -> bool {
    text.contains("\n\n")
}

/// Posts a message to an address that a stream named.
fn post_to(app: &App, address: &str) -> u16 {
    let mut wire = app.wire();
    let request = String::from_utf8(app.post_bytes("old", &[], CALL.as_bytes())).unwrap();
    wire.send(request.replacen("/mcp/old", address, 1));
    wire.answer().unwrap().0.status()
}

fn house(url: &str) -> House {
    House::open(&format!("[servers.old]\nurl = \"{url}\"\nauth = \"none\"\n{ALLOW_ALL}"))
}

#[test]
fn the_official_client_and_server_of_that_time_meet_through_the_door() {
    let server = Part::start("sse_server.mjs", &[]);
    let mut house = House::open(ALLOW_ALL);
    let secret = house.server_with_header("old", server.said("url"));
    let app = house.client("chat-app", &[]);
    let mut client = Command::new(parts::node());
    client.arg(parts::script("client_sse.mjs")).args(["sdk", &format!("http://{}/mcp/old", app.door)]);
    client.args(["--call", "echo", r#"{"text":"hello"}"#]).env("HEADER", format!("Authorization: Bearer {}", app.key));
    let report = parts::report_of(client);
    assert_eq!((&report["ok"], &report["server"]), (&true.into(), &"sse-server".into()), "{report}");
    assert_eq!(report["results"][0]["text"], "hello");
    let seen = server.ask("/__seen");
    let seen = seen.as_array().unwrap();
    assert!(seen.len() >= 4, "a stream and messages: {seen:?}");
    for request in seen {
        assert_eq!(request["key"], secret.as_str(), "the credential goes with the stream and with each message");
        assert!(request["authorization"].is_null(), "the client's key stays here");
    }
    let calls = house.recorded_calls();
    let methods: Vec<_> = calls.iter().filter_map(|call| call["method"].as_str()).collect();
    for method in ["GET", "initialize", "tools/list", "tools/call"] {
        assert!(methods.contains(&method), "{method} is not on record: {methods:?}");
    }
}

#[test]
fn an_address_is_the_caller_s_own_and_ends_with_its_stream() {
    let server = Part::start("sse_server.mjs", &[]);
    let house = house(server.said("url"));
    let (app, other) = (house.client("chat-app", &[]), house.client("other-app", &[]));
    let (stream, told) = open(&app, is_event);
    let address = told.strip_prefix("event: endpoint\ndata: ").and_then(|rest| rest.split('\n').next()).unwrap();
    assert!(address.starts_with("/mcp/old/messages/"), "{told}");
    assert!(!told.contains("sessionId"), "the server's own address is not told: {told}");
    assert_eq!(post_to(&other, address), 404);
    assert_eq!(post_to(&app, "/mcp/old/messages/0123456789abcdef0123456789abcdef"), 404);
    assert_eq!(post_to(&app, address), 202);
    drop(stream);
    let end = Instant::now() + Duration::from_secs(30);
    while post_to(&app, address) != 404 {
        assert!(Instant::now() < end, "the address outlives its stream");
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_of_another_origin_gets_nothing() {
    let (upstream, elsewhere) = (FakeUpstream::open().await.unwrap(), FakeUpstream::open().await.unwrap());
    let mut house = house(&upstream.url());
    let app = house.client("chat-app", &[]);
    let (reply, stream) = Reply::sse();
    upstream.will(reply);
    stream.send(format!("event: endpoint\ndata: {}\n\n", elsewhere.url()));
    let (mut wire, told) = open(&app, |_| false);
    assert_eq!(told, "", "nothing of it is passed on");
    assert!(wire.hangs_up());
    drop(stream);
    assert_eq!(elsewhere.requests().len(), 0);
    assert_eq!(house.recorded_calls().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_later_versions_passes_byte_for_byte() {
    let upstream = FakeUpstream::open().await.unwrap();
    let house = house(&upstream.url());
    let app = house.client("chat-app", &[]);
    for text in
        [": hello\n\nid: 1\ndata:\n\ndata: {}\n\n", "data: {\"method\":\"x\"}\r\n\r\nevent: endpoint\ndata: /x\n\n"]
    {
        let (reply, stream) = Reply::sse();
        upstream.will(reply);
        for byte in text.bytes() {
            stream.send([byte]);
        }
        stream.finish();
        assert_eq!(open(&app, |_| false).1, text);
    }
    // One that ends within its first event loses nothing of it.
    let (reply, stream) = Reply::sse();
    upstream.will(reply);
    stream.send("data: cut");
    stream.finish();
    assert_eq!(open(&app, |_| false).1, "data: cut");
}
