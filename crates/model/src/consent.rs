//! What a person has allowed beyond one call: to whom, where, what for, and until when.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

use crate::call::{Call, MethodClass, RiskClass};
use crate::caller::{Attribution, Caller, Identity, Principal};
use crate::name::{ClientName, ServerName};
use crate::program::{Process, ProcessId};
use crate::time::Timestamp;

/// How long a consent for a running program lasts at most.
pub const LONGEST_SESSION: Duration = Duration::from_secs(12 * 3600);

/// How long a program that is hardly known may be idle before its consent ends.
pub const LONGEST_IDLE: Duration = Duration::from_secs(10 * 60);

/// How long a yes counts, from the shortest to the longest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lasting {
    /// This one call.
    Once,
    /// Until the asking program closes, [`LONGEST_SESSION`] at most.
    Session,
    /// Until midnight, where the person is.
    Today,
    /// Until it is revoked.
    Always,
}

impl Lasting {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Once, Self::Session, Self::Today, Self::Always];

    /// The word for it in records and on the wire.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Session => "session",
            Self::Today => "today",
            Self::Always => "always",
        }
    }
}

/// What a yes is about: calls of one subject are alike.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// Beginning and keeping a session, and seeing what there is.
    Connect,
    /// Calling this tool.
    Tool(SmolStr),
    /// Any other method: reading a resource, for example.
    Method(SmolStr),
}

impl Subject {
    /// What a call is about.
    pub fn of(call: &Call) -> Self {
        match (call.class, &call.tool) {
            (MethodClass::Session | MethodClass::List, _) => Self::Connect,
            (MethodClass::ToolCall, Some(tool)) => Self::Tool(tool.clone()),
            (MethodClass::ToolCall | MethodClass::Read | MethodClass::Other, _) => Self::Method(call.method.clone()),
        }
    }

    fn covers(&self, call: &Call) -> bool {
        match (self, call.class) {
            // Whoever may do something at a server may come in there and see what there is.
            (_, MethodClass::Session | MethodClass::List) => true,
            (Self::Connect, MethodClass::Read | MethodClass::ToolCall | MethodClass::Other) => false,
            (Self::Tool(tool), _) => call.class == MethodClass::ToolCall && call.tool.as_ref() == Some(tool),
            (Self::Method(method), _) => call.tool.is_none() && call.method == *method,
        }
    }
}

/// A consent: what a person has allowed beyond one call.
#[derive(Debug)]
pub struct Consent {
    /// Its number, never given twice.
    pub number: u64,
    /// Whose it is.
    pub principal: Principal,
    /// Its registered name, if it has one.
    pub client: Option<ClientName>,
    /// Its program, for a person to read.
    pub program: Option<PathBuf>,
    /// Whose end is its end; `None` for one that outlives its program.
    pub process: Option<ProcessId>,
    /// At which server.
    pub server: ServerName,
    /// What for.
    pub subject: Subject,
    /// As whom: the account that was signed in there, if one was known. As somebody else it does not count.
    pub account: Option<Box<str>>,
    /// How long.
    pub lasting: Lasting,
    /// When it was given.
    pub given: Timestamp,
    /// When it ends by itself.
    pub ends: Option<Timestamp>,
    /// It ends after so long without a call.
    pub idle: Option<Duration>,
    /// When it last let something pass: the one thing of it that changes.
    pub used: Used,
}

/// When something was last used.
#[derive(Debug)]
pub struct Used(AtomicI64);

impl Used {
    /// Last used at this time.
    pub fn at(time: Timestamp) -> Self {
        Self(AtomicI64::new(time.as_millis()))
    }

    /// Notes that it is used now.
    pub fn note(&self, now: Timestamp) {
        self.0.store(now.as_millis(), Ordering::Relaxed);
    }

    /// When it was last used.
    pub fn last(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(Ordering::Relaxed))
    }
}

impl Consent {
    /// Whether it counts now. A clock that was set back before it was given ends it, too.
    pub fn is_in_force(&self, now: Timestamp) -> bool {
        let idle = self.idle.is_some_and(|longest| now.since(self.used.last()) >= longest);
        now >= self.given && self.ends.is_none_or(|end| now < end) && !idle
    }

    /// Whether it lets this call pass, as far as who and what are concerned.
    pub fn covers(&self, call: &Call) -> bool {
        self.principal == call.caller.principal()
            && self.server == call.server
            && self.subject.covers(call)
            && self.process.is_none_or(|process| call.caller.root().map(Process::id) == Some(process))
    }

    /// Whether it counts for a call as this account. One that was given before anybody had signed in counts for whoever
    /// did.
    pub fn is_for(&self, account: Option<&str>) -> bool {
        self.account.as_deref().is_none_or(|given| account == Some(given))
    }
}

/// How well a caller is known, which decides how long a yes to it can count (SEC-11).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// It has shown the key of a registered client.
    Key,
    /// It is the program of a registered client.
    Registered,
    /// It is known by its file, and nobody has registered it.
    Program,
    /// Hardly: an interpreter, or a program that could not be identified.
    Weak,
}

impl Known {
    /// How well this caller is known.
    pub fn of(caller: &Caller) -> Self {
        match (&caller.identity, caller.attribution(), &caller.client) {
            (Identity::Key, _, _) => Self::Key,
            (Identity::Chain(_), None | Some(Attribution::Weak), _) => Self::Weak,
            (Identity::Chain(_), Some(Attribution::Medium | Attribution::Strong), Some(_)) => Self::Registered,
            (Identity::Chain(_), Some(Attribution::Medium | Attribution::Strong), None) => Self::Program,
        }
    }
}

/// How long a yes to this call can count, as far as its caller is known and its risk goes; the shortest comes first.
pub fn lastings(call: &Call) -> Vec<Lasting> {
    let known = Known::of(&call.caller);
    let can = |lasting| match lasting {
        Lasting::Once => true,
        // A key holder's end cannot be seen, and neither can that of a program without a process.
        Lasting::Session => call.caller.root().is_some() && (known != Known::Weak || !is_grave(call.risk)),
        Lasting::Today => matches!(known, Known::Key | Known::Registered),
        Lasting::Always => matches!(known, Known::Key | Known::Registered) && !is_grave(call.risk),
    };
    Lasting::ALL.into_iter().filter(|lasting| can(*lasting)).collect()
}

/// Whether what was done cannot be taken back.
fn is_grave(risk: RiskClass) -> bool {
    match risk {
        RiskClass::Read | RiskClass::Change => false,
        RiskClass::Delete | RiskClass::Send => true,
    }
}

#[cfg(test)]
mod tests;
