//! Policy's answer to a call: a value with its reason.

use std::fmt;

use crate::consent::Lasting;

/// Names the rule that decided: where it stands and which it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RuleId {
    /// The rule with this number (from 1) in the person's `config.toml`, on this line.
    User {
        /// Position among the rules, from 1.
        number: usize,
        /// Line in the file, from 1.
        line: usize,
    },
    /// No rule: the client is registered, and the message only keeps its session or lists what there is.
    RegisteredClient,
    /// No rule: a person answered the question.
    Person,
    /// No rule: a person has allowed it before, and this is the number of that permission.
    Consent(u64),
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User { number, line } => write!(f, "rule {number} (config.toml line {line})"),
            Self::RegisteredClient => f.write_str("the client is registered"),
            Self::Person => f.write_str("allowed by the person"),
            Self::Consent(number) => write!(f, "permission {number}"),
        }
    }
}

/// Why a question is put to the person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskReason {
    /// This rule says so.
    Rule(RuleId),
    /// No rule matches, and `unknown = "ask"`.
    Unknown,
}

/// Why a call may not proceed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DenyReason {
    /// This rule says so.
    Rule(RuleId),
    /// No rule matches, and `unknown = "deny"`.
    Unknown,
    /// The person said no.
    Person,
    /// Nobody is there to ask: no prompter is attached.
    NobodyToAsk,
    /// The person did not answer in time.
    NoAnswer,
    /// Too many questions wait already, or this caller was refused too often of late.
    TooManyQuestions,
    /// The client is registered for other servers only.
    NotThisServer,
    /// The person has stopped all access.
    Stopped,
}

impl fmt::Display for DenyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rule(rule) => rule.fmt(f),
            Self::Unknown => f.write_str("no rule allows it"),
            Self::Person => f.write_str("refused by the person"),
            Self::NobodyToAsk => f.write_str("nobody is there to ask"),
            Self::NoAnswer => f.write_str("no answer in time"),
            Self::TooManyQuestions => f.write_str("too many questions"),
            Self::NotThisServer => f.write_str("the client is registered for other servers"),
            Self::Stopped => f.write_str("all access is stopped"),
        }
    }
}

/// Policy's answer: allow, ask or deny, each with its reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It may proceed.
    Allow(RuleId),
    /// The person decides, and a yes may count so long at most.
    Ask(AskReason, Lasting),
    /// It may not proceed.
    Deny(DenyReason),
}
