//! What is there changes while clients stay connected.

use keybearer_stories::company::Company;
use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_stories::parts::Part;
use keybearer_stories::raw_upstream::{RawUpstream, Reading, Saying};
use serde_json::json;

use super::driver::{Driver, Library};
use super::lines::Lines;

#[test]
fn a_server_that_is_added_appears_and_one_that_is_removed_goes() {
    let odd = Part::start("odd.mjs", &[]);
    let house = House::open(ALLOW_ALL);
    let app = house.client("app", &[]);
    let mut clients = [
        Driver::stdio(&house.home, Library::Sdk),
        Driver::stdio(&house.home, Library::Modern),
        Driver::http(&house.home, Library::Client, &app.door, &app.key),
        Driver::http(&house.home, Library::Modern, &app.door, &app.key),
    ];
    for client in &mut clients {
        assert_eq!(client.tools(), ["status", "sign_in", "list_servers"]);
    }
    house.run(&["servers", "add", "odd", odd.said("url"), "--json"]).json();
    for client in &mut clients {
        client.waits_for("odd__plain");
        assert_eq!(client.calls("odd__plain", json!({}))["failed"], false);
    }
    house.run(&["servers", "remove", "odd", "--json"]).json();
    for client in &mut clients {
        let tried = client.tries("call", json!({ "tool": "odd__plain", "arguments": {} }));
        assert!(tried.get("failed").is_some(), "{tried}");
        assert_eq!(client.tools(), ["status", "sign_in", "list_servers"]);
    }
}

#[test]
fn a_sign_in_through_the_tool_brings_the_tools_without_a_restart() {
    let company = Company::open();
    let house = House::open(company.config("memory").trim_start_matches("keystore = \"memory\"\n"));
    let mut lines = Lines::open(&house);
    assert_eq!(lines.tools(), ["status", "sign_in", "list_servers"], "nobody is signed in");
    let status = lines.text_of("status", json!({}));
    assert!(status.contains("everything: needs a sign-in; call `sign_in` with server `everything`"), "{status}");
    assert_eq!(house.home.visits(), 0, "a list opens no window");
    lines.heard.clear();

    let told = lines.text_of("sign_in", json!({ "server": "everything" }));
    assert_eq!(told, "Keybearer: signed in to everything. Its tools are here now.");
    assert_eq!(house.home.visits(), 1);
    lines.waits_for("notifications/tools/list_changed");
    let tools = lines.tools();
    assert!(tools.iter().any(|tool| tool == "everything__echo"), "{tools:?}");
    assert_eq!(lines.text_of("everything__echo", json!({ "message": "in" })), "Echo: in");
    let status = lines.text_of("status", json!({}));
    assert!(status.contains("everything: ready") && status.contains("counting: needs a sign-in"), "{status}");
    // The one that is left needs no name.
    assert_eq!(lines.text_of("sign_in", json!({})), "Keybearer: signed in to counting. Its tools are here now.");
    assert_eq!(lines.text_of("sign_in", json!({})), "Keybearer: no server needs a sign-in.");
    house.home.assert_no_secret(&company.secrets());
}

#[test]
fn a_server_that_does_not_answer_holds_nobody_up() {
    let (odd, silent) = (Part::start("odd.mjs", &[]), RawUpstream::start(Reading::Whole, |_| Saying::keeping("")));
    let (odd, silent) = (odd.said("url").to_owned(), (silent.url(), odd, silent));
    let servers = format!("[servers.odd]\nurl = \"{odd}\"\n[servers.silent]\nurl = \"{}\"\n{ALLOW_ALL}", silent.0);
    let house = House::open(&servers);
    let mut lines = Lines::open(&house);
    let asked = std::time::Instant::now();
    assert!(lines.tools().iter().any(|tool| tool == "odd__plain"));
    assert!(asked.elapsed() < std::time::Duration::from_secs(10), "it took {:?}", asked.elapsed());
}
