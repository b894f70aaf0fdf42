//! Keybearer's own MCP server on real parts: official clients of every era see every server's tools, resources and prompts
//! as one, nothing of them is lost, and every call is the real caller's to the real server.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::needless_pass_by_value, reason = "so that a story reads `json!({ ... })`")]
#![allow(clippy::disallowed_methods, reason = "real client programs are started")]

#[path = "own_server/driver.rs"]
mod driver;
#[path = "own_server/eras.rs"]
mod eras;
#[path = "own_server/http.rs"]
mod http;
#[path = "own_server/lines.rs"]
mod lines;
#[path = "own_server/official.rs"]
mod official;
#[path = "own_server/who_may.rs"]
mod who_may;
#[path = "own_server/whole.rs"]
mod whole;
#[path = "own_server/without_restart.rs"]
mod without_restart;

use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_stories::parts::Part;

/// Two servers that ask for no sign-in, and a house that knows both.
struct Pair {
    house: House,
    odd: Part,
    _everything: Part,
}

impl Pair {
    fn open() -> Self {
        Self::with_rules(ALLOW_ALL)
    }

    fn with_rules(rules: &str) -> Self {
        let (odd, everything) = (Part::start("odd.mjs", &[]), Part::start("everything.mjs", &[]));
        let server =
            |name: &str, part: &Part| format!("[servers.{name}]\nurl = \"{}\"\nauth = \"none\"\n", part.said("url"));
        let config = format!("{}{}{rules}", server("odd", &odd), server("everything", &everything));
        Self { house: House::open(&config), odd, _everything: everything }
    }
}
