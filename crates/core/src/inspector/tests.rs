use http::header::{AUTHORIZATION, HeaderMap, HeaderValue};
use serde_json::json;

use super::cut::messages;
use super::*;

const BEARER: &str = "Bearer cAnArY-attached";

fn shown(body: &str) -> Messages {
    messages(body.as_bytes(), body.len() as u64, &[HeaderValue::from_static(BEARER)])
}

#[track_caller]
fn never(body: &str, secret: &str) {
    let shown = shown(body);
    assert!(!shown.texts.concat().contains(secret), "{shown:?}");
    assert!(shown.cut > 0 || shown.withheld, "{shown:?}");
}

#[test]
fn a_message_is_shown_as_it_is_but_for_its_secrets() {
    let call =
        json!({"method": "tools/call", "params": {"name": "find", "arguments": {"city": "Berlin", "limit": 10}}});
    let shown = shown(&call.to_string());
    assert_eq!((shown.cut, shown.withheld), (0, false));
    assert_eq!(serde_json::from_str::<serde_json::Value>(&shown.texts[0]).unwrap(), call);
}

#[test]
fn sec_72_what_tells_or_looks_like_a_secret_is_cut() {
    let under = |name: &str| json!({"params": {"arguments": {name: "hunter2"}}}).to_string();
    for name in ["password", "db_password", "apiKey", "X-Api-Key", "client_secret", "accessToken", "PIN", "Cookie"] {
        never(&under(name), "hunter2");
    }
    never(&json!({"headers": {"Authorization": ["Basic", "hunter2"]}}).to_string(), "hunter2");
    never(&json!({"token": {"value": "hunter2"}}).to_string(), "hunter2");
    for text in [
        "the password: hunter2 works",
        "password=hunter2",
        "Authorization: Bearer hunter2",
        "https://x.test/?access_token=hunter2&q=1",
        "use cAnArY-attached there",
        "-----BEGIN RSA PRIVATE KEY-----\ncAnArY\n-----END",
        "{\"password\":\"hunter2\"}",
        "key 9fA3kQ0zLmN8vB2xYc7TdEwS",
        "0123456789abcdef0123456789abcdef01",
    ] {
        let body = json!({"result": {"content": [{"type": "text", "text": text}]}}).to_string();
        let secrets = ["hunter2", "cAnArY", "9fA3kQ0zLmN8vB2xYc7TdEwS", "0123456789abcdef0123456789abcdef01"];
        secrets.iter().for_each(|secret| never(&body, secret));
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in ["quarterly-reports-of-the-whole-company-archive", "2026-11-30T10:42:00.000Z", "Tokens are cheap."] {
        assert_eq!(shown(&json!({"text": text, "progressToken": 7, "max_tokens": 100}).to_string()).cut, 0, "{text}");
    }
}

#[test]
fn a_stream_is_its_messages_and_what_cannot_be_read_is_withheld() {
    let stream = "event: message\ndata: {\"a\":1}\n\n: comment\n\ndata: {\"b\":\r\ndata: 2}\r\n\r\n";
    let seen = shown(stream);
    assert_eq!((seen.texts.len(), seen.withheld), (2, false));
    for broken in ["password hunter2", "data: hunter2\n\n", "{\"password\":\"hun"] {
        let seen = shown(broken);
        assert!(seen.withheld && seen.texts.is_empty(), "{seen:?}");
    }
    // What was too large came without its bytes.
    let large = messages(b"", 1 << 20, &[]);
    assert!(large.withheld && large.bytes == 1 << 20);
    assert_eq!(messages(b"", 0, &[]), Messages::default());
}

fn exchange(inspector: &Inspector, body: &[u8]) {
    let mut watched = inspector.watch().unwrap();
    let came = HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::from_static("Bearer key"))]);
    watched.headers(&came, &HeaderMap::new());
    watched.credential(&AUTHORIZATION, &HeaderValue::from_static(BEARER));
    watched.sent(body);
    watched.answered(200);
    watched.got(br#"{"result":"#);
    watched.got(br#"{"echo":"Bearer cAnArY-attached"}}"#);
}

#[tokio::test]
async fn sec_72_nothing_is_kept_unless_somebody_looks_and_nothing_after() {
    let inspector = Inspector::default();
    assert!(inspector.watch().is_none(), "nobody looks");
    let mut look = inspector.look().unwrap();
    assert!(inspector.look().is_none(), "one at a time");
    exchange(&inspector, br#"{"id":1}"#);
    let seen = look.next().await;
    assert_eq!((seen.len(), seen[0].number, seen[0].status), (1, 1, Some(200)));
    assert_eq!(
        (seen[0].came.as_slice(), seen[0].stripped.as_slice()),
        (&["authorization".to_owned()][..], &["authorization".to_owned()][..])
    );
    assert_eq!(seen[0].credential.as_deref(), Some("authorization"));
    assert!(!format!("{seen:?}").contains("cAnArY"), "{seen:?}");

    let under_way = inspector.watch().unwrap();
    drop(look);
    drop(under_way);
    assert!(inspector.watch().is_none());
    assert!(inspector.kept().is_empty());
}

#[tokio::test]
async fn few_are_kept_and_few_are_watched() {
    let inspector = Inspector::default();
    let mut look = inspector.look().unwrap();
    (0..MOST + 10).for_each(|_| exchange(&inspector, b"{}"));
    let seen = look.next().await;
    assert_eq!((seen.len(), seen[0].number), (MOST, 11));

    let large = serde_json::to_vec(&json!({ "text": "word ".repeat(10_000) })).unwrap();
    (0..MOST).for_each(|_| exchange(&inspector, &large));
    let bytes: usize = look.next().await.iter().map(|one| one.sent.size()).sum();
    assert!((MOST_BYTES / 2..=MOST_BYTES).contains(&bytes), "{bytes}");

    let all: Vec<_> = std::iter::from_fn(|| inspector.watch()).collect();
    assert_eq!(all.len(), MOST_WATCHED);
    drop(all);
    assert!(inspector.watch().is_some());
}
