//! What a bridge and the core say to each other before the raw lines begin.

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The version of this exchange. The core understands bridges of the version before, too: they live for weeks.
pub const VERSION: u32 = 1;

/// The bridge's first line. Who started it is not in it: the core asks the operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`VERSION`] of the bridge.
    pub keybearer: u32,
    /// The server that the client wants.
    pub server: String,
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
