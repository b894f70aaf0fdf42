//! Clients and servers of different eras.

use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_stories::http;
use keybearer_stories::parts::Part;
use serde_json::json;

use super::driver::{Driver, LIBRARIES, each};

fn open() -> (Part, House) {
    let modern = Part::start("modern.mjs", &[]);
    let config = format!("[servers.modern]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", modern.said("url"));
    (modern, House::open(&config))
}

#[test]
fn a_server_without_sessions_serves_every_client_and_may_ask_back() {
    let (_modern, house) = open();
    each(&house, |client, library| {
        assert!(client.tools().iter().any(|tool| tool == "modern__ask"), "{library:?}");
        let told = client.calls("modern__ask", json!({}));
        assert_eq!((&told["text"], &told["asked"]), (&json!("hello Ada"), &json!(1)), "{library:?} {told}");
    });
}

#[test]
fn a_server_without_sessions_tells_every_client_what_changes() {
    let (modern, house) = open();
    let app = house.client("app", &[]);
    let mut clients: Vec<Driver> = LIBRARIES.into_iter().map(|library| Driver::stdio(&house.home, library)).collect();
    clients.extend(LIBRARIES.into_iter().map(|library| Driver::http(&house.home, library, &app.door, &app.key)));
    for client in &mut clients {
        assert!(!client.tools().iter().any(|tool| tool == "modern__more"));
    }
    http::get(&format!("{}/__change", modern.said("origin")), &[]);
    for client in &mut clients {
        client.waits_for("modern__more");
    }
}
