//! Questions and permissions as the wire shows them: words of others cleaned and cut, times as they are written.

use std::path::Path;
use std::time::UNIX_EPOCH;

use keybearer_control::arguments::members;
use keybearer_control::plain::{clean, middle};
use keybearer_control::prompt::{Argument, Asker, Known, Lasting, Matter, Permission, Question, Wants};
use keybearer_core::broker::Broker;
use keybearer_core::connect::catalog;
use keybearer_core::consent::question::{self, Change, Shown};
use keybearer_model::call::{Call, MethodClass, RiskClass};
use keybearer_model::caller::{Caller, Process};
use keybearer_model::consent::{self, Consent, Subject};
use keybearer_model::time::Timestamp;
use keybearer_os::peer;

/// Arguments beyond this many are counted, not shown.
const MOST_ARGUMENTS: usize = 64;

/// Characters of one value, and of all together, that go to the shell.
const LONGEST_VALUE: usize = 4_000;
const LONGEST_VALUES: usize = 64_000;

/// Characters of a name.
const LONGEST_NAME: usize = 200;

/// A question.
pub(super) fn question(shown: &Shown, broker: &Broker) -> Question {
    let matter = match &shown.matter {
        question::Matter::Call { call, arguments, account } => call_matter(call, arguments, account.as_deref()),
        question::Matter::Change { change, .. } => change_matter(change),
    };
    Question {
        id: shown.id.to_string(),
        asker: asker(shown.matter.caller(), broker),
        matter,
        lastings: shown.offers.iter().map(|lasting| self::lasting(*lasting)).collect(),
        left_ms: u64::try_from(shown.left.as_millis()).unwrap_or(u64::MAX),
        more_time: shown.more_time,
        others: u32::try_from(shown.others).unwrap_or(u32::MAX),
    }
}

/// A permission.
pub(crate) fn permission(consent: &Consent) -> Permission {
    let holder = match (&consent.client, &consent.program) {
        (Some(client), _) => Some(client.to_string()),
        (None, Some(path)) => Some(file_name(path)),
        (None, None) => None,
    };
    Permission {
        number: consent.number,
        holder,
        program: consent.program.as_deref().map(shown_path),
        server: consent.server.to_string(),
        what: match &consent.subject {
            Subject::Connect => None,
            Subject::Tool(name) | Subject::Method(name) => Some(name_of(name)),
        },
        account: consent.account.as_deref().map(name_of),
        lasting: lasting(consent.lasting),
        given: consent.given.to_string(),
        ends: consent.ends.map(|end| end.to_string()),
    }
}

/// How long, as the wire says it.
pub(crate) fn lasting(lasting: consent::Lasting) -> Lasting {
    match lasting {
        consent::Lasting::Once => Lasting::Once,
        consent::Lasting::Session => Lasting::Session,
        consent::Lasting::Today => Lasting::Today,
        consent::Lasting::Always => Lasting::Always,
    }
}

/// How long, as the wire said it.
pub(super) fn of_wire(lasting: Lasting) -> consent::Lasting {
    match lasting {
        Lasting::Once => consent::Lasting::Once,
        Lasting::Session => consent::Lasting::Session,
        Lasting::Today => consent::Lasting::Today,
        Lasting::Always => consent::Lasting::Always,
    }
}

fn call_matter(call: &Call, arguments: &str, account: Option<&str>) -> Matter {
    let (arguments, omitted) = self::arguments(arguments);
    Matter::Call {
        server: call.server.to_string(),
        wants: match (call.class, call.risk) {
            (MethodClass::Session, _) => Wants::Connect,
            (MethodClass::List, _) => Wants::List,
            (MethodClass::Read | MethodClass::ToolCall | MethodClass::Other, RiskClass::Read) => Wants::Read,
            (MethodClass::Read | MethodClass::ToolCall | MethodClass::Other, RiskClass::Change) => Wants::Change,
            (MethodClass::Read | MethodClass::ToolCall | MethodClass::Other, RiskClass::Delete) => Wants::Delete,
            (MethodClass::Read | MethodClass::ToolCall | MethodClass::Other, RiskClass::Send) => Wants::Send,
        },
        method: call.tool.is_none().then(|| name_of(&call.method)),
        tool: call.tool.as_deref().map(name_of),
        account: account.map(name_of),
        arguments,
        omitted,
    }
}

fn change_matter(change: &Change) -> Matter {
    match change {
        Change::AddServer { name, url } => Matter::AddServer { name: name.to_string(), url: middle(&clean(url), 400) },
        Change::AddClient { name, program, servers } => Matter::AddClient {
            name: name.to_string(),
            program: program.as_deref().map(shown_path),
            servers: servers.iter().map(ToString::to_string).collect(),
        },
    }
}

