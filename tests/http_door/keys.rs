//! SEC-12 and SEC-13: client keys, where they may stand, and their end.

use std::time::{Duration, Instant};

use keybearer_stories::search;
use keybearer_testkit::upstream::Reply;
use serde_json::Value;

use super::{CALL, Street, assert_tells_nothing};

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_a_key_is_long_and_stands_in_no_file() {
    let mut street = Street::build().await;
    street.assert_good_call();
    let key = street.app.key.clone();
    let random = key.strip_prefix("kb_").unwrap();
    // 43 characters of base64url are 256 bits.
    assert!(random.len() >= 43 && random.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
    assert_ne!(street.house.client("another-app", &[]).key, key);
    for shown in [vec!["clients", "list", "--json"], vec!["clients", "list"], vec!["status", "--json"]] {
        let shown = street.house.run(&shown);
        assert!(!shown.out.contains(random), "{}", shown.out);
    }
    assert!(!street.house.core().logged().contains(random));
    street.house.stop();
    search::assert_nowhere(street.house.home.path(), &[random.to_owned()]);
    street.house.restart();
    assert_eq!(street.app.post("wiki", CALL).status, 200, "the core knows the key by its digest");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_12_a_revoked_key_is_refused_at_once_and_its_streams_are_cut_within_a_second() {
    let street = Street::build().await;
    let staying = street.house.client("another-app", &[]);
    let (reply, mut stream) = Reply::sse();
    street.upstream.will(reply);
    let mut open = street.app.wire();
    open.send(street.app.post_bytes("crm", &[], CALL.as_bytes()));
    stream.send("data: 1\n\n");
    let head = open.head().unwrap();
    assert!(!open.body(&head, |body| !body.bytes.is_empty()).whole);
    let mut idle = street.app.wire();
    idle.send(street.app.post_bytes("wiki", &[], CALL.as_bytes()));
    assert_eq!(idle.answer().unwrap().0.status(), 200);

    street.house.run(&["clients", "revoke", "chat-app", "--json"]).json();
    let revoked = Instant::now();
    assert!(open.hangs_up());
    assert!(revoked.elapsed() < Duration::from_secs(1), "the stream lived on for {:?}", revoked.elapsed());
    assert!(!open.body(&head, |_| false).whole, "a cut is no end in good order");
    tokio::time::timeout(Duration::from_secs(30), stream.client_left()).await.unwrap();
    let before = street.arrived();
    idle.send(street.app.post_bytes("wiki", &[], CALL.as_bytes()));
    let refused = idle.answer().unwrap();
    assert_eq!(refused.0.status(), 401);
    assert_tells_nothing("an old connection", &refused);
    assert_eq!(street.app.post("crm", CALL).status, 401);
    assert_eq!(street.arrived(), before);
    assert_eq!(staying.post("crm", CALL).status, 200, "another client is not touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_13_a_key_counts_in_its_header_alone_and_is_not_logged_elsewhere() {
    let mut street = Street::build().await;
    let (key, door) = (street.app.key.clone(), street.app.door.clone());
    let head = |target: &str, fields: &str| {
        let length = CALL.len();
        format!(
            "POST {target} HTTP/1.1\r\nHost: {door}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{fields}\r\n{CALL}"
        )
    };
    let good = format!("Authorization: Bearer {key}\r\n");
    for (target, fields) in [
        (format!("/mcp/crm?key={key}"), String::new()),
        (format!("/mcp/crm?access_token={key}"), String::new()),
        (format!("/mcp/crm?key={key}"), good.clone()),
        ("/mcp/crm?".to_owned(), good.clone()),
        ("/mcp/crm".to_owned(), format!("Cookie: key={key}\r\n")),
        ("/mcp/crm".to_owned(), format!("Cookie: Authorization=Bearer {key}\r\n")),
        (format!("/mcp/{key}/crm"), String::new()),
        (format!("/mcp/crm/{key}"), good.clone()),
        (format!("/{key}/mcp/crm"), String::new()),
        (format!("/mcp/{key}@crm"), String::new()),
        (format!("http://{key}@{door}/mcp/crm"), String::new()),
        ("/mcp/crm".to_owned(), format!("X-API-Key: {key}\r\n")),
        ("/mcp/crm".to_owned(), format!("Proxy-Authorization: Bearer {key}\r\n")),
        ("/mcp/crm".to_owned(), format!("Authorization: {key}\r\n")),
        ("/mcp/crm".to_owned(), format!("Authorization: Basic {key}\r\n")),
        ("/mcp/crm".to_owned(), format!("Authorization: Bearer {key}x\r\n")),
        ("/mcp/crm".to_owned(), format!("Authorization: Bearer {}\r\n", &key[..key.len() - 1])),
        ("/mcp/crm".to_owned(), format!("Authorization: Bearer {}\r\n", key.to_uppercase())),
        ("/mcp/crm".to_owned(), format!("Authorization: Bearer  {key}\r\n")),
        ("/mcp/crm".to_owned(), format!("Authorization: Bearer {key}, Bearer {key}\r\n")),
        ("/mcp/crm".to_owned(), format!("{good}{good}")),
        ("/mcp/crm".to_owned(), format!("Authorization: Bearer {}\r\n", key.trim_start_matches("kb_"))),
        ("/mcp/crm".to_owned(), "Authorization: Bearer \r\n".to_owned()),
        ("/mcp/crm".to_owned(), "Authorization: Bearer\r\n".to_owned()),
    ] {
        let answer = street.knock(head(&target, &fields));
        let what = format!("{target} {fields}");
        assert_tells_nothing(&what, &answer);
        assert!(matches!(answer.0.status(), 401 | 403 | 404), "{what}: {}", answer.0.status());
    }
    assert_eq!(street.arrived(), 0);
    street.assert_good_call();
    assert!(!street.house.core().logged().contains(&key));
    street.house.stop();
    search::assert_nowhere(street.house.home.path(), &[key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_of_one_server_uses_that_one_alone() {
    let mut street = Street::build().await;
    let limited = street.house.client("crm-app", &["crm"]);
    assert_eq!(limited.post("crm", CALL).status, 200);
    for message in [CALL, r#"{"jsonrpc":"2.0","id":"a","method":"initialize","params":{}}"#] {
        let answer: Value = serde_json::from_slice(&limited.post("wiki", message).body).unwrap();
        assert_eq!(answer["error"]["code"], -31_002, "{answer}");
    }
    for method in ["GET", "DELETE"] {
        let mut wire = limited.wire();
        wire.send(limited.post_head("wiki", &[]).replacen("POST", method, 1));
        assert_eq!(wire.answer().unwrap().0.status(), 403, "{method}");
    }
    assert_eq!(limited.post("wiki", r#"{"jsonrpc":"2.0","method":"notifications/x"}"#).status, 403);
    assert_eq!(street.wiki.requests().len(), 0);
    let denied = street.house.recorded_calls().into_iter().filter(|record| record["outcome"] == "denied");
    assert_eq!(denied.filter(|record| record["client"] == "crm-app" && record["server"] == "wiki").count(), 5);
}
