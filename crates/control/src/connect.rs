//! Connecting clients: what is asked, what is shown before anything is written, and what was done.
//!
//! No key is in any of it: where one will stand, a placeholder stands.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// Which client to connect, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    /// The client, by its short name.
    pub client: String,
    /// The servers that it gets; empty means all, by one entry.
    #[serde(default)]
    pub servers: Vec<String>,
    /// Where it runs, for one that runs in several places.
    #[serde(default)]
    #[ts(optional)]
    pub placement: Option<String>,
    /// How it is to reach us, if not in the best way: `stdio`, `http` or `socket`.
    #[serde(default)]
    #[ts(optional)]
    pub transport: Option<String>,
    /// Its file, absolute, if it is not where it usually is.
    #[serde(default)]
    #[ts(optional)]
    pub file: Option<String>,
}

/// A client that is known, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct KnownClient {
    /// Its short name.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// Whether it seems to be installed here.
    pub installed: bool,
    /// Where it may run, if that makes a difference.
    pub placements: Vec<String>,
    /// The file that is changed; absent where only the person knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub file: Option<String>,
    /// How it is connected, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub connection: Option<Connection>,
}

/// A connection that we made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Connection {
    /// How the client reaches us: `stdio`, `http` or `socket`.
    pub transport: String,
    /// Where it runs, if that makes a difference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub placement: Option<String>,
    /// The servers that were named; empty means all.
    pub servers: Vec<String>,
    /// The files that were changed.
    pub files: Vec<String>,
    /// Since when, RFC 3339.
    pub since: String,
}

/// A sentence of the catalogue of clients, in each language that Keybearer speaks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Sentence {
    /// English.
    pub en: String,
    /// German.
    pub de: String,
}

/// What connecting would do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Preview {
    /// The client's short name.
    pub client: String,
    /// What a person calls it.
    pub name: String,
    /// How it will reach us.
    pub transport: String,
    /// What it will be known by.
    pub known_by: KnownBy,
    /// What becomes of its files.
    pub files: Vec<FilePreview>,
    /// The setting of ours that is switched on besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub setting: Option<String>,
    /// What the person should know before saying yes.
    pub warnings: Vec<Sentence>,
    /// Proves on writing that nothing has changed since.
    pub token: String,
}

/// What a client will be known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KnownBy {
    /// A key that stands in its file.
    Key,
    /// Its executable.
    Program {
        /// The path.
        path: String,
    },
    /// What the system says of it when it comes: its executable was not found.
    Arrival,
}

/// What becomes of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct FilePreview {
    /// Where it is.
    pub path: String,
    /// Where it really is, if that is a link.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub real: Option<String>,
    /// Whether it is there already.
    pub exists: bool,
    /// The entries of ours that are replaced, by the names of what is in them.
    pub replaces: Vec<String>,
    /// The lines that are added.
    pub added: Vec<Added>,
}

/// Lines that are added.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Added {
    /// The number of the first.
    pub line: usize,
    /// The lines.
    pub text: String,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Connected {
    /// The client's short name.
    pub client: String,
    /// What a person calls it.
    pub name: String,
    /// How it reaches us.
    pub transport: String,
    /// The servers that were named; empty means all.
    pub servers: Vec<String>,
    /// The files that were written.
    pub files: Vec<Written>,
    /// What the person still has to do.
    pub afterwards: Vec<Sentence>,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Written {
    /// Where it is.
    pub path: String,
    /// The copy of what was in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub backup: Option<String>,
}

/// What was taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Disconnected {
    /// The client's short name.
    pub client: String,
    /// What a person calls it.
    pub name: String,
    /// The files, and what became of them.
    pub files: Vec<Left>,
    /// What the person still has to do.
    pub afterwards: Vec<Sentence>,
}

/// A file that we have left.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Left {
    /// Where it is, or was.
    pub path: String,
    /// What became of it.
    pub how: Leaving,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// It is as it was before, to the byte.
    Restored,
    /// It was not there before, and is gone.
    Removed,
    /// Our entries are gone; what others have changed meanwhile stays.
    EntriesRemoved,
    /// There was nothing of ours in it any more.
    Untouched,
}
