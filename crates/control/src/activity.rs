//! The audit trail as the window shows it: one record, with every foreign text clean.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::plain::clean;

/// One record of the audit trail. What a kind of event does not have is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Record {
    /// Its number.
    pub seq: u64,
    /// When, RFC 3339.
    pub time: String,
    /// What happened.
    pub event: Happening,
    /// The app, by the name that it is registered under.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub client: Option<String>,
    /// The app's executable.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub program: Option<String>,
    /// The programs above it, the nearest first; one that the system does not name is empty.
    #[serde(default, deserialize_with = "unnamed")]
    pub started_by: Vec<String>,
    /// The server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub server: Option<String>,
    /// The message's method.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub method: Option<String>,
    /// The tool that was called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub tool: Option<String>,
    /// What the tool may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub risk: Option<Risk>,
    /// The names of its arguments; their values are not recorded.
    #[serde(default)]
    pub arguments: Vec<String>,
    /// As whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<String>,
    /// The names of the app's headers that went on to the server.
    #[serde(default)]
    pub headers: Vec<String>,
    /// What was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub decision: Option<Decision>,
    /// Which rule decided, or who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub reason: Option<String>,
    /// How it ended: a stable word.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub outcome: Option<Outcome>,
    /// The server's HTTP status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub status: Option<u16>,
    /// How long it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub duration_ms: Option<u64>,
    /// The company sign-in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub issuer: Option<String>,
    /// How often.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub times: Option<u64>,
    /// On what the decision rests; `reason` says the same in English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub basis: Option<Basis>,
    /// The number of the rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub rule: Option<u32>,
    /// The rule's line in `config.toml`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub line: Option<u32>,
    /// The number of the permission.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub permission: Option<u64>,
    /// What a question or a permission is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub matter: Option<Topic>,
    /// Its tool, method, or the name of the app that was to be connected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub what: Option<String>,
    /// What the person said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub answer: Option<Said>,
    /// How long a permission lasts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub lasts: Option<Said>,
    /// Why an answer or a permission does not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub why: Option<Why>,
    /// The servers that one sign-in serves.
    #[serde(default)]
    pub servers: Vec<String>,
    /// The number of the call's messages, where somebody looked at them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub exchange: Option<u64>,
    /// When a sign-in ends, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub at: Option<String>,
}

/// What a record is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// A call.
    Call,
    /// Somebody signed in.
    SignIn,
    /// A sign-in ends soon.
    SignInEnds,
    /// Somebody signed out.
    SignOut,
    /// A sign-in was renewed.
    Renewed,
    /// An app was registered.
    ClientAdded,
    /// A person answered a question.
    Answered,
    /// An answer did not count.
    AnswerRefused,
    /// A shell was let answer questions.
    PrompterAttached,
    /// Somebody who may not wanted to answer questions.
    PrompterRefused,
    /// A permission was given.
    PermissionGiven,
    /// A permission does not count any more.
    PermissionEnded,
    /// Another program is where an app's was.
    ProgramChanged,
    /// An app was revoked.
    ClientRevoked,
    /// A server was declared.
    ServerAdded,
    /// A server was removed.
    ServerRemoved,
    /// All access was stopped.
    AccessStopped,
    /// Access was allowed again.
    AccessResumed,
    /// The trail's last line was cut off.
    Repaired,
    /// The trail was changed by somebody else.
    Discontinued,
    /// Requests were turned away at a door.
    TurnedAway,
    /// The messages of calls were shown at the shell from now on.
    InspectionBegun,
    /// They are not shown any more.
    InspectionEnded,
    /// Records were lost.
    Lost,
    /// Something that this window does not know yet.
    #[default]
    #[serde(other)]
    Other,
}

/// What was decided about a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It may proceed.
    Allow,
    /// It may not.
    Deny,
}

/// On what a decision rests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A rule of `config.toml`.
    Rule,
    /// The app is registered, and the message only keeps its session or lists what there is.
    RegisteredClient,
    /// The person's answer.
    Person,
    /// A permission.
    Permission,
    /// No rule allows it.
    NoRule,
    /// Nobody was there to ask.
    NobodyToAsk,
    /// The person did not answer in time.
    NoAnswer,
    /// Too many questions waited.
    TooManyQuestions,
    /// The app may use other servers.
    OtherServers,
    /// All access is stopped.
    Stopped,
    /// Something that this window does not know yet.
    #[serde(other)]
    Other,
}

