//! What a record says.

use std::path::Path;
use std::sync::Arc;

use keybearer_model::call::{Call, RiskClass};
use keybearer_model::caller::Caller;
use keybearer_model::name::{ClientName, ServerName};
use keybearer_model::program::Digest;
use keybearer_model::verdict::{DenyReason, RuleId};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

/// The longest name of somebody else's that is recorded, in characters.
const LONGEST: usize = 200;

/// The most argument names that are recorded of one call.
const MOST_NAMES: usize = 64;

/// One record.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// A call, from its classification to its end.
    Call(Box<CallEntry>),
    /// Anything else.
    Event(Event),
}

/// One call.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "event", rename = "call")]
pub struct CallEntry {
    #[serde(flatten)]
    who: Who,
    server: ServerName,
    method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    risk: Option<RiskClass>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    arguments: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    headers: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decision: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    duration_ms: u64,
}

/// Who called. It is put into words by whoever writes the record, not by the call.
#[derive(Clone, Debug)]
struct Who(Arc<Caller>);

impl Serialize for Who {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let caller = &self.0;
        let mut map = serializer.serialize_map(None)?;
        if let Some(client) = &caller.client {
            map.serialize_entry("client", client)?;
        }
        if let Some(path) = caller.executable() {
            map.serialize_entry("program", &shown(path))?;
        }
        if let Some(attribution) = caller.attribution() {
            map.serialize_entry("attribution", &attribution)?;
        }
        if let Some(digest) = caller.program().and_then(|program| program.file.as_ref()?.digest()) {
            map.serialize_entry("sha256", &digest)?;
        }
        if let Some(above @ [_, ..]) = caller.chain().get(1..) {
            let above: Vec<_> = above.iter().map(|process| process.executable.as_deref().map(shown)).collect();
            map.serialize_entry("started_by", &above)?;
        }
        map.end()
    }
}

fn shown(path: &Path) -> String {
    cut(&path.to_string_lossy())
}

/// An event that is no call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// Somebody signed in to a server.
    SignIn {
        /// Which.
        server: ServerName,
        /// At whom.
        issuer: String,
        /// As whom: the e-mail address, where the issuer told one.
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<String>,
    },
    /// Somebody signed out of a server.
    SignOut {
        /// Which.
        server: ServerName,
    },
    /// A sign-in was renewed.
    Renewed {
        /// Of which server.
        server: ServerName,
        /// Whose: the e-mail address, where the issuer told one.
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<String>,
    },
    /// A client was registered.
    ClientAdded {
        /// Its name.
        client: ClientName,
    },
    /// Another program is where a client's was: it is not that client until it is registered again.
    ProgramChanged {
        /// Which client.
        client: ClientName,
        /// The file's SHA-256 now, where it could be read.
        #[serde(skip_serializing_if = "Option::is_none")]
        sha256: Option<Digest>,
    },
    /// A client was revoked.
    ClientRevoked {
        /// Its name.
        client: ClientName,
    },
    /// A server was declared.
    ServerAdded {
        /// Its name.
        server: ServerName,
    },
    /// A server was removed.
    ServerRemoved {
        /// Its name.
        server: ServerName,
    },
    /// The person has stopped all access.
    AccessStopped,
    /// The person has allowed access again.
    AccessResumed,
    /// The line before this one was cut off in the middle, as by a crash.
    Repaired {
        /// How many bytes of it are there.
        torn_bytes: u64,
    },
    /// The trail was not as it had been left; the records before this one cannot be relied upon.
    Discontinued {
        /// What was found.
        found: String,
    },
    /// Requests that a door turned away before they were calls, counted over a minute.
    TurnedAway {
        /// At which door.
        door: &'static str,
        /// Why: a stable word.
        reason: &'static str,
        /// Who sent them, where that was known.
        #[serde(skip_serializing_if = "Option::is_none")]
        client: Option<ClientName>,
        /// How many.
        times: u64,
    },
    /// Records could not be written and did not fit in memory.
    Lost {
        /// How many.
        records: u64,
    },
}

/// What was decided about a call, by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may proceed.
    Allowed(RuleId),
    /// It may not.
    Denied(DenyReason),
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered, and the whole answer was passed on.
    Answered {
        /// With this status.
        status: u16,
    },
    /// It was not allowed.
    Denied,
    /// There is no such server.
    UnknownServer,
    /// Its session is not known, or not the caller's.
    UnknownSession,
    /// Another message of its batch was refused; nothing was sent.
    NotSent,
    /// The person has to sign in.
    SignInNeeded,
    /// The server refuses a sign-in that is good.
    RefusedByServer,
    /// The issuer does not answer.
    IssuerUnavailable,
    /// The keychain is locked or does not answer.
    KeyStore,
    /// The server cannot be reached; nothing was sent.
    Unreachable,
    /// The answer broke off.
    Interrupted,
    /// Nobody settled it: the client went away, or the core ended.
    Aborted,
}

impl Outcome {
    /// The word in the record.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Answered { .. } => "answered",
            Self::Denied => "denied",
            Self::UnknownServer => "unknown_server",
            Self::UnknownSession => "unknown_session",
            Self::NotSent => "not_sent",
            Self::SignInNeeded => "sign_in_needed",
            Self::RefusedByServer => "refused_by_server",
            Self::IssuerUnavailable => "issuer_unavailable",
            Self::KeyStore => "key_store",
            Self::Unreachable => "unreachable",
            Self::Interrupted => "interrupted",
            Self::Aborted => "aborted",
        }
    }
}

impl CallEntry {
    /// The record of a call that has just begun; it counts as aborted until it is settled.
    pub(super) fn begun(call: &Call) -> Self {
        let names = call.argument_names.iter().take(MOST_NAMES).map(|name| cut(name));
        let more = call.argument_names.len().checked_sub(MOST_NAMES + 1).map(|rest| format!("… {} more", rest + 1));
        Self {
            who: Who(Arc::clone(&call.caller)),
            server: call.server.clone(),
            method: cut(&call.method),
            tool: call.tool.as_deref().map(cut),
            risk: call.tool.as_ref().map(|_| call.risk),
            arguments: names.chain(more).collect(),
            account: None,
            headers: Vec::new(),
            decision: None,
            reason: None,
            outcome: Outcome::Aborted.word(),
            status: None,
            duration_ms: 0,
        }
    }

    pub(super) fn decided(&mut self, decision: &Decision) {
        let (word, reason) = match decision {
            Decision::Allowed(rule) => ("allow", rule.to_string()),
            Decision::Denied(reason) => ("deny", reason.to_string()),
        };
        self.decision = Some(word);
        self.reason = Some(reason);
    }

    pub(super) fn account(&mut self, email: String) {
        self.account = Some(email);
    }

    pub(super) fn headers(&mut self, names: Vec<String>) {
        self.headers = names;
    }

    pub(super) fn ended(&mut self, outcome: Outcome, duration: std::time::Duration) {
        self.outcome = outcome.word();
        self.status = match outcome {
            Outcome::Answered { status } => Some(status),
            Outcome::Denied
            | Outcome::UnknownServer
            | Outcome::UnknownSession
            | Outcome::NotSent
            | Outcome::SignInNeeded
            | Outcome::RefusedByServer
            | Outcome::IssuerUnavailable
            | Outcome::KeyStore
            | Outcome::Unreachable
            | Outcome::Interrupted
            | Outcome::Aborted => None,
        };
        self.duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    }
}

/// Somebody else's name, at a length that a reader can bear.
fn cut(name: &str) -> String {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", name.get(..end).unwrap_or_default()),
        None => name.to_owned(),
    }
}
