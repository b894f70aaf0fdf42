//! 64 MiB in one result: every byte arrives, and the core holds only what is on its way.

use std::sync::atomic::Ordering;

use serde_json::{Value, json};

use crate::client::{Http, Line, call};
use crate::upstream::{Busy, PATTERN, around};
use crate::{Street, memory, one_server};

const LARGE: usize = 64 << 20;
const SMALL: usize = 1 << 20;

/// How much more a core, or a bridge, may hold at a time for such a result, in KiB.
const FLAT: u64 = 24 << 10;

/// How much may have left the server without having arrived: what lies in sockets and pipes besides.
const UNDER_WAY: u64 = 32 << 20;

/// What is to come, compared while it comes.
struct Expected<'a> {
    before: Vec<u8>,
    size: usize,
    after: Vec<u8>,
    at: usize,
    upstream: &'a Busy,
    /// What the server had said before this one.
    said: u64,
}

impl<'a> Expected<'a> {
    fn new(before: String, size: usize, after: &str, upstream: &'a Busy) -> Self {
        let said = upstream.counts().said.load(Ordering::SeqCst);
        Self { before: before.into_bytes(), size, after: after.into(), at: 0, upstream, said }
    }

    fn take(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let text = self.at.wrapping_sub(self.before.len());
            let wanted = if self.at < self.before.len() {
                &self.before[self.at..]
            } else if text < self.size {
                let from = text % PATTERN.len();
                &PATTERN[from..(from + self.size - text).min(PATTERN.len())]
            } else {
                self.after.get(text - self.size..).unwrap_or_default()
            };
            let count = wanted.len().min(piece.len());
            assert!(count > 0 && wanted[..count] == piece[..count], "another byte came at {}", self.at);
            self.at += count;
            piece = &piece[count..];
        }
        let left = self.upstream.counts().said.load(Ordering::SeqCst) - self.said;
        let under_way = left.saturating_sub(self.at as u64);
        assert!(under_way < UNDER_WAY, "{under_way} bytes were taken from the server that nobody has read");
    }

    #[track_caller]
    fn is_whole(&self) {
        assert_eq!(self.at, self.before.len() + self.size + self.after.len());
    }
}

fn asked(kind: &str, size: usize) -> Value {
    call(9, "large", &json!({ "as": kind, "bytes": size }))
}

async fn over_http(kind: &str) {
    let Street { house, upstream, _turn } = one_server().await;
    let mut client = Http::connect(&house.client("chat-app", &[]), "crm").await;
    client.initialize().await;
    let core = house.core().pid();
    let mut peaks = Vec::new();
    for size in [SMALL, LARGE] {
        let (before, after) = around(&json!(9));
        let (first, last) = if kind == "event" { ("data: ", "\n\n") } else { ("", "") };
        let mut expected = Expected::new(format!("{first}{before}"), size, &format!("{after}{last}"), &upstream);
        client.send("POST", &asked(kind, size).to_string()).await;
        assert_eq!(client.read(|piece| expected.take(piece)).await, 200);
        expected.is_whole();
        peaks.push(memory(core, "VmHWM"));
    }
    assert_flat("the core", &peaks);
}

#[track_caller]
fn assert_flat(who: &str, peaks: &[u64]) {
    // The system counts for each thread, and adds up loosely.
    let more = peaks[1].saturating_sub(peaks[0]);
    assert!(more < FLAT, "{who} held {more} KiB more for {} MiB than for {} MiB", LARGE >> 20, SMALL >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_json_result_is_carried_in_flat_memory_over_http() {
    over_http("json").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_event_is_carried_in_flat_memory_over_http() {
    over_http("event").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_json_result_is_carried_in_flat_memory_over_stdio() {
    let Street { house, upstream, _turn } = one_server().await;
    let mut client = Line::start(&house.home, "crm");
    client.initialize().await;
    let (core, bridge) = (house.core().pid(), client.pid());
    let (mut cores, mut bridges) = (Vec::new(), Vec::new());
    for size in [SMALL, LARGE] {
        let (before, after) = around(&json!(9));
        let mut expected = Expected::new(before, size, after, &upstream);
        client.send(&asked("json", size).to_string()).await;
        client.read(|piece| expected.take(piece)).await;
        expected.is_whole();
        cores.push(memory(core, "VmHWM"));
        bridges.push(memory(bridge, "VmHWM"));
    }
    client.end().await;
    assert_flat("the core", &cores);
    assert_flat("the bridge", &bridges);
}

/// A line is not begun before its event is whole, so that what breaks off in the middle is no half message.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_too_large_for_a_line_is_one_error_and_the_session_goes_on() {
    let Street { house, upstream, _turn } = one_server().await;
    let mut client = Line::start(&house.home, "crm");
    client.initialize().await;
    client.send(&asked("event", LARGE).to_string()).await;
    let refused = client.next().await;
    assert_eq!((&refused["id"], &refused["error"]["data"]["code"]), (&json!(9), &json!("interrupted")), "{refused}");
    assert!(upstream.counts().said.load(Ordering::SeqCst) < LARGE as u64, "the rest was read for nobody");
    client.send(&call(10, "echo", &json!({ "said": "still here" })).to_string()).await;
    assert_eq!(client.next().await["result"]["structuredContent"]["said"], "still here");
    client.end().await;
}