/// What a question or a permission is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// Connecting to a server and seeing what there is.
    Connect,
    /// A tool or method.
    Call,
    /// A new server.
    AddServer,
    /// A new app.
    AddClient,
    /// Something that this window does not know yet.
    #[serde(other)]
    Other,
}

/// What a person said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Said {
    /// No.
    Deny,
    /// Yes, this once.
    Once,
    /// Yes, until the program closes.
    Session,
    /// Yes, until midnight.
    Today,
    /// Yes, until it is revoked.
    Always,
    /// Something that this window does not know yet.
    #[serde(other)]
    Other,
}

/// Why an answer or a permission does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It came before the question could be read.
    TooEarly,
    /// Its time was over.
    TooLate,
    /// The question was answered before.
    Twice,
    /// The question was not asked any more.
    Withdrawn,
    /// There was no such question.
    Unknown,
    /// That was not among the answers.
    NotOffered,
    /// It did not come from the shell.
    NotTheShell,
    /// Another shell answers questions.
    Taken,
    /// The person took it back.
    Revoked,
    /// Its program has closed.
    ProgramClosed,
    /// Another program is in the place of its app's.
    ProgramChanged,
    /// Its app was revoked.
    ClientRevoked,
    /// Its server was removed.
    ServerRemoved,
    /// Its time is over.
    RanOut,
    /// Something that this window does not know yet.
    #[serde(other)]
    Other,
}

/// What a tool may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// It looks.
    Read,
    /// It changes something.
    Change,
    /// It removes something.
    Delete,
    /// It sends something to the outside.
    Send,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The server answered.
    Answered,
    /// It was not allowed.
    Denied,
    /// There is no such server.
    UnknownServer,
    /// Its session is not known.
    UnknownSession,
    /// Another message of its batch was refused.
    NotSent,
    /// The person has to sign in.
    SignInNeeded,
    /// The server refuses a good sign-in.
    RefusedByServer,
    /// The company sign-in does not answer.
    IssuerUnavailable,
    /// The keychain does not answer.
    KeyStore,
    /// The server cannot be reached.
    Unreachable,
    /// The answer broke off.
    Interrupted,
    /// The app went away.
    Aborted,
    /// Something that this window does not know yet.
    #[serde(other)]
    Other,
}

impl Record {
    /// The record of a line of the trail; `None` for what is none.
    pub fn read(line: serde_json::Value) -> Option<Self> {
        let mut record: Self = serde_json::from_value(line).ok()?;
        let Self { client, program, server, method, tool, account, reason, issuer, what, at, .. } = &mut record;
        for text in [client, program, server, method, tool, account, reason, issuer, what, at].into_iter().flatten() {
            *text = clean(text);
        }
        let Self { started_by, arguments, headers, servers, .. } = &mut record;
        for text in [started_by, arguments, headers, servers].into_iter().flatten() {
            *text = clean(text);
        }
        Some(record)
    }
}

/// Texts of which some may be unknown.
fn unnamed<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts = Vec::<Option<String>>::deserialize(deserializer)?;
    Ok(texts.into_iter().map(Option::unwrap_or_default).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_of_the_trail_becomes_a_record_and_its_texts_are_clean() {
        let line = json!({
            "seq": 7, "time": "2026-11-30T10:42:00Z", "prev": "00", "event": "call", "client": "claude-desktop",
            "started_by": ["/usr/bin/sh", null], "server": "crm", "method": "tools/call", "tool": "find\u{202e}tcatnoc",
            "risk": "read", "arguments": ["na\u{200b}me"], "decision": "allow", "reason": "rule 1", "outcome": "answered",
            "status": 200, "duration_ms": 12
        });
        let record = Record::read(line).unwrap();
        assert_eq!((record.event, record.risk), (Happening::Call, Some(Risk::Read)));
        assert_eq!(record.tool.as_deref(), Some("find\u{FFFD}tcatnoc"));
        assert_eq!(record.arguments, ["na\u{FFFD}me"]);
        assert_eq!(record.started_by, ["/usr/bin/sh", ""]);
    }

    #[test]
    fn what_is_not_known_is_shown_all_the_same() {
        let later = json!({ "seq": 1, "time": "t", "event": "from_the_future", "outcome": "better", "more": true });
        let record = Record::read(later).unwrap();
        assert_eq!((record.event, record.outcome), (Happening::Other, Some(Outcome::Other)));
        assert_eq!(Record::read(json!("no record")), None);
    }
}
