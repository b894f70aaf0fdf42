//! The HTTP door: when it listens, whom it lets in, and what it turns away before anything reaches a server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "how soon a stream is cut is measured by the clock on the wall")]

#[path = "http_door/batches.rs"]
mod batches;
#[path = "http_door/eras.rs"]
mod eras;
#[path = "http_door/hostile.rs"]
mod hostile;
#[path = "http_door/keys.rs"]
mod keys;
#[path = "http_door/limits.rs"]
mod limits;
#[path = "http_door/listening.rs"]
mod listening;
#[path = "http_door/messages.rs"]
mod messages;
#[path = "http_door/sessions.rs"]
mod sessions;
#[path = "http_door/silence.rs"]
mod silence;

use keybearer_stories::house::{ALLOW_ALL, App, House, mint};
use keybearer_stories::wire::{Body, Head};
use keybearer_testkit::upstream::FakeUpstream;

const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_account"}}"#;

/// A house with two servers and a client that may use both.
struct Street {
    house: House,
    upstream: FakeUpstream,
    wiki: FakeUpstream,
    app: App,
}

impl Street {
    async fn build() -> Self {
        let secret = mint();
        let upstream = FakeUpstream::wanting_header("X-API-Key", &secret).await.unwrap();
        let wiki = FakeUpstream::open().await.unwrap();
        let house = House::open(&format!("[servers.wiki]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", wiki.url()));
        house.server_wanting("crm", &upstream.url(), &secret);
        let app = house.client("chat-app", &[]);
        Self { house, upstream, wiki, app }
    }

    /// How many requests reached a server.
    fn arrived(&self) -> usize {
        self.upstream.requests().len() + self.wiki.requests().len()
    }

    /// Sends a whole request on a connection of its own and reads the answer.
    #[track_caller]
    fn knock(&self, request: impl AsRef<[u8]>) -> (Head, Body) {
        let mut wire = self.app.wire();
        wire.send(&request);
        wire.answer().unwrap_or_else(|| panic!("no answer to {}", String::from_utf8_lossy(request.as_ref())))
    }

    /// Sends what may be no request at all, and nothing more; `None` if the door just hangs up.
    fn babble(&self, bytes: impl AsRef<[u8]>) -> Option<(Head, Body)> {
        let mut wire = self.app.wire();
        wire.send(bytes);
        wire.finish_sending();
        wire.answer()
    }

    /// That a good call still works, so that what was refused was refused for its own sake.
    #[track_caller]
    fn assert_good_call(&self) {
        let before = self.arrived();
        let answer = self.app.post("crm", CALL);
        assert!(String::from_utf8_lossy(&answer.body).contains("\"result\""), "{answer:?}");
        assert_eq!(self.arrived(), before + 1);
    }
}

/// That an answer tells nothing: a status of ours, no body, no header of a server or of a page's.
#[track_caller]
fn assert_tells_nothing(what: &str, (head, body): &(Head, Body)) {
    let status = head.status();
    assert!(matches!(status, 400 | 401 | 403 | 404 | 405 | 413 | 414 | 415 | 426 | 431), "{what}: {status}");
    assert!(body.bytes.is_empty(), "{what}: {}", String::from_utf8_lossy(&body.bytes));
    for (name, _) in head.fields() {
        assert!(matches!(name.as_str(), "content-length" | "date" | "connection"), "{what}: it says `{name}`");
    }
}
