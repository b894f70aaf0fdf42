//! What is no message that can be judged is refused with a reason, and reaches nobody.

use serde_json::Value;

use super::{CALL, Street, assert_tells_nothing};

const LARGEST: usize = 4 << 20;

/// A call of exactly this many bytes.
fn call_of(size: usize) -> String {
    let frame = r#"{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"a"},"x":""}"#;
    frame.replace("\"x\":\"\"", &format!("\"x\":\"{}\"", "y".repeat(size - frame.len())))
}

/// Messages that cannot be judged, with the code and the word that say so.
const UNJUDGED: &[(&str, i64, &str)] = &[
    ("", -32700, "not_json"),
    ("{", -32700, "not_json"),
    ("nonsense", -32700, "not_json"),
    ("{'jsonrpc':'2.0'}", -32700, "not_json"),
    (r#"{"jsonrpc":"2.0","id":1,"method":"ping",}"#, -32700, "not_json"),
    (r#"{"jsonrpc":"2.0","id":01,"method":"ping"}"#, -32700, "not_json"),
    (r#"{"jsonrpc":"2.0","id":NaN,"method":"ping"}"#, -32700, "not_json"),
    (r#"{"jsonrpc":"2.0","id":1,"method":"ping"} {"jsonrpc":"2.0","id":2,"method":"ping"}"#, -32700, "trailing_bytes"),
    (r#"{"jsonrpc":"2.0","id":1,"method":"ping"}x"#, -32700, "trailing_bytes"),
    (r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}"#, -32600, "duplicate_key"),
    (r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#, -32600, "duplicate_key"),
    (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","name":"b"}}"#, -32600, "duplicate_key"),
    (
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","n\u0061me":"b"}}"#,
        -32600,
        "duplicate_key",
    ),
    (r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":[{"b":{"c":1,"c":1}}]}}"#, -32600, "duplicate_key"),
    (r#"{"jsonrpc":"2.0","id":1,"Method":"tools/call","method":"ping"}"#, -32600, "not_json_rpc"),
    (r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#, -32600, "not_json_rpc"),
    (r#"{"id":1,"method":"ping"}"#, -32600, "not_json_rpc"),
    (r#"{"jsonrpc":"2.0","id":1}"#, -32600, "not_json_rpc"),
    (r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#, -32600, "not_json_rpc"),
    (r#"{"jsonrpc":"2.0","id":1,"method":7}"#, -32600, "not_json_rpc"),
    (r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{}}"#, -32600, "not_json_rpc"),
    ("7", -32600, "not_json_rpc"),
    ("null", -32600, "not_json_rpc"),
    ("[]", -32600, "not_json_rpc"),
    (r#"[{"jsonrpc":"2.0","id":1,"method":"ping"},{"jsonrpc":"2.0","method":7}]"#, -32600, "not_json_rpc"),
    (r#"[[{"jsonrpc":"2.0","id":1,"method":"ping"}]]"#, -32600, "not_json_rpc"),
];

#[track_caller]
fn check_told(told: &[u8], message: &str, code: i64, word: &str) {
    let error: Value = serde_json::from_slice(told).unwrap_or_else(|_| panic!("{message}: no JSON"));
    assert_eq!((&error["jsonrpc"], &error["id"]), (&"2.0".into(), &Value::Null), "{message}: {error}");
    assert_eq!(
        (error["error"]["code"].as_i64(), error["error"]["data"]["code"].as_str()),
        (Some(code), Some(word)),
        "{message}: {error}"
    );
    assert!(error["error"]["message"].as_str().is_some_and(|text| !text.is_empty()));
}

fn nested(depth: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{}{}}}"#, "[".repeat(depth), "]".repeat(depth))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_judged_is_refused_over_http() {
    let street = Street::build().await;
    for &(message, code, word) in UNJUDGED {
        let answer = street.app.post("crm", message);
        assert_eq!(answer.status, 400, "{message}");
        check_told(&answer.body, message, code, word);
    }
    for (message, word) in [
        (&b"{\"jsonrpc\":\"2.0\",\"id\":\"\xff\",\"method\":\"ping\"}"[..], "not_utf8"),
        (b"\xff\xfe{\0}\0", "not_utf8"),
    ] {
        check_told(&street.app.post("crm", message).body, "not UTF-8", -32700, word);
    }
    check_told(&street.app.post("crm", nested(200)).body, "deep", -32600, "too_deep");
    assert_eq!(street.arrived(), 0);
    assert_eq!(street.app.post("crm", nested(60)).status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_judged_is_refused_over_stdio_and_the_next_message_works() {
    let street = Street::build().await;
    let mut bridge = street.house.bridge("crm");
    let mut good = 0;
    for &(message, code, word) in UNJUDGED.iter().filter(|(message, ..)| !message.is_empty()) {
        bridge.send(format!("{message}\n"));
        check_told(&bridge.line(), message, code, word);
        assert_eq!(street.upstream.requests().len(), good, "{message} reached the server");
        bridge.send(format!("{CALL}\n"));
        assert!(String::from_utf8_lossy(&bridge.line()).contains("\"result\""), "after {message}");
        good += 1;
    }
    bridge.send(b"{\"x\":\"\xff\"}\n");
    check_told(&bridge.line(), "not UTF-8", -32700, "not_utf8");
    // Empty lines say nothing, and get no answer.
    bridge.send("\n\r\n  \n");
    let (left, status, _) = bridge.end();
    assert_eq!((left.len(), status.code(), street.upstream.requests().len()), (0, Some(0), good));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_too_large_is_refused_over_http() {
    let street = Street::build().await;
    let largest = call_of(LARGEST);
    assert_eq!(street.app.post("crm", &largest).status, 200);
    assert_eq!(street.upstream.next().await.unwrap().body, largest.as_bytes());
    let before = street.arrived();
    let answer = street.app.post("crm", call_of(LARGEST + 1));
    assert_eq!((answer.status, answer.body.len()), (413, 0));
    // Told before it is sent: nobody waits for the body.
    let mut wire = street.app.wire();
    wire.send(street.app.post_head("crm", &["Content-Length: 99999999999"]));
    let answer = wire.answer().unwrap();
    assert_tells_nothing("an announced body", &answer);
    assert_eq!(answer.0.status(), 413);
    // In chunks nobody knows before.
    let mut wire = street.app.wire();
    wire.send(street.app.post_head("crm", &["Transfer-Encoding: chunked"]));
    let chunk = [b"10000\r\n", vec![b' '; 0x1_0000].as_slice(), b"\r\n"].concat();
    (0..=LARGEST / 0x1_0000).for_each(|_| wire.send(&chunk));
    let answer = wire.answer().unwrap();
    assert_tells_nothing("an endless body", &answer);
    assert_eq!(answer.0.status(), 413);
    assert_eq!(street.arrived(), before);
    street.assert_good_call();
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_no_key_need_not_send_a_body() {
    let street = Street::build().await;
    for (head, status) in [
        (street.app.post_head("crm", &["Content-Length: 4000000"]).replace("Bearer kb_", "Bearer kb"), 401),
        (street.app.post_head("crm", &["Content-Length: 4000000", "Origin: http://evil.test"]), 403),
        (street.app.post_head("CRM", &["Content-Length: 4000000"]), 404),
    ] {
        let mut wire = street.app.wire();
        wire.send(head);
        let answer = wire.answer().unwrap();
        assert_tells_nothing("a head alone", &answer);
        assert_eq!(answer.0.status(), status);
    }
    assert_eq!(street.arrived(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_too_long_is_refused_over_stdio_and_the_next_one_works() {
    let street = Street::build().await;
    let mut bridge = street.house.bridge("crm");
    for size in [LARGEST + 1, LARGEST + 2, 3 * LARGEST] {
        bridge.send(call_of(size) + "\n");
        check_told(&bridge.line(), "a long line", -32600, "too_large");
        bridge.send(format!("{CALL}\n"));
        assert!(String::from_utf8_lossy(&bridge.line()).contains("\"result\""), "after {size} bytes");
    }
    assert_eq!(street.upstream.requests().len(), 3);
    let largest = call_of(LARGEST);
    bridge.send(format!("{largest}\n"));
    assert!(String::from_utf8_lossy(&bridge.line()).contains("\"result\""));
    assert_eq!(street.upstream.requests()[3].body, largest.as_bytes());
    // One that breaks off is none.
    bridge.send(&CALL[..20]);
    assert!(bridge.end().0.is_empty());
    assert_eq!(street.upstream.requests().len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_breaks_off_is_no_message() {
    let street = Street::build().await;
    let length = format!("Content-Length: {}", CALL.len());
    let whole = street.app.post_head("crm", &[&length]);
    let chunked = street.app.post_head("crm", &["Transfer-Encoding: chunked"]);
    let chunk = format!("{:x}\r\n{CALL}\r\n", CALL.len());
    let cuts = [0, 1, CALL.len() / 2, CALL.len() - 1].map(|cut| whole.clone() + &CALL[..cut]);
    let chunk_cuts =
        [0, 1, 4, chunk.len() / 2, chunk.len() - 1, chunk.len()].map(|cut| chunked.clone() + &chunk[..cut]);
    for bytes in cuts.into_iter().chain(chunk_cuts) {
        if let Some(answer) = street.babble(&bytes) {
            assert_tells_nothing(&bytes, &answer);
        }
        assert_eq!(street.arrived(), 0, "{bytes} reached a server");
    }
    street.assert_good_call();
}
