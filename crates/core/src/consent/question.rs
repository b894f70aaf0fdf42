//! What a person is asked, and what can be answered.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use keybearer_model::call::Call;
use keybearer_model::caller::{Caller, Principal};
use keybearer_model::consent::{Lasting, Subject};
use keybearer_model::name::{ClientName, ServerName};
use keybearer_model::program::ProcessId;

/// Which question: never used twice while a core runs, and of no meaning to any lease but the one that it was shown to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct QuestionId(pub(super) u64);

impl fmt::Display for QuestionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "q{}", self.0)
    }
}

impl FromStr for QuestionId {
    type Err = NotAnswered;
    fn from_str(text: &str) -> Result<Self, NotAnswered> {
        text.strip_prefix('q').and_then(|number| number.parse().ok()).map(Self).ok_or(NotAnswered::Unknown)
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub enum Matter {
    /// Whether a call may proceed.
    Call {
        /// The call.
        call: Arc<Call>,
        /// Its arguments as the message has them.
        arguments: Arc<str>,
        /// As whom it would be made, where somebody is signed in.
        account: Option<Box<str>>,
    },
    /// Whether something may be changed that lets more in.
    Change {
        /// What.
        change: Change,
        /// Who wants it.
        caller: Arc<Caller>,
    },
}

/// A change that lets more in than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A new server.
    AddServer {
        /// Its name.
        name: ServerName,
        /// Its URL.
        url: String,
    },
    /// A new client.
    AddClient {
        /// Its name.
        name: ClientName,
        /// Its program; `None` for one that gets a key.
        program: Option<PathBuf>,
        /// The servers it may use; empty means all.
        servers: Vec<ServerName>,
    },
}

impl Matter {
    /// Who asks.
    pub fn caller(&self) -> &Arc<Caller> {
        match self {
            Self::Call { call, .. } => &call.caller,
            Self::Change { caller, .. } => caller,
        }
    }

    pub(super) fn arguments(&self) -> &str {
        match self {
            Self::Call { arguments, .. } => arguments,
            Self::Change { .. } => "",
        }
    }
}

/// What makes questions identical: one answer can count for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Topic {
    /// The same program wants the same thing at the same server.
    Call { principal: Principal, process: Option<ProcessId>, server: ServerName, subject: Subject },
    /// Changes are never identical.
    Change(u64),
}

impl Topic {
    pub(crate) fn of(call: &Call) -> Self {
        Self::Call {
            principal: call.caller.principal(),
            process: call.caller.root().map(keybearer_model::program::Process::id),
            server: call.server.clone(),
            subject: Subject::of(call),
        }
    }

    /// Whether one yes is enough for all who ask: there is nothing to lose in two sessions, while each call acts for
    /// itself, and a yes to one is no yes to doing it twice.
    pub(super) fn one_yes_for_all(&self) -> bool {
        matches!(self, Self::Call { subject: Subject::Connect, .. })
    }
}

/// A question as it is put to the desk.
pub(crate) struct Request {
    pub(crate) topic: Topic,
    pub(crate) matter: Matter,
    /// How long a yes can count; the shortest first, never empty.
    pub(crate) offers: Vec<Lasting>,
    /// How long the person has.
    pub(crate) lives: Duration,
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Given {
    Allowed,
    Denied,
    NoAnswer,
    TooMany,
}

/// A question as the shell shows it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Which.
    pub id: QuestionId,
    /// What is asked.
    pub matter: Matter,
    /// How long a yes can count; the shortest first.
    pub offers: Vec<Lasting>,
    /// How long the person has from now.
    pub left: Duration,
    /// Whether that can be made longer.
    pub more_time: bool,
    /// How many more requests of the same kind wait for it.
    pub others: usize,
}

/// What a person says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// No.
    Deny,
    /// Yes, so long.
    Allow(Lasting),
}

impl Said {
    /// The word for it in records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Allow(lasting) => lasting.word(),
        }
    }
}

/// Why an answer does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnswered {
    /// It came before the question could be read.
    #[error("the question has not been on the screen long enough to be read")]
    TooEarly,
    /// The time is over.
    #[error("the question's time is over")]
    TooLate,
    /// It was answered before.
    #[error("the question was answered already")]
    Twice,
    /// Whoever asked has gone, or the question was put anew.
    #[error("the question is not asked any more")]
    Withdrawn,
    /// There is no such question.
    #[error("there is no such question")]
    Unknown,
    /// That was not among the answers.
    #[error("this answer is not offered")]
    NotOffered,
    /// The peer does not hold the lease.
    #[error("only the Keybearer window can answer questions")]
    NotTheShell,
}

impl NotAnswered {
    /// The word for it in records.
    pub const fn word(self) -> &'static str {
        match self {
            Self::TooEarly => "too_early",
            Self::TooLate => "too_late",
            Self::Twice => "twice",
            Self::Withdrawn => "withdrawn",
            Self::Unknown => "unknown",
            Self::NotOffered => "not_offered",
            Self::NotTheShell => "not_the_shell",
        }
    }
}
