//! Server to client: statuses and bodies pass unchanged, and each piece as soon as it is there.

use std::fmt::Write as _;

use keybearer_testkit::upstream::Reply;

use super::{Street, call};

/// A stream as a server with its own ideas writes it.
const STREAM: &str = concat!(
    "\u{feff}retry: 1500\n\n",
    ": a comment\r\n:\r\n\r\n",
    "data:\n\n",
    "id: 7\rdata: {\"jsonrpc\":\"2.0\",\r",
    "data:  \"method\":\"notifications/progress\"}\r\r",
    "event: message\nid: häßlich\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":\"😀\\ud800\"}\n\n",
    "unknown: field\ndata\n\n",
    "data: {\"jsonrpc\": \"2.0\",\"id\": 1,\"result\":{\"big\":1e400 }}\n\n",
    ": an event that never ends\ndata: x"
);

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_arrives_byte_for_byte_whatever_its_pieces() {
    let street = Street::build().await;
    for size in [1, 2, 5, 17, STREAM.len()] {
        let (reply, stream) = Reply::sse();
        street.upstream.will(reply);
        let mut wire = street.app.wire();
        wire.send(street.app.post_bytes("crm", &[], call(1).as_bytes()));
        STREAM.as_bytes().chunks(size).for_each(|piece| {
            stream.send(piece);
        });
        stream.finish();
        let (head, body) = wire.answer().unwrap();
        assert_eq!((head.status(), head.field("content-type").as_deref()), (200, Some("text/event-stream")));
        assert!(body.whole);
        assert_eq!(String::from_utf8_lossy(&body.bytes), STREAM, "in pieces of {size}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_piece_of_a_stream_arrives_before_the_next_one_is_there() {
    let street = Street::build().await;
    let (reply, stream) = Reply::sse();
    street.upstream.will(reply);
    let mut wire = street.app.wire();
    wire.send(street.app.post_bytes("crm", &[], call(1).as_bytes()));
    let head = wire.head().unwrap();
    let mut sent = String::new();
    for piece in STREAM.split_inclusive('\n') {
        stream.send(piece);
        sent.push_str(piece);
        let body = wire.body(&head, |body| body.bytes.len() >= sent.len());
        assert_eq!(String::from_utf8_lossy(&body.bytes), sent);
        assert!(!body.whole);
    }
    stream.finish();
    assert!(wire.answer().unwrap().1.whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_become_lines_over_stdio_while_the_stream_goes_on() {
    let street = Street::build().await;
    let (reply, stream) = Reply::sse();
    street.upstream.will(reply);
    let mut bridge = street.house.bridge("crm");
    bridge.send(call(1) + "\n");
    let (progress, result) = STREAM.split_at(STREAM.find("unknown").unwrap());
    progress.as_bytes().chunks(3).for_each(|piece| {
        stream.send(piece);
    });
    let line = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    // A line break in an event's data is white space between two tokens of JSON; a line has none.
    assert_eq!(line(bridge.line()), r#"{"jsonrpc":"2.0",  "method":"notifications/progress"}"#);
    let message = r#"{"jsonrpc":"2.0","method":"notifications/message","params":"😀\ud800"}"#;
    assert_eq!(line(bridge.line()), message);
    stream.send(result);
    assert_eq!(line(bridge.line()), r#"{"jsonrpc": "2.0","id": 1,"result":{"big":1e400 }}"#);
    stream.finish();
    let (left, status, _) = bridge.end();
    assert_eq!((left.len(), status.code()), (0, Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_and_bodies_pass_as_they_are() {
    let street = Street::build().await;
    let odd = "{ \"jsonrpc\":\"2.0\",\r\n \"id\":1,\"result\":{\"n\":1e400,\"n\":2,\"x\":\"\\ud800\"} }\n";
    let gone = r#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}"#;
    let mut told = String::new();
    for (status, kind, body) in [
        (200, "application/json", odd),
        (200, "application/json; charset=utf-8", "not JSON at all"),
        (200, "text/event-stream", ""),
        (202, "application/json", ""),
        (400, "application/json", odd),
        (404, "application/json", gone),
        (404, "text/html", "<html>\0no such page"),
        (405, "text/plain", "no\n"),
        (406, "application/json", ""),
        (429, "text/plain", "slowly"),
        (500, "text/plain", "\u{1b}[31mbroken"),
        (503, "application/json", odd),
    ] {
        street.upstream.will(Reply::with_body(status, kind, body));
        let answer = street.app.post("crm", call(1));
        writeln!(told, "{status}").unwrap();
        assert_eq!((answer.status, answer.header("content-type")), (status, Some(kind)), "after {told}");
        assert_eq!(String::from_utf8_lossy(&answer.body), body, "after {told}");
    }
    assert_eq!(street.upstream.requests().len(), 12, "nothing was sent twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_needs_no_answer_gets_an_empty_202() {
    let street = Street::build().await;
    let notification = r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#;
    let response = r#"{"jsonrpc":"2.0","id":"of-the-server","result":{}}"#;
    for message in [notification, response] {
        let answer = street.app.post("crm", message);
        assert_eq!((answer.status, answer.body.len()), (202, 0));
        assert_eq!(street.upstream.next().await.unwrap().body, message.as_bytes());
    }
    let mut bridge = street.house.bridge("crm");
    bridge.send(format!("{notification}\n{response}\n{}\n", call(5)));
    // The only line is the answer to the only request.
    assert!(String::from_utf8_lossy(&bridge.line()).contains("\"id\":5"));
    assert!(bridge.end().0.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_ends_the_stream_upstream() {
    let street = Street::build().await;
    let (reply, mut stream) = Reply::sse();
    street.upstream.will(reply);
    let mut wire = street.app.wire();
    wire.send(street.app.post_bytes("crm", &[], call(1).as_bytes()));
    stream.send("data: 1\n\n");
    let head = wire.head().unwrap();
    wire.body(&head, |body| !body.bytes.is_empty());
    drop(wire);
    tokio::time::timeout(std::time::Duration::from_secs(30), stream.client_left()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_a_client_opens_and_sessions_that_it_ends_pass_too() {
    let street = Street::build().await;
    street.open_session("s-1");
    street.upstream.next().await.unwrap();
    let (reply, stream) = Reply::sse();
    street.upstream.will(reply);
    let mut wire = street.app.wire();
    let head = |method: &str| {
        let head = street.app.post_head("crm", &["Mcp-Session-Id: s-1", "Last-Event-ID: 42"]);
        head.replacen("POST", method, 1)
    };
    wire.send(head("GET"));
    stream.send(STREAM);
    let came = wire.head().unwrap();
    let body = wire.body(&came, |body| body.bytes.len() >= STREAM.len());
    assert_eq!(String::from_utf8_lossy(&body.bytes), STREAM);
    let seen = street.upstream.next().await.unwrap();
    assert_eq!((seen.method.as_str(), seen.header("last-event-id")), ("GET", Some("42")));
    let mut wire = street.app.wire();
    wire.send(head("DELETE"));
    assert_eq!(wire.answer().unwrap().0.status(), 200);
    let seen = street.upstream.next().await.unwrap();
    assert_eq!((seen.method.as_str(), seen.header("mcp-session-id")), ("DELETE", Some("s-1")));
}
