//! Cores come and go, and clients stay: a core that dies, one that hands over, one that is turned off.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "stories start programs, and give up on them after a while")]

#[path = "life/activation.rs"]
mod activation;
#[path = "life/hand_over.rs"]
mod hand_over;
#[path = "life/layout.rs"]
mod layout;
#[path = "life/off.rs"]
mod off;
#[path = "life/supervised.rs"]
mod supervised;
#[path = "life/survive.rs"]
mod survive;

use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_testkit::upstream::FakeUpstream;

/// A house with one server that asks for nothing, so that a core that nobody has prepared can serve it.
struct Street {
    house: House,
    upstream: FakeUpstream,
}

impl Street {
    async fn build() -> Self {
        let upstream = FakeUpstream::open().await.unwrap();
        let house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", upstream.url()));
        Self { house, upstream }
    }

    /// How many calls of tools have reached the server.
    fn calls(&self) -> usize {
        self.upstream.requests().iter().filter(|request| request.mentions("tools/call")).count()
    }

    /// Waits until the server's own stream was asked for, if a handshake was: what comes later is no part of it.
    async fn streams(&self) {
        if self.upstream.requests().iter().any(|request| request.mentions("\"initialize\"")) {
            while self.upstream.next().await.unwrap().method != "GET" {}
        }
    }

    /// Waits until a message of this kind reaches the server that was not waited for before.
    async fn arrives(&self, text: &str) {
        while !self.upstream.next().await.unwrap().mentions(text) {}
    }
}
