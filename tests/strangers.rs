//! Who and what comes through the HTTP door besides a client's own messages: another user's connections do not, a
//! client's named headers do.
#![allow(clippy::unwrap_used, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "another user's program is started")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use http::Method;
use keybearer_core::audit;
use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_testkit::world::World;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_account"}}"#;

/// Sends `request` to `door` as the user `nobody`, and returns all that comes back. Needs root, as changing the user does.
fn ask_as_nobody(door: &str, request: &[u8]) -> String {
    let (host, port) = door.split_once(':').unwrap();
    let script = format!("exec 3<>/dev/tcp/{host}/{port}; cat >&3; cat <&3");
    let mut asking = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "bash", "-c", &script])
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    asking.stdin.take().unwrap().write_all(request).unwrap();
    let asked = asking.wait_with_output().unwrap();
    assert!(asked.status.success(), "another user's program did not run: only root can start one");
    String::from_utf8(asked.stdout).unwrap()
}

#[test]
fn sec_09_another_user_with_a_good_key_is_told_nothing() {
    let house = House::open(&format!("[servers.crm]\nurl = \"http://127.0.0.1:9/mcp\"\nauth = \"none\"\n{ALLOW_ALL}"));
    let app = house.client("chat-app", &[]);
    let request = app.post_bytes("crm", &["Connection: close"], CALL.as_bytes());
    let told = ask_as_nobody(&app.door, &request);
    assert!(told.starts_with("HTTP/1.1 401 ") && told.ends_with("\r\n\r\n"), "{told}");
    assert_eq!(app.post("crm", CALL).status, 200, "the person's own programs are served");
    assert!(house.core().logged().contains("another user"), "{}", house.core().logged());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_is_given_the_headers_that_its_settings_name_and_told_who_is_signed_in() {
    let mut world = World::that_allows_all().await;
    let settings = "[servers.raw]\nforward_headers = [\"X-User-*\"]\nidentity_header = { name = \"X-User-Email\", value = \"email\" }\n";
    let config = world.config(ALLOW_ALL).replace("[servers.raw]\n", settings);
    assert!(config.contains("forward_headers"));
    world.write_config(&config);
    world.restart().await;
    world.login("raw").await.unwrap();
    let client = world.client("chat-app").await;
    let sent = [("X-User-Team", "blue"), ("X-User-Email", "mallory@example.com"), ("X-Other", "no"), ("Cookie", "a=b")];
    let answer = client.at("raw").open(Method::POST, &sent, CALL).await.unwrap();
    assert_eq!(answer.status(), 200);
    let seen = world.upstream.requests().pop().unwrap();
    let told = ["x-user-team", "x-user-email", "x-other", "cookie"].map(|name| seen.header(name).map(str::to_owned));
    assert_eq!(told, [Some("blue".to_owned()), Some("dana@example.com".to_owned()), None, None]);
    drop(answer);
    world.restart().await;
    let records = audit::tail(&world.folders().audit(), 50).unwrap();
    let named: Vec<_> = records.iter().filter(|record| record["tool"] == "get_account").collect();
    assert_eq!(named.len(), 1, "{records:?}");
    assert_eq!(named[0]["headers"], serde_json::json!(["x-user-team"]), "names, and no values");
}
