//! What a person sees of a core: words, shapes, and one action for each server.
//!
//! Pure, so that the tray, the window and whatever comes later say the same sentences.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::Error;
use crate::plain::{clean, sentence};
use crate::snapshot::{KeyStore, Snapshot};

mod headline;
mod row;

pub use row::{Action, Row, Tone};

/// What the shell shows, whole, whenever it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum View {
    /// No core is known yet; one is being looked for or started.
    Starting,
    /// No core is running.
    Away {
        /// Why not, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        notice: Option<Notice>,
    },
    /// A core is running.
    Attached {
        /// Its state.
        home: Home,
    },
}

/// The state of a running core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Home {
    /// The shape that stands for the whole.
    pub mark: Mark,
    /// The one thing to know, without a full stop.
    pub headline: String,
    /// What concerns more than one server.
    pub notices: Vec<Notice>,
    /// Every server: those that want something first, then by name.
    pub rows: Vec<Row>,
}

/// The shape that stands for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Mark {
    /// The plain key.
    Ready,
    /// The key with an open bow.
    SignIn {
        /// How many servers wait for the person.
        count: u32,
    },
    /// The key with a bar across: refused by the company's servers, or not running.
    Blocked,
    /// The key as a dashed line.
    Offline,
}

/// Something that is wrong, and what can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// What it is, as a sentence.
    pub text: String,
    /// What to do, as a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hint: Option<String>,
}

impl View {
    /// The view of a running core; `failures` are the last requests that failed, by server.
    pub fn attached(snapshot: &Snapshot, failures: &BTreeMap<String, Error>) -> Self {
        let mut rows: Vec<Row> =
            snapshot.servers.iter().map(|server| Row::of(server, failures.get(&server.name))).collect();
        rows.sort_by(|a, b| (a.tone.rank(), &a.name).cmp(&(b.tone.rank(), &b.name)));
        let (mark, headline) = headline::of(snapshot);
        let notices =
            key_store(snapshot.key_store).into_iter().chain(snapshot.problems.iter().map(Notice::of)).collect();
        Self::Attached { home: Home { mark, headline, notices, rows } }
    }

    /// The shape that stands for the whole.
    pub fn mark(&self) -> Mark {
        match self {
            Self::Starting => Mark::Offline,
            Self::Away { .. } => Mark::Blocked,
            Self::Attached { home } => home.mark,
        }
    }

    /// The one thing to know.
    pub fn headline(&self) -> &str {
        match self {
            Self::Starting => "Starting Keybearer",
            Self::Away { .. } => "Keybearer is not running",
            Self::Attached { home } => &home.headline,
        }
    }
}

impl Notice {
    /// An error as a notice.
    pub fn of(error: &Error) -> Self {
        Self { tone: Tone::Attention, text: sentence(&error.message), hint: error.hint.as_deref().map(sentence) }
    }
}

fn key_store(kept: KeyStore) -> Option<Notice> {
    let (tone, text, hint) = match kept {
        KeyStore::System => return None,
        KeyStore::MemoryByChoice => (Tone::Quiet, "Sign-ins are kept in memory only, as your settings say.", None),
        KeyStore::MemoryForWant => (
            Tone::Attention,
            "There is no keychain here, so sign-ins are kept in memory only.",
            Some("After a restart you will have to sign in again."),
        ),
    };
    Some(Notice { tone, text: text.into(), hint: hint.map(Into::into) })
}

/// The host of a URL, as far as a person needs it.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    clean(rest.split(['/', '?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests;
