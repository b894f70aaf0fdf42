//! SEC-01: when the door listens, and where.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_testkit::upstream::FakeUpstream;
use serde_json::json;

use super::CALL;

/// Every internet address that a process listens on or receives from, by the kernel's word.
fn listening(pid: u32) -> BTreeSet<SocketAddr> {
    let folder = format!("/proc/{pid}/fd");
    let files = std::fs::read_dir(&folder).unwrap_or_else(|error| {
        panic!("`{folder}` cannot be read ({error}): the core closes itself to others, so this story needs root")
    });
    let links = files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
    let inodes: BTreeSet<String> =
        links.filter_map(|link| Some(link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned())).collect();
    assert!(!inodes.is_empty(), "a core has at least its local sockets");
    let mut found = BTreeSet::new();
    for table in ["tcp", "tcp6", "udp", "udp6", "raw", "raw6"] {
        // A machine without IPv6 has no table for it.
        for line in std::fs::read_to_string(Path::new("/proc/net").join(table)).unwrap_or_default().lines().skip(1) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let listens = !table.starts_with("tcp") || words[3] == "0A";
            if listens && inodes.contains(words[9]) {
                found.insert(address(words[1]));
            }
        }
    }
    found
}

/// An address as the kernel writes it: words in the machine's byte order, port in hexadecimal.
fn address(text: &str) -> SocketAddr {
    let (host, port) = text.split_once(':').unwrap();
    let port = u16::from_str_radix(port, 16).unwrap();
    let words = (0..host.len() / 8).map(|word| u32::from_str_radix(&host[8 * word..8 * word + 8], 16).unwrap());
    let bytes: Vec<u8> = words.flat_map(u32::to_ne_bytes).collect();
    match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => (Ipv4Addr::from(four), port).into(),
        Err(_) => (Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).unwrap()), port).into(),
    }
}

fn loopbacks(port: u16) -> BTreeSet<SocketAddr> {
    let both = [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))];
    let has_ipv6 = TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok();
    both.into_iter().filter(|address| address.is_ipv4() || has_ipv6).collect()
}

fn port(door: &str) -> u16 {
    door.rsplit(':').next().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_01_the_door_listens_on_loopback_alone_and_only_while_somebody_has_a_key() {
    let upstream = FakeUpstream::open().await.unwrap();
    let mut house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", upstream.url()));
    let nowhere = BTreeSet::new();
    assert_eq!(listening(house.core().pid()), nowhere);
    // A client that comes by stdio opens no port, neither by its registration nor by its calls.
    let program = std::env::current_exe().unwrap();
    house.run(&["clients", "add", "desk-app", "--program", program.to_str().unwrap(), "--json"]).json();
    assert!(house.run(&["call", "crm", "get_account"]).status.success());
    assert_eq!(listening(house.core().pid()), nowhere);
    let app = house.client("chat-app", &[]);
    let expected = loopbacks(port(&app.door));
    assert_eq!(listening(house.core().pid()), expected);
    assert_eq!(app.post("crm", CALL).status, 200);
    house.restart();
    assert_eq!(listening(house.core().pid()), expected, "after a restart");
    house.run(&["clients", "revoke", "chat-app", "--json"]).json();
    // The answer comes when the client is revoked; the door closes behind it.
    let end = Instant::now() + Duration::from_secs(30);
    while listening(house.core().pid()) != nowhere {
        assert!(Instant::now() < end, "the door stays open");
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_port_stays_the_same_and_both_families_serve() {
    let upstream = FakeUpstream::open().await.unwrap();
    let mut house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", upstream.url()));
    let app = house.client("chat-app", &[]);
    for _ in 0..2 {
        house.restart();
        assert_eq!(house.core().ready["http"][0], format!("http://{}", app.door), "it is in the line that says ready");
        for address in loopbacks(port(&app.door)) {
            let mut there = app.clone();
            there.door = address.to_string();
            assert_eq!(there.post("crm", CALL).status, 200, "at {address}");
        }
    }
    // The next client joins at the same door.
    assert_eq!(house.client("another-app", &[]).door, app.door);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_closes_the_door_and_nothing_else() {
    let upstream = FakeUpstream::open().await.unwrap();
    let mut house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", upstream.url()));
    let app = house.client("chat-app", &[]);
    for family in loopbacks(port(&app.door)) {
        house.stop();
        let stranger = TcpListener::bind(family).unwrap();
        house.restart();
        let status = house.run(&["status", "--json"]).json();
        assert_eq!(status["http_door"], json!({ "kind": "blocked", "port": port(&app.door) }), "{family} is taken");
        assert_eq!(house.core().ready["http"], json!([]));
        assert_eq!(listening(house.core().pid()), BTreeSet::new(), "it listens nowhere else instead");
        let told = house.run(&["status"]);
        assert!(told.out.contains(&port(&app.door).to_string()), "a person reads which port: {}", told.out);
        assert!(house.run(&["call", "crm", "get_account"]).status.success(), "everything else works");
        drop(stranger);
    }
    house.restart();
    assert_eq!(app.post("crm", CALL).status, 200, "the port is free again");
}

#[test]
fn the_port_of_the_settings_is_the_door_s() {
    // Below those that the system gives to whoever asks for any, so that it stays free until the core asks.
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    let free = (20_000..30_000).find(is_free).unwrap();
    let house = House::open(&format!("http_port = {free}\n{ALLOW_ALL}"));
    assert_eq!(house.client("chat-app", &[]).door, format!("127.0.0.1:{free}"));
}
