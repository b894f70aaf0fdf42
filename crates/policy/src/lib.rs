//! Decides whether a call may proceed.
//!
//! Pure: no clock, no files, no network, no `async`. A verdict depends on the arguments alone, and carries its reason.
//! Only an explicit rule or a person's consent allows; where neither speaks, `unknown` decides between asking and
//! denying (SEC-57). The one thing that needs neither is that a registered client keeps its session and sees what there
//! is. A consent answers a question beforehand, no more: it never outweighs a rule that denies.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails"))]

pub mod consents;
pub mod pattern;

use keybearer_model::call::{Call, MethodClass};
use keybearer_model::consent::Lasting;
use keybearer_model::time::Timestamp;
use keybearer_model::verdict::{AskReason, DenyReason, RuleId, Verdict};

use crate::consents::Consents;
use crate::pattern::Pattern;

/// What a person wrote down about who may do what.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    /// The rules; their order decides nothing but which of equally strict ones is named.
    pub rules: Vec<Rule>,
    /// What happens where no rule matches.
    pub unknown: Unknown,
}

/// What happens where no rule matches; never an allow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// The person is asked.
    #[default]
    Ask,
    /// It may not proceed.
    Deny,
}

/// What a rule does, from the mildest to the strictest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The call proceeds.
    Allow,
    /// The person is asked, and may answer once and for all.
    Ask,
    /// The person is asked once for each run of the program.
    AskPerSession,
    /// The person is asked each time.
    AskEachTime,
    /// The call does not proceed.
    Deny,
}

/// One rule. In each list one match is enough; an empty list restricts nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Which rule it is, for the audit trail.
    pub id: RuleId,
    /// What it does.
    pub effect: Effect,
    /// Whom it speaks of.
    pub clients: Vec<Pattern>,
    /// Which servers.
    pub servers: Vec<Pattern>,
    /// Which tools. A rule with tools speaks of `tools/call` alone, one without speaks of every message.
    pub tools: Vec<Pattern>,
    /// What it does not speak of after all.
    pub except: Vec<Except>,
}

/// An exception of a rule: it holds where all of its lists match. One that names nothing excepts nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Except {
    /// These clients.
    pub clients: Vec<Pattern>,
    /// These servers.
    pub servers: Vec<Pattern>,
    /// These tools.
    pub tools: Vec<Pattern>,
}

/// Decides: the strictest matching rule wins (deny, ask each time, ask per session, ask, allow). Where that asks, a
/// consent in force answers for the person, if it may count as long as it does.
///
/// `registered` says whether the caller is a client that a person or IT registered, by key or by program.
pub fn decide(policy: &Policy, call: &Call, registered: bool, consents: &Consents, now: Timestamp) -> Verdict {
    match by_rule(policy, call, registered) {
        Verdict::Ask(reason, longest) => match consents.covering(call, longest, now) {
            Some(consent) => Verdict::Allow(RuleId::Consent(consent.number)),
            None => Verdict::Ask(reason, longest),
        },
        verdict @ (Verdict::Allow(_) | Verdict::Deny(_)) => verdict,
    }
}

fn by_rule(policy: &Policy, call: &Call, registered: bool) -> Verdict {
    let mut strictest: Option<&Rule> = None;
    for rule in policy.rules.iter().filter(|rule| rule.matches(call)) {
        if strictest.is_none_or(|other| rule.effect > other.effect) {
            strictest = Some(rule);
        }
    }
    match (strictest, policy.unknown) {
        (Some(rule), _) => rule.verdict(),
        (None, _) if is_upkeep(call.class) && (registered || policy.names(call)) => {
            Verdict::Allow(RuleId::RegisteredClient)
        }
        (None, Unknown::Ask) => Verdict::Ask(AskReason::Unknown, Lasting::Always),
        (None, Unknown::Deny) => Verdict::Deny(DenyReason::Unknown),
    }
}

impl Policy {
    /// Whether some rule lets this caller do or ask for something at this server.
    fn names(&self, call: &Call) -> bool {
        self.rules.iter().any(|rule| match rule.effect {
            Effect::Allow | Effect::Ask | Effect::AskPerSession | Effect::AskEachTime => {
                any_client(&rule.clients, call) && any_server(&rule.servers, call)
            }
            Effect::Deny => false,
        })
    }
}

impl Rule {
    fn matches(&self, call: &Call) -> bool {
        any_client(&self.clients, call)
            && any_server(&self.servers, call)
            && any_tool(&self.tools, call)
            && !self.except.iter().any(|except| except.matches(call))
    }

    fn verdict(&self) -> Verdict {
        let ask = |longest| Verdict::Ask(AskReason::Rule(self.id.clone()), longest);
        match self.effect {
            Effect::Allow => Verdict::Allow(self.id.clone()),
            Effect::Ask => ask(Lasting::Always),
            Effect::AskPerSession => ask(Lasting::Session),
            Effect::AskEachTime => ask(Lasting::Once),
            Effect::Deny => Verdict::Deny(DenyReason::Rule(self.id.clone())),
        }
    }
}

impl Except {
    fn matches(&self, call: &Call) -> bool {
        let names_something = !(self.clients.is_empty() && self.servers.is_empty() && self.tools.is_empty());
        names_something
            && any_client(&self.clients, call)
            && any_server(&self.servers, call)
            && any_tool(&self.tools, call)
    }
}

/// Whether messages of this class only keep a session or show what there is.
fn is_upkeep(class: MethodClass) -> bool {
    match class {
        MethodClass::Session | MethodClass::List => true,
        MethodClass::Read | MethodClass::ToolCall | MethodClass::Other => false,
    }
}

fn any_client(patterns: &[Pattern], call: &Call) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches_caller(&call.caller))
}

fn any_server(patterns: &[Pattern], call: &Call) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(call.server.as_str()))
}

fn any_tool(patterns: &[Pattern], call: &Call) -> bool {
    let tool = call.tool.as_deref().unwrap_or_default();
    let calls_a_tool = call.class == MethodClass::ToolCall;
    patterns.is_empty() || calls_a_tool && patterns.iter().any(|pattern| pattern.matches(tool))
}

#[cfg(test)]
mod tests;
