//! What a record says.

use std::borrow::Cow;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderName;
use keybearer_model::call::Call;
use keybearer_model::caller::Caller;
use keybearer_model::consent::{Consent, Subject};
use keybearer_model::grant::Account;
use keybearer_model::name::{ClientName, ServerName};
use keybearer_model::program::Digest;
use keybearer_model::verdict::{DenyReason, RuleId};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use smol_str::SmolStr;

use crate::consent::question::{Change, Matter};

/// The longest name of somebody else's that is recorded, in characters.
const LONGEST: usize = 200;

/// The most argument names that are recorded of one call.
const MOST_NAMES: usize = 64;

/// One record.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Entry {
    /// A call, from its classification to its end.
    Call(CallEntry),
    /// Anything else.
    Event(Event),
}

/// One call. It shares what the call knows.
#[derive(Clone, Debug)]
pub struct CallEntry {
    call: Arc<Call>,
    account: Option<Arc<Account>>,
    headers: Vec<HeaderName>,
    decision: Option<Decision>,
    outcome: Outcome,
    duration: Duration,
    /// The number of its messages, where somebody looks at them.
    exchange: Option<u64>,
}

impl Serialize for CallEntry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let call = &*self.call;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("event", "call")?;
        who::<S>(&call.caller, &mut map)?;
        map.serialize_entry("server", &call.server)?;
        map.serialize_entry("method", &cut(&call.method))?;
        if let Some(tool) = &call.tool {
            map.serialize_entry("tool", &cut(tool))?;
            map.serialize_entry("risk", &call.risk)?;
        }
        if !call.argument_names.is_empty() {
            map.serialize_entry("arguments", &arguments(&call.argument_names))?;
        }
        if let Some(email) = self.account.as_ref().and_then(|account| account.email.as_deref()) {
            map.serialize_entry("account", email)?;
        }
        if !self.headers.is_empty() {
            map.serialize_entry("headers", &self.headers.iter().map(HeaderName::as_str).collect::<Vec<_>>())?;
        }
        if let Some(decision) = &self.decision {
            map.serialize_entry("decision", decision.word())?;
            map.serialize_entry("reason", &format_args!("{decision}"))?;
            decision.basis::<S>(&mut map)?;
        }
        map.serialize_entry("outcome", self.outcome.word())?;
        if let Outcome::Answered { status } = self.outcome {
            map.serialize_entry("status", &status)?;
        }
        map.serialize_entry("duration_ms", &u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX))?;
        if let Some(exchange) = self.exchange {
            map.serialize_entry("exchange", &exchange)?;
        }
        map.end()
    }
}

/// Who called.
fn who<S: Serializer>(caller: &Caller, map: &mut S::SerializeMap) -> Result<(), S::Error> {
    if let Some(client) = &caller.client {
        map.serialize_entry("client", client.as_str())?;
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
    Ok(())
}

fn arguments(names: &[SmolStr]) -> Vec<Cow<'_, str>> {
    let more = names.len().checked_sub(MOST_NAMES + 1).map(|rest| Cow::Owned(format!("… {} more", rest + 1)));
    names.iter().take(MOST_NAMES).map(|name| cut(name)).chain(more).collect()
}

fn shown(path: &Path) -> String {
    cut(&path.to_string_lossy()).into_owned()
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
        /// Where it deviates from the standards, and who lets it.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        deviations: Vec<String>,
        /// The servers that the same sign-in served before: no page was shown for this one.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        shares_with: Vec<ServerName>,
    },
    /// A sign-in ends soon, and its person was told.
    SignInEnds {
        /// Whom it serves.
        servers: Vec<ServerName>,
        /// At whom.
        issuer: String,
        /// As whom: the e-mail address, where the issuer told one.
        #[serde(skip_serializing_if = "Option::is_none")]
        account: Option<String>,
        /// When, RFC 3339.
        at: String,
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
    /// A person answered a question at the shell.
    Answered {
        /// What was asked.
        #[serde(flatten)]
        about: About,
        /// `deny`, or how long a yes counts.
        answer: &'static str,
    },
    /// An answer that does not count: from somebody who may not answer, or not in time, or twice.
    AnswerRefused {
        /// Who brought it, where that is not the shell.
        #[serde(skip_serializing_if = "Option::is_none")]
        program: Option<String>,
        /// A stable word.
        why: &'static str,
    },
    /// A shell was let answer questions.
    PrompterAttached {
        /// Its program.
        program: String,
    },
    /// A program that is not the shell wanted to answer questions, or one answers already.
    PrompterRefused {
        /// Its program, where the system named it.
        #[serde(skip_serializing_if = "Option::is_none")]
        program: Option<String>,
        /// A stable word.
        why: &'static str,
    },
    /// What a person has allowed beyond one call.
    PermissionGiven {
        /// Its number.
        permission: u64,
        /// What it is about.
        #[serde(flatten)]
        about: About,
        /// How long it counts.
        lasts: &'static str,
    },
    /// A permission does not count any more.
    PermissionEnded {
        /// Its number.
        permission: u64,
        /// What it was about.
        #[serde(flatten)]
        about: About,
        /// A stable word.
        why: &'static str,
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
    /// A shell shows the messages of calls from now on, their secrets cut.
    InspectionBegun {
        /// Its program.
        #[serde(skip_serializing_if = "Option::is_none")]
        program: Option<String>,
    },
    /// It shows them no longer.
    InspectionEnded,
    /// Records could not be written and did not fit in memory.
    Lost {
        /// How many.
        records: u64,
    },
}

/// What a question or a permission is about.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct About {
    #[serde(skip_serializing_if = "Option::is_none")]
    client: Option<ClientName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    program: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<ServerName>,
    /// `connect`, `call`, or the change that was wanted.
    matter: &'static str,
    /// `connect`, the name of a tool or method, or the change that was wanted.
    what: String,
}

