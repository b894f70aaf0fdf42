//! What arrives is what was sent: bodies byte for byte in both directions, headers by list, calls once.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]

#[path = "bytes/answers.rs"]
mod answers;
#[path = "bytes/headers.rs"]
mod headers;
#[path = "bytes/once.rs"]
mod once;
#[path = "bytes/requests.rs"]
mod requests;

use keybearer_stories::house::{ALLOW_ALL, App, House, mint};
use keybearer_testkit::upstream::{FakeUpstream, Reply};

/// A house with one server behind a static header.
struct Street {
    house: House,
    upstream: FakeUpstream,
    app: App,
    secret: String,
}

impl Street {
    async fn build() -> Self {
        let secret = mint();
        let upstream = FakeUpstream::wanting_header("X-API-Key", &secret).await.unwrap();
        let house = House::open(ALLOW_ALL);
        house.server_wanting("crm", &upstream.url(), &secret);
        let app = house.client("chat-app", &[]);
        Self { house, upstream, app, secret }
    }
}

impl Street {
    /// The server opens a session of this id for the app.
    fn open_session(&self, id: &str) {
        let opened = r#"{"jsonrpc":"2.0","id":0,"result":{}}"#;
        self.upstream.will(Reply::json(opened).header("Mcp-Session-Id", id));
        let answer = self.app.post("crm", r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}"#);
        assert_eq!(answer.header("mcp-session-id"), Some(id));
    }
}

/// A call of a tool with this id.
fn call(id: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":"get_account"}}}}"#)
}
