//! What a bridge and the core say to each other before and between the raw lines.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The version of this exchange. The core understands bridges of the version before, too: they live for weeks.
///
/// 2 brought bridges without a server's name and the core's notices.
pub const VERSION: u32 = 2;

/// The oldest version that the core understands.
pub const OLDEST: u32 = 1;

/// The first byte of a line from the core that is a [`Notice`] and not MCP's. No JSON text begins with it.
pub const NOTICE_MARK: u8 = 0x1e;

/// What a bridge says behind [`NOTICE_MARK`] when it sends no more lines but reads on, where its connection cannot be
/// closed in one direction.
pub const FINISHED: &[u8] = br#"{"notice":"finished"}"#;

/// The bridge's first line. Who started it is not in it: the core asks the operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`] of the bridge.
    pub keybearer: u32,
    /// The server that the client wants; absent for Keybearer's own MCP server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
}

/// The core's one line in answer; raw MCP lines follow in both directions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "welcome", rename_all = "snake_case")]
pub enum Welcome {
    /// Go on.
    Ready,
    /// The core hangs up.
    Refused {
        /// Why.
        error: Error,
    },
}

/// What the core tells a bridge between MCP's lines, on a line of its own behind [`NOTICE_MARK`]. Bridges of version 1
/// get none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "notice", rename_all = "snake_case")]
pub enum Notice {
    /// Another core takes over: send no more lines here, but read what is still answered. The core hangs up when all of
    /// it is out.
    Draining,
}
