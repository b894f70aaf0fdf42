//! A session that a server opens is its caller's: nobody else gets on in it, and when it is gone the client is told so.

use keybearer_stories::house::{ALLOW_ALL, App, House};
use keybearer_testkit::client::http::HttpClient;
use keybearer_testkit::upstream::{FakeUpstream, Reply};
use keybearer_testkit::world::World;
use serde_json::{Value, json};

use super::CALL;

const INITIALIZE: &str =
    r#"{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;

struct Street {
    house: House,
    upstream: FakeUpstream,
    wiki: FakeUpstream,
}

impl Street {
    async fn build() -> Self {
        let (upstream, wiki) = (FakeUpstream::open().await.unwrap(), FakeUpstream::open().await.unwrap());
        let server = |name: &str, url: String| format!("[servers.{name}]\nurl = \"{url}\"\nauth = \"none\"\n");
        let servers = server("crm", upstream.url()) + &server("wiki", wiki.url());
        Self { house: House::open(&format!("{servers}{ALLOW_ALL}")), upstream, wiki }
    }
}

/// Sends one request with these fields and returns status, body and the session that was opened.
fn send(app: &App, method: &str, server: &str, fields: &[&str], body: &str) -> (u16, String, Option<String>) {
    let mut wire = app.wire();
    let request = String::from_utf8(app.post_bytes(server, fields, body.as_bytes())).unwrap();
    wire.send(request.replacen("POST", method, 1));
    let (head, body) = wire.answer().unwrap();
    (head.status(), String::from_utf8(body.bytes).unwrap(), head.field("mcp-session-id"))
}

/// Opens a session of the fake server, which calls each of them `session-1`.
fn open(app: &App, server: &str) -> String {
    let (status, _, session) = send(app, "POST", server, &[], INITIALIZE);
    assert_eq!(status, 200);
    format!("Mcp-Session-Id: {}", session.unwrap())
}

#[track_caller]
fn assert_gone(told: &(u16, String, Option<String>), id: &Value) {
    let error: Value = serde_json::from_str(&told.1).unwrap();
    assert_eq!((told.0, &error["id"]), (404, id), "{error}");
    assert_eq!(error["error"]["data"]["code"], "unknown_session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_serves_its_own_client_at_its_own_server() {
    let mut street = Street::build().await;
    let (app, other) = (street.house.client("chat-app", &[]), street.house.client("other-app", &[]));
    let session = open(&app, "crm");
    assert_eq!(send(&app, "POST", "crm", &[&session], CALL).0, 200);
    let before = street.upstream.requests().len();
    assert_gone(&send(&other, "POST", "crm", &[&session], CALL), &json!(1));
    assert_gone(&send(&other, "DELETE", "crm", &[&session], ""), &Value::Null);
    assert_gone(&send(&other, "GET", "crm", &[&session], ""), &Value::Null);
    assert_gone(&send(&app, "POST", "wiki", &[&session], CALL), &json!(1));
    assert_gone(&send(&app, "POST", "crm", &["Mcp-Session-Id: guessed"], CALL), &json!(1));
    assert_gone(&send(&app, "POST", "crm", &[&session, &session], CALL), &json!(1));
    assert_eq!(
        (street.upstream.requests().len(), street.wiki.requests().len()),
        (before, 0),
        "nothing reached a server"
    );
    // The other one gets its own, though this server gives everybody the same id.
    let theirs = open(&other, "crm");
    assert_eq!(theirs, session);
    assert_eq!(send(&other, "POST", "crm", &[&theirs], CALL).0, 200);
    assert_eq!(send(&app, "POST", "crm", &[&session], CALL).0, 200);
    let calls = street.house.recorded_calls();
    let refused = calls.iter().filter(|call| call["outcome"] == "unknown_session");
    assert_eq!(refused.count(), 6, "each of them is on record");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_ends_when_client_or_server_ends_it_and_with_the_core() {
    let mut street = Street::build().await;
    let app = street.house.client("chat-app", &[]);
    let session = open(&app, "crm");
    assert_eq!(send(&app, "DELETE", "crm", &[&session], "").0, 200);
    assert_gone(&send(&app, "POST", "crm", &[&session], CALL), &json!(1));
    // A server that does not let clients end it goes on.
    let session = open(&app, "crm");
    street.upstream.will(Reply::status(405));
    assert_eq!(send(&app, "DELETE", "crm", &[&session], "").0, 405);
    assert_eq!(send(&app, "POST", "crm", &[&session], CALL).0, 200);
    street.upstream.will(Reply::session_gone());
    let told = send(&app, "POST", "crm", &[&session], CALL);
    assert_eq!((told.0, told.1.contains("data")), (404, false), "in the server's own words: {}", told.1);
    let before = street.upstream.requests().len();
    assert_gone(&send(&app, "POST", "crm", &[&session], CALL), &json!(1));
    assert_eq!(street.upstream.requests().len(), before);
    let session = open(&app, "crm");
    street.house.restart();
    assert_gone(&send(&app, "POST", "crm", &[&session], CALL), &json!(1));
    let session = open(&app, "crm");
    assert_eq!(send(&app, "POST", "crm", &[&session], CALL).0, 200, "the client has initialised again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_registered_anew_has_no_old_sessions() {
    let street = Street::build().await;
    let app = street.house.client("chat-app", &[]);
    let session = open(&app, "crm");
    street.house.run(&["clients", "revoke", "chat-app", "--json"]).json();
    let again = street.house.client("chat-app", &[]);
    assert_gone(&send(&again, "POST", "crm", &[&session], CALL), &json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_modern_era_has_no_sessions() {
    let street = Street::build().await;
    let app = street.house.client("chat-app", &[]);
    let session = open(&app, "crm");
    street.upstream.next().await.unwrap();
    let reply = Reply::json(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#).header("Mcp-Session-Id", "of-no-use");
    street.upstream.will(reply);
    for (stale, opened) in [(session.as_str(), None), ("Mcp-Session-Id: guessed", None)] {
        let told = send(&app, "POST", "crm", &["MCP-Protocol-Version: 2026-07-28", stale], CALL);
        assert_eq!((told.0, told.2), (200, opened), "{}", told.1);
        assert_eq!(street.upstream.next().await.unwrap().header("mcp-session-id"), None);
    }
    assert_gone(&send(&app, "POST", "crm", &["Mcp-Session-Id: of-no-use"], CALL), &json!(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_account_at_the_server_gets_no_session_of_the_one_before() {
    let world = World::that_allows_all().await;
    let client = world.client("chat-app").await;
    assert!(client.call("raw", "get_account", json!({})).await.result().is_some());
    let list = || async { client.at("raw").list_tools().await.unwrap() };
    assert_eq!(list().await.status, 200);
    world.logout("raw").await.unwrap();
    let lee = world.company.idp.add_account("lee", "Lee Moss", "lee@example.com").unwrap();
    world.browser.sit_down(lee);
    world.login("raw").await.unwrap();
    let told = list().await;
    assert_eq!(told.status, 404, "the session was Dana's: {told:?}");
    let anew = HttpClient::new("chat-app", client.at("raw").url(), Some(client.key()));
    assert!(anew.initialize().await.unwrap().result().is_some());
    assert_eq!(anew.list_tools().await.unwrap().status, 200);
}
