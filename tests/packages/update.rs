//! Installed, updated while a client is at work, and removed.

use std::fs;

use keybearer_stories::house::ALLOW_ALL;
use keybearer_testkit::upstream::{FakeUpstream, Reply};
use serde_json::Value;

use super::PACKAGES;
use super::machine::{Machine, Starts};

/// A client that works with the core of a package while the next one is installed.
async fn check(starts: Starts, said: &str) {
    let upstream = FakeUpstream::open().await.unwrap();
    let config =
        format!("keystore = \"memory\"\n[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", upstream.url());
    let machine = Machine::with(&PACKAGES.deb, starts, &config);
    let mut client = machine.client("crm");
    while upstream.next().await.unwrap().method != "GET" {}
    let before = machine.status_when(|_| true);
    let (reply, stream) = Reply::sse();
    upstream.will(reply);
    client.call("slow");
    while !upstream.next().await.unwrap().mentions("tools/call") {}
    let asked: Value = serde_json::from_slice(&upstream.requests().last().unwrap().body).unwrap();
    machine.dpkg(&["--install", PACKAGES.next.to_str().unwrap()]);
    wait_for(&machine, said);
    // Asked between the two cores: it waits for the new one.
    client.call("get_account");
    let id = &asked["id"];
    stream.send(format!(
        "data: {{\"jsonrpc\":\"2.0\",\"id\":{id},\"result\":{{\"content\":[{{\"type\":\"text\",\"text\":\"late\"}}]}}}}\n\n"
    ));
    stream.finish();
    let mut texts = [client.outcome().0, client.outcome().0];
    texts.sort_by_key(|said| said["called"].to_string());
    assert_eq!((&texts[0]["text"], &texts[1]["text"]), (&"done".into(), &"late".into()), "{texts:?}");
    let after = machine.status_when(|status| status["pid"] != before["pid"]);
    let runs = machine.command("readlink").arg(format!("/proc/{}/exe", after["pid"])).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&runs.stdout), "/usr/bin/keybearer\n", "the core runs what was installed");
    client.call("get_account");
    assert_eq!(client.outcome().0["text"], "done");
    drop(client);
    removed(&machine);
}

/// Removing the package ends the core; what is left is the person's, and then only what they keep.
fn removed(machine: &Machine) {
    let home = machine.home();
    fs::create_dir(home.join(".cursor")).unwrap();
    let connected = machine.keybearer(&["connect", "cursor", "--yes"]);
    assert!(home.join(".cursor/mcp.json").is_file(), "{connected:?}");
    let preview = machine.keybearer(&["remove-my-data", "--keep", "audit", "--dry-run", "--json"]).json();
    assert_eq!((&preview["apps"][0], &preview["servers"][0]), (&"cursor".into(), &"crm".into()));
    assert!(home.join(".cursor/mcp.json").is_file(), "looking has changed something");
    let gone = machine.keybearer(&["remove-my-data", "--keep", "audit", "--yes", "--json"]).json();
    assert_eq!(gone["disconnected"][0]["client"], "cursor");
    assert!(!home.join(".cursor/mcp.json").exists(), "{gone}");
    assert!(machine.written().iter().any(|path| path == "/usr/bin/keybearer"));
    machine.dpkg(&["--remove", "keybearer"]);
    // What an administrator may have changed stays until they purge it.
    assert_eq!(machine.written(), ["/etc/xdg/autostart/com.keybearer.app.desktop"]);
    machine.dpkg(&["--purge", "keybearer"]);
    assert_eq!(machine.written(), Vec::<String>::new());
    let left: Vec<String> =
        super::well(machine.command("find").arg(&home).args(["-path", "*keybearer*", "-type", "f"]))
            .lines()
            .filter_map(|line| line.strip_prefix(home.to_str().unwrap()).map(str::to_owned))
            .filter(|path| !path.contains("systemd/user"))
            .collect();
    assert!(!left.is_empty() && left.iter().all(|path| path.starts_with("/.local/state/keybearer/audit/")), "{left:?}");
}

fn wait_for(machine: &Machine, said: &str) {
    let places = ["core.log", ".local/state/keybearer/core.log"].map(|name| machine.home().join(name));
    for _ in 0..3000 {
        if places.iter().any(|place| fs::read_to_string(place).is_ok_and(|log| log.contains(said))) {
            return;
        }
        std::thread::park_timeout(std::time::Duration::from_millis(10));
    }
    panic!("the core does not log `{said}`");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_70_under_systemd_no_call_is_lost_in_an_update_and_nothing_is_left_afterwards() {
    check(Starts::Systemd, "the service manager starts the new one").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_70_without_systemd_no_call_is_lost_in_an_update_and_nothing_is_left_afterwards() {
    check(Starts::WhoeverNeedsIt, "another core takes over").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_whose_package_is_removed_ends() {
    let machine = Machine::with(&PACKAGES.deb, Starts::WhoeverNeedsIt, "keystore = \"memory\"\n");
    assert!(machine.keybearer(&["start"]).status.success());
    let core = machine.status_when(|_| true)["pid"].to_string();
    machine.dpkg(&["--purge", "keybearer"]);
    wait_for(&machine, "this program was removed");
    // What has ended runs no file any more, whether or not somebody has taken its exit status.
    let runs = format!("/proc/{core}/exe");
    for _ in 0..3000 {
        if !machine.command("readlink").arg(&runs).output().unwrap().status.success() {
            return;
        }
    }
    panic!("the core goes on without its program");
}