/// The arguments that are shown, and how many are not.
fn arguments(text: &str) -> (Vec<Argument>, u32) {
    let read = match members(text) {
        Some(members) => members.iter().map(|(name, value)| argument(name, value.get())).collect(),
        None if text.is_empty() => Vec::new(),
        None => vec![argument("", text)],
    };
    let (mut shown, mut room) = (Vec::new(), LONGEST_VALUES);
    for argument in read.iter().take(MOST_ARGUMENTS) {
        room = room.saturating_sub(argument.value.len());
        if room > 0 {
            shown.push(argument.clone());
        }
    }
    let omitted = u32::try_from(read.len() - shown.len()).unwrap_or(u32::MAX);
    (shown, omitted)
}

fn argument(name: &str, value: &str) -> Argument {
    let cleaned = clean(value);
    let characters = u32::try_from(cleaned.chars().count()).unwrap_or(u32::MAX);
    Argument { name: name_of(name), value: cleaned.chars().take(LONGEST_VALUE).collect(), characters }
}

fn asker(caller: &Caller, broker: &Broker) -> Asker {
    let client = caller.client.as_ref().map(ToString::to_string);
    // What `connect` registers has the catalogue's name for its id.
    let listed = client.as_ref().and_then(|id| catalog::known().ok()?.into_iter().find(|known| known.id == *id));
    let name = listed.as_ref().map(|known| known.name.clone()).or(client);
    // A registered client by a program shows that, even where only its key has come.
    let registered = caller.client.as_ref().and_then(|name| broker.clients().by_name(name)?.stored.program.clone());
    let path = caller.executable().map(|path| shown_path(path)).or_else(|| registered.map(|path| clean(&path)));
    Asker {
        name: name.or_else(|| caller.executable().map(|path| file_name(path))),
        known: match consent::Known::of(caller) {
            consent::Known::Key => Known::Key,
            consent::Known::Registered => Known::Registered,
            consent::Known::Program => Known::Program,
            consent::Known::Weak => Known::Weak,
        },
        path,
        // No system that is supported so far vouches for a maker here: packages are not asked.
        publisher: None,
        icon: listed.map(|known| known.id),
        started: caller.root().and_then(begun),
        started_by: started_by(caller),
    }
}

/// The program above the one that asks, as a name.
fn started_by(caller: &Caller) -> Option<String> {
    let root = caller.root()?;
    let above = caller.chain().iter().skip_while(|process| process.id() != root.id()).nth(1)?;
    above.executable.as_deref().map(file_name)
}

fn begun(process: &Process) -> Option<String> {
    let since = peer::begun_at(process)?.duration_since(UNIX_EPOCH).ok()?;
    Some(Timestamp::from_millis(i64::try_from(since.as_millis()).ok()?).to_string())
}

fn file_name(path: &Path) -> String {
    name_of(&path.file_name().unwrap_or(path.as_os_str()).to_string_lossy())
}

fn shown_path(path: &Path) -> String {
    middle(&clean(&path.to_string_lossy()), 400)
}

fn name_of(text: &str) -> String {
    middle(&clean(text), LONGEST_NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_55_what_others_wrote_is_cleaned_and_has_an_end() {
        let hostile = "a\u{202e}b\u{200b}c\u{9b}2J\u{e0041}";
        let (shown, omitted) = arguments(&format!("{{\"{hostile}\":\"{}\",\"n\":1e400}}", hostile.repeat(2_000)));
        assert_eq!(omitted, 0);
        assert_eq!(shown[0].name, "a\u{fffd}b\u{fffd}c\u{fffd}2J\u{fffd}");
        assert_eq!((shown[0].value.chars().count(), shown[0].characters), (LONGEST_VALUE, 18_002));
        assert_eq!((shown[1].value.as_str(), shown[1].characters), ("1e400", 5));
        let many: String = (0..500).map(|n| format!("\"a{n}\":{n},")).collect();
        let (shown, omitted) = arguments(&format!("{{{}}}", many.trim_end_matches(',')));
        assert_eq!((shown.len(), omitted), (MOST_ARGUMENTS, 436));
        let wide = (0..60).map(|n| format!("\"a{n}\":\"{}\",", "x".repeat(4_000))).collect::<String>();
        let (shown, omitted) = arguments(&format!("{{{}}}", wide.trim_end_matches(',')));
        assert!(shown.len() < 17 && shown.len() + omitted as usize == 60, "{}", shown.len());
        assert_eq!(arguments("[1]").0, [Argument { name: String::new(), value: "[1]".into(), characters: 3 }]);
        assert_eq!(name_of(&"n".repeat(10_000)).chars().count(), LONGEST_NAME);
    }
}
