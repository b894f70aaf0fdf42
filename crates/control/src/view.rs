//! What a person sees of a core: shapes, states, and one action for each server; the words are the shell's.
//!
//! Pure, so that the tray, the window and whatever comes later say the same. Foreign text in it is clean.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::{Code, Error, Exactly};
use crate::plain::{clean, sentence};
use crate::snapshot::{KeyStore, SignIn, Snapshot};

mod headline;
mod row;

pub use headline::Headline;
pub use row::{Action, Row, State, Tone};

/// What the shell shows, whole, whenever it changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "there is one of it, and mostly the largest")]
pub enum View {
    /// No core is known yet; one is being looked for or started.
    Starting,
    /// No core is running.
    Away {
        /// Why not, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        failure: Option<Failure>,
    },
    /// A core is running.
    Attached {
        /// What to make of it.
        home: Home,
        /// Its state, for the pages that show more.
        snapshot: Snapshot,
    },
}

/// What to make of a running core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Home {
    /// The shape that stands for the whole.
    pub mark: Mark,
    /// The one thing to know.
    pub headline: Headline,
    /// What concerns more than one server.
    pub notices: Vec<Notice>,
    /// Every server: those that want something first, then by name.
    pub rows: Vec<Row>,
    /// The servers to which the person would have to sign in again if Keybearer were turned off now, while the person is
    /// asked about that.
    pub losing: Vec<String>,
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
    /// The key with a raised dot.
    Asking {
        /// How many questions wait for the person.
        count: u32,
    },
    /// The key with a bar across: refused by the company's servers, stopped, or not running.
    Blocked,
    /// The key as a dashed line.
    Offline,
}

/// Something that concerns more than one server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// Sign-ins are kept in memory only, as the settings say.
    MemoryByChoice,
    /// Sign-ins are kept in memory only, because there is no keychain.
    MemoryForWant,
    /// Something is wrong and needs somebody.
    Problem {
        /// What.
        failure: Failure,
    },
}

/// An error as a person reads it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Failure {
    /// What kind it is; each has a sentence in every language.
    pub code: Code,
    /// What failed exactly, as an English sentence.
    pub text: String,
    /// What to do, as an English sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub hint: Option<String>,
    /// What failed exactly, where there are words for it in every language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exactly: Option<Box<Exactly>>,
}

impl View {
    /// The view of a running core; `failures` are the last requests that failed, by server.
    pub fn attached(snapshot: &Snapshot, failures: &BTreeMap<String, Error>) -> Self {
        let mut rows: Vec<Row> =
            snapshot.servers.iter().map(|server| Row::of(server, failures.get(&server.name))).collect();
        rows.sort_by(|a, b| (a.tone.rank(), &a.name).cmp(&(b.tone.rank(), &b.name)));
        let (mark, headline) = headline::of(snapshot);
        let problems = snapshot.problems.iter().map(|problem| Notice::Problem { failure: Failure::of(problem) });
        let notices = key_store(snapshot.key_store).into_iter().chain(problems).collect();
        Self::Attached { home: Home { mark, headline, notices, rows, losing: Vec::new() }, snapshot: snapshot.clone() }
    }

    /// The same while the person is asked whether to turn off Keybearer and lose the sign-ins to these servers: those of
    /// them that are not known to be kept by now. Where a server stands otherwise says nothing of that: one whose issuer
    /// cannot be reached may have a sign-in that is not kept.
    pub fn losing(mut self, servers: &[String]) -> Self {
        if let Self::Attached { home, snapshot } = &mut self {
            let unkept = snapshot.servers.iter().filter(|server| server.state != SignIn::SignedIn { saved: true });
            let names = unkept.map(|server| &server.name).filter(|name| servers.contains(name));
            home.losing = names.map(|name| clean(name)).collect();
        }
        self
    }

    /// The shape that stands for the whole.
    pub fn mark(&self) -> Mark {
        match self {
            Self::Starting => Mark::Offline,
            Self::Away { .. } => Mark::Blocked,
            Self::Attached { home, .. } => home.mark,
        }
    }
}

impl Failure {
    /// An error as a person reads it.
    pub fn of(error: &Error) -> Self {
        let (text, hint) = (sentence(&error.message), error.hint.as_deref().map(sentence));
        Self { code: error.code, text, hint, exactly: error.exactly.as_ref().map(|exactly| Box::new(exactly.clean())) }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::of(&error)
    }
}

fn key_store(kept: KeyStore) -> Option<Notice> {
    match kept {
        KeyStore::System => None,
        KeyStore::MemoryByChoice => Some(Notice::MemoryByChoice),
        KeyStore::MemoryForWant => Some(Notice::MemoryForWant),
    }
}

/// The host of a URL, as far as a person needs it.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    clean(rest.split(['/', '?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests;
