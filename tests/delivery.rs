//! What is sent arrives, whole and with whom it is meant for: many messages, large ones, many clients at once.
//!
//! What a core holds meanwhile is bounded, and given back.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "bridges are started, and waited for by the clock on the wall")]

#[path = "delivery/client.rs"]
mod client;
#[path = "delivery/crowd.rs"]
mod crowd;
#[path = "delivery/large.rs"]
mod large;
#[path = "delivery/mix_ups.rs"]
mod mix_ups;
#[path = "delivery/upstream.rs"]
mod upstream;

use std::time::{Duration, Instant};

use keybearer_stories::house::{ALLOW_ALL, House};
use serde_json::{Value, json};
use tokio::sync::MutexGuard;

use crate::client::{Http, Line, call};
use crate::upstream::Busy;

const MANY: u64 = 10_000;

/// These stories keep a machine busy: one after the other, so that each has its time.
static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

/// A house with servers of these names, all of them one busy upstream.
struct Street {
    house: House,
    upstream: Busy,
    _turn: MutexGuard<'static, ()>,
}

async fn street(names: &[String]) -> Street {
    let turn = TURN.lock().await;
    let upstream = Busy::open().await;
    let house = House::open(&format!("{}{ALLOW_ALL}", upstream.settings(names)));
    Street { house, upstream, _turn: turn }
}

async fn one_server() -> Street {
    street(&["crm".to_owned()]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_ten_thousand_progress_events_arrives_once_and_in_order_over_http() {
    let street = one_server().await;
    let mut client = Http::connect(&street.house.client("chat-app", &[]), "crm").await;
    client.initialize().await;
    let mut messages = client.ask(&call(5, "progress", &json!({ "many": MANY, "said": "step" }))).await.into_iter();
    assert_progress(|| messages.next().unwrap());
    assert_eq!(messages.next(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_ten_thousand_progress_events_arrives_once_and_in_order_over_stdio() {
    let street = one_server().await;
    let mut client = Line::start(&street.house.home, "crm");
    client.initialize().await;
    client.send(&call(5, "progress", &json!({ "many": MANY, "said": "step" })).to_string()).await;
    let mut messages = Vec::new();
    for _ in 0..=MANY {
        messages.push(client.next().await);
    }
    let mut messages = messages.into_iter();
    assert_progress(|| messages.next().unwrap());
    client.end().await;
}

#[track_caller]
fn assert_progress(mut next: impl FnMut() -> Value) {
    for number in 1..=MANY {
        let told = &next()["params"];
        assert_eq!((&told["progressToken"], &told["progress"]), (&json!(5), &json!(number)), "{told}");
    }
    let answer = next();
    assert_eq!((&answer["id"], &answer["result"]["structuredContent"]["said"]), (&json!(5), &json!("step")));
}

/// A line of `/proc/PID/status`, in KiB.
fn memory(pid: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let found = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':')).unwrap();
    found.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Waits for what comes about by itself.
async fn until(what: &str, so: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(60);
    while !so() {
        assert!(Instant::now() < end, "{what} does not come about");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
