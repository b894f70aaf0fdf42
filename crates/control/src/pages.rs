//! What the window's pages show beyond the snapshot: a server's tools, what an address leads to, the settings.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::activity::Risk;

/// A tool of a server, in the server's words: foreign text, clean and of bounded length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What the server calls it for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub title: Option<String>,
    /// What the server says of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub description: Option<String>,
    /// What it may do, by our own judgement.
    pub risk: Risk,
}

/// What is at an address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Found {
    /// A server that answers without a sign-in.
    Open {
        /// What it calls itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        name: Option<String>,
    },
    /// A server that wants the company's sign-in.
    SignIn {
        /// Where the person will sign in: a host.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        issuer: Option<String>,
    },
    /// Something that wants a credential and does not say which.
    Locked,
    /// Something else than a server for tools.
    Foreign {
        /// How it answered: an HTTP status.
        status: u16,
    },
    /// Nobody was reached.
    Unreachable {
        /// The system's words.
        detail: String,
    },
    /// The certificate is not trusted.
    Certificate {
        /// What is wrong with it.
        detail: String,
    },
    /// The answer broke off.
    Interrupted {
        /// What happened.
        detail: String,
    },
}

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Setting {
    /// Its name in `config.toml`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Where that comes from.
    pub source: Source,
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Source {
    /// Nobody has set it.
    Default,
    /// The person's `config.toml`.
    File {
        /// On this line.
        line: usize,
    },
}

/// The settings in force, and where things lie.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Settings {
    /// The person's settings file.
    pub file: String,
    /// The folder with what Keybearer remembers.
    pub state: String,
    /// The folder of the audit trail.
    pub audit: String,
    /// How many rules there are.
    pub rules: usize,
    /// The settings, in the order of the documentation.
    pub settings: Vec<Setting>,
}
