//! The socket door: a program on this machine comes in without a port and without a key, and is judged by what it is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "a real client program is started")]

use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_stories::parts;
use keybearer_testkit::upstream::FakeUpstream;
use serde_json::{Value, json};

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_account"}}"#;

/// The address of a house's socket door, as the line says that tells that the core is ready.
fn socket(house: &House) -> String {
    house.core().ready["socket"].as_str().unwrap().to_owned()
}

/// Sends one request and reads the whole answer.
fn knock(house: &House, request: &str) -> (u16, String, String) {
    let mut stream = UnixStream::connect(socket(house)).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer to {request}: {answer}"));
    (head.split(' ').nth(1).unwrap().parse().unwrap(), head.to_ascii_lowercase(), body.to_owned())
}

fn post(fields: &[&str], body: &str) -> String {
    let fields = fields.iter().map(|field| format!("{field}\r\n")).collect::<String>();
    let host = if fields.contains("Host: ") { "" } else { "Host: localhost\r\n" };
    format!(
        "POST /mcp/crm HTTP/1.1\r\n{host}Connection: close\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n{fields}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn config(upstream: &FakeUpstream, rules: &str) -> String {
    format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{rules}", upstream.url())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_needs_no_key_and_is_judged_as_the_program_that_it_is() {
    let upstream = FakeUpstream::open().await.unwrap();
    let rule = "[[rules]]\neffect = \"allow\"\nclient = \"desk-app\"\nserver = \"crm\"\n";
    let mut house = House::open(&config(&upstream, rule));
    let (status, _, body) = knock(&house, &post(&[], CALL));
    assert_eq!((status, upstream.requests().len()), (200, 0), "{body}");
    let refused: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(refused["error"]["data"]["code"], "nobody_to_ask", "an unknown program asks, and nobody is there");
    let program = std::env::current_exe().unwrap();
    house.run(&["clients", "add", "desk-app", "--program", program.to_str().unwrap(), "--json"]).json();
    let (status, head, body) = knock(&house, &post(&["Host: localhost:80"], CALL));
    assert!(status == 200 && body.contains("\"result\""), "{head} {body}");
    assert!(!head.contains("www-authenticate") && !head.contains("set-cookie"), "{head}");
    house.run(&["clients", "revoke", "desk-app", "--json"]).json();
    let (_, _, body) = knock(&house, &post(&[], CALL));
    assert!(body.contains("nobody_to_ask"), "it is unknown again: {body}");
    let calls = house.recorded_calls();
    let told: Vec<_> = calls.iter().map(|call| (&call["client"], &call["program"], &call["outcome"])).collect();
    let (me, name) = (json!(program.to_str().unwrap()), json!("desk-app"));
    let (denied, answered) = (json!("denied"), json!("answered"));
    assert_eq!(told, [(&Value::Null, &me, &denied), (&name, &me, &answered), (&Value::Null, &me, &denied)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_names_the_client_and_a_wrong_one_is_refused() {
    let upstream = FakeUpstream::open().await.unwrap();
    let mut house = House::open(&config(&upstream, ALLOW_ALL));
    let app = house.client("chat-app", &[]);
    let (status, _, body) = knock(&house, &post(&[&format!("Authorization: Bearer {}", app.key)], CALL));
    assert!(status == 200 && body.contains("\"result\""), "{body}");
    for wrong in ["Authorization: Bearer kb_wrong", "Authorization: Basic a2I=", "Authorization: Bearer "] {
        let (status, _, body) = knock(&house, &post(&[wrong], CALL));
        assert_eq!((status, body.as_str()), (401, ""), "{wrong}");
    }
    assert_eq!(upstream.requests().len(), 1);
    assert_eq!(house.recorded_calls()[0]["client"], "chat-app");
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_and_other_hosts_are_turned_away_here_too() {
    let upstream = FakeUpstream::open().await.unwrap();
    let house = House::open(&config(&upstream, ALLOW_ALL));
    for (field, status) in [
        ("Host: evil.test", 403),
        ("Host: localhost\r\nHost: localhost", 403),
        ("Origin: http://localhost", 403),
        ("Sec-Fetch-Site: cross-site", 403),
        ("Upgrade: websocket", 400),
    ] {
        let (got, head, body) = knock(&house, &post(&[field], CALL));
        assert_eq!((got, body.as_str()), (status, ""), "{field}");
        assert!(!head.contains("access-control"), "{head}");
    }
    let close = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    for (request, status) in [("OPTIONS /mcp/crm", 405), ("GET /mcp/crm?key=kb_x", 404), ("GET /", 404)] {
        assert_eq!(knock(&house, &format!("{request} {close}")).0, status, "{request}");
    }
    assert_eq!(upstream.requests().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_is_told_at_the_socket_alone() {
    let upstream = FakeUpstream::open().await.unwrap();
    let house = House::open(&config(&upstream, ALLOW_ALL));
    let (status, _, body) = knock(&house, "GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    let told: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status, 200);
    assert_eq!(told, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION"), "pid": house.core().pid() }));
    let app = house.client("chat-app", &[]);
    let mut wire = app.wire();
    wire.send(format!(
        "GET /health HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
        app.door, app.key
    ));
    let (head, body) = wire.answer().unwrap();
    assert_eq!((head.status(), body.bytes.len()), (404, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_is_the_persons_alone_and_its_place_is_told() {
    let upstream = FakeUpstream::open().await.unwrap();
    let house = House::open(&config(&upstream, ALLOW_ALL));
    let place = socket(&house);
    assert_eq!(house.run(&["status", "--json"]).json()["socket_door"], json!(place));
    assert!(house.run(&["status"]).out.contains(&place), "a person reads where it is");
    let found = std::fs::symlink_metadata(&place).unwrap();
    assert_eq!(found.permissions().mode() & 0o777, 0o600);
    let folder = std::fs::metadata(std::path::Path::new(&place).parent().unwrap()).unwrap();
    assert_eq!(folder.permissions().mode() & 0o777, 0o700);
}

#[tokio::test(flavor = "multi_thread")]
async fn node_speaks_to_it_over_its_socket_path() {
    let upstream = FakeUpstream::open().await.unwrap();
    let house = House::open(&config(&upstream, ALLOW_ALL));
    let script = format!(
        "const request = require('http').request({{ socketPath: process.argv[1], path: '/mcp/crm', method: 'POST',
           headers: {{ 'content-type': 'application/json', accept: 'application/json, text/event-stream' }} }},
           answer => {{ answer.pipe(process.stdout); process.exitCode = answer.statusCode === 200 ? 0 : 1 }});
         request.end({});",
        Value::from(CALL)
    );
    let ran = Command::new(parts::node()).args(["-e", &script, &socket(&house)]).output().unwrap();
    let told = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success() && told.contains("\"result\""), "{told} {}", String::from_utf8_lossy(&ran.stderr));
}
