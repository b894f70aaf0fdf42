//! What goes between apps and servers, as the window shows it to the person who asked for it.
//!
//! Secrets are cut by the core before anything is kept there; foreign text is clean.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// One call's messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Exchange {
    /// Its number; the record of the call has it, too.
    pub number: u64,
    /// The names of the headers that the app sent.
    pub came: Vec<String>,
    /// Those of them that did not go on.
    pub stripped: Vec<String>,
    /// The header that carried the credential, where one was attached. Its value is not told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub credential: Option<String>,
    /// What the app sent.
    pub sent: Messages,
    /// The server's HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub status: Option<u16>,
    /// What the server sent.
    pub got: Messages,
}

/// The messages of one direction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Messages {
    /// Each as indented JSON, its secrets cut.
    pub texts: Vec<String>,
    /// How many bytes there were.
    #[ts(type = "number")]
    pub bytes: u64,
    /// How many secrets were cut.
    pub cut: u32,
    /// Whether there was something that could not be looked through, and is not shown.
    pub withheld: bool,
}