impl About {
    /// What a question is about.
    pub(crate) fn of(matter: &Matter) -> Self {
        let caller = matter.caller();
        let (server, what) = match matter {
            Matter::Call { call, .. } => (Some(call.server.clone()), what(&Subject::of(call))),
            Matter::Change { change: Change::AddServer { name, .. }, .. } => {
                (Some(name.clone()), "add_server".to_owned())
            }
            Matter::Change { change: Change::AddClient { name, .. }, .. } => (None, format!("add_client {name}")),
        };
        let matter = match matter {
            Matter::Call { call, .. } => word(&Subject::of(call)),
            Matter::Change { change: Change::AddServer { .. }, .. } => "add_server",
            Matter::Change { change: Change::AddClient { .. }, .. } => "add_client",
        };
        let program = caller.executable().map(|path| shown(path));
        Self { client: caller.client.clone(), program, server, matter, what }
    }

    /// What a permission is about.
    pub(crate) fn of_consent(consent: &Consent) -> Self {
        let program = consent.program.as_deref().map(shown);
        Self {
            client: consent.client.clone(),
            program,
            server: Some(consent.server.clone()),
            matter: word(&consent.subject),
            what: what(&consent.subject),
        }
    }
}

const fn word(subject: &Subject) -> &'static str {
    match subject {
        Subject::Connect => "connect",
        Subject::Tool(_) | Subject::Method(_) => "call",
    }
}

fn what(subject: &Subject) -> String {
    match subject {
        Subject::Connect => "connect".to_owned(),
        Subject::Tool(name) | Subject::Method(name) => cut(name).into_owned(),
    }
}

/// What was decided about a call, by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may proceed.
    Allowed(RuleId),
    /// It may not.
    Denied(DenyReason),
}

impl Decision {
    /// The word in the record.
    const fn word(&self) -> &'static str {
        match self {
            Self::Allowed(_) => "allow",
            Self::Denied(_) => "deny",
        }
    }

    /// What the reason says, for whoever does not read sentences.
    fn basis<S: Serializer>(&self, map: &mut S::SerializeMap) -> Result<(), S::Error> {
        let word = match self {
            Self::Allowed(rule) | Self::Denied(DenyReason::Rule(rule)) => match rule {
                RuleId::User { number, line } => {
                    map.serialize_entry("rule", number)?;
                    map.serialize_entry("line", line)?;
                    "rule"
                }
                RuleId::RegisteredClient => "registered_client",
                RuleId::Person => "person",
                RuleId::Consent(number) => {
                    map.serialize_entry("permission", number)?;
                    "permission"
                }
            },
            Self::Denied(DenyReason::Unknown) => "no_rule",
            Self::Denied(DenyReason::Person) => "person",
            Self::Denied(DenyReason::NobodyToAsk) => "nobody_to_ask",
            Self::Denied(DenyReason::NoAnswer) => "no_answer",
            Self::Denied(DenyReason::TooManyQuestions) => "too_many_questions",
            Self::Denied(DenyReason::NotThisServer) => "other_servers",
            Self::Denied(DenyReason::Stopped) => "stopped",
        };
        map.serialize_entry("basis", word)
    }
}

/// Its reason.
impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowed(rule) => rule.fmt(f),
            Self::Denied(reason) => reason.fmt(f),
        }
    }
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
    pub(super) fn begun(call: Arc<Call>) -> Self {
        Self {
            call,
            account: None,
            headers: Vec::new(),
            decision: None,
            outcome: Outcome::Aborted,
            duration: Duration::ZERO,
            exchange: None,
        }
    }

    pub(super) fn decided(&mut self, decision: Decision) {
        self.decision = Some(decision);
    }

    pub(super) fn account(&mut self, account: Arc<Account>) {
        self.account = Some(account);
    }

    pub(super) fn headers(&mut self, names: Vec<HeaderName>) {
        self.headers = names;
    }

    pub(super) fn inspected(&mut self, exchange: u64) {
        self.exchange = Some(exchange);
    }

    pub(super) fn ended(&mut self, outcome: Outcome, duration: Duration) {
        (self.outcome, self.duration) = (outcome, duration);
    }
}

/// Somebody else's name, at a length that a reader can bear.
fn cut(name: &str) -> Cow<'_, str> {
    match name.char_indices().nth(LONGEST) {
        Some((end, _)) => Cow::Owned(format!("{}…", name.get(..end).unwrap_or_default())),
        None => Cow::Borrowed(name),
    }
}
