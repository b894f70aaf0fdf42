use std::sync::Arc;

use expect_test::{Expect, expect};

use super::*;
use crate::program::{Changeable, Process, ProgramFile, Stamp};

fn running(path: &str, pid: u32) -> Process {
    let stamp = Stamp { device: 1, inode: 2, size: 3, modified: 4, changed: 5 };
    let file = Some(Arc::new(ProgramFile::new(stamp)));
    Process { pid, begun: 100, executable: Some(path.into()), file, changeable: Changeable::ByUser }
}

/// `key`, or the path of a program; `@name` after it for a registered one. Programs with `node` in their name carry.
fn caller(who: &str, pid: u32) -> Caller {
    let (path, name) = who.split_once('@').map_or((who, None), |(path, name)| (path, Some(name)));
    match (path, name) {
        ("key", _) => Caller::by_key("chat-app".parse().unwrap()),
        ("-", _) => Caller::by_chain(None, Vec::new(), |_| false),
        (path, name) => {
            let chain = vec![running(path, pid), running("/usr/bin/init", 1)];
            Caller::by_chain(name.map(|name| name.parse().unwrap()), chain, |path| path.ends_with("node"))
        }
    }
}

fn call(who: &str, class: MethodClass, what: &str, risk: RiskClass) -> Call {
    Call {
        caller: Arc::new(caller(who, 7)),
        server: "crm".parse().unwrap(),
        method: if class == MethodClass::ToolCall { "tools/call".into() } else { what.into() },
        class,
        tool: (class == MethodClass::ToolCall).then(|| what.into()),
        risk,
        argument_names: vec![],
    }
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that a table row reads `expect![...]`")]
fn check(who: &str, risk: RiskClass, want: Expect) {
    let offered = lastings(&call(who, MethodClass::ToolCall, "x", risk));
    want.assert_eq(&offered.into_iter().map(Lasting::word).collect::<Vec<_>>().join(" "));
}

#[test]
fn sec_11_the_less_a_caller_is_known_the_shorter_a_yes_can_count() {
    check("key", RiskClass::Read, expect!["once today always"]);
    check("key", RiskClass::Send, expect!["once today"]);
    check("/opt/claude@claude", RiskClass::Change, expect!["once session today always"]);
    check("/opt/claude@claude", RiskClass::Delete, expect!["once session today"]);
    check("/opt/claude", RiskClass::Read, expect!["once session"]);
    check("/opt/claude", RiskClass::Send, expect!["once session"]);
    check("/usr/bin/node", RiskClass::Read, expect!["once session"]);
    check("/usr/bin/node@scripts", RiskClass::Change, expect!["once session"]);
    check("/usr/bin/node@scripts", RiskClass::Delete, expect!["once"]);
    check("-", RiskClass::Read, expect!["once"]);
}

fn consent(given_to: &Call, lasting: Lasting) -> Consent {
    let given = Timestamp::from_millis(1_000_000);
    Consent {
        number: 1,
        principal: given_to.caller.principal(),
        client: given_to.caller.client.clone(),
        program: None,
        process: (lasting == Lasting::Session).then(|| given_to.caller.root().unwrap().id()),
        server: given_to.server.clone(),
        subject: Subject::of(given_to),
        account: None,
        lasting,
        given,
        ends: Some(given + LONGEST_SESSION),
        idle: None,
        used: Used::at(given),
    }
}

#[test]
fn it_covers_its_own_subject_and_coming_in() {
    let tool = call("/opt/claude", MethodClass::ToolCall, "get_it", RiskClass::Read);
    let given = consent(&tool, Lasting::Session);
    let covers = |class, what| given.covers(&call("/opt/claude", class, what, RiskClass::Read));
    assert!(
        given.covers(&tool) && covers(MethodClass::Session, "initialize") && covers(MethodClass::List, "tools/list")
    );
    assert!(!covers(MethodClass::ToolCall, "put_it") && !covers(MethodClass::Read, "resources/read"));
    let connect = consent(&call("/opt/claude", MethodClass::Session, "initialize", RiskClass::Read), Lasting::Session);
    assert!(!connect.covers(&tool) && connect.covers(&call("/opt/claude", MethodClass::List, "x", RiskClass::Read)));
    let read = consent(&call("/opt/claude", MethodClass::Read, "resources/read", RiskClass::Read), Lasting::Session);
    assert!(read.covers(&call("/opt/claude", MethodClass::Read, "resources/read", RiskClass::Read)));
    assert!(!read.covers(&call("/opt/claude", MethodClass::Read, "prompts/get", RiskClass::Read)));
    assert!(!read.covers(&call("/opt/claude", MethodClass::ToolCall, "resources/read", RiskClass::Read)));
}

#[test]
fn it_is_nobody_elses() {
    let given = consent(&call("/opt/claude", MethodClass::ToolCall, "x", RiskClass::Read), Lasting::Session);
    for other in ["key", "/opt/cursor", "/opt/claude@claude"] {
        assert!(!given.covers(&call(other, MethodClass::ToolCall, "x", RiskClass::Read)), "{other}");
    }
    let mut elsewhere = call("/opt/claude", MethodClass::ToolCall, "x", RiskClass::Read);
    elsewhere.server = "wiki".parse().unwrap();
    assert!(!given.covers(&elsewhere));
    // The same program, started again.
    let mut later = call("/opt/claude", MethodClass::ToolCall, "x", RiskClass::Read);
    later.caller = Arc::new(caller("/opt/claude", 8));
    assert_eq!(given.principal, later.caller.principal());
    assert!(!given.covers(&later));
}

#[test]
fn it_ends_by_time_by_idleness_and_by_a_clock_that_was_set_back() {
    let mut given = consent(&call("/opt/claude", MethodClass::ToolCall, "x", RiskClass::Read), Lasting::Session);
    let begun = given.given;
    assert!(given.is_in_force(begun) && given.is_in_force(begun + LONGEST_SESSION - Duration::from_millis(1)));
    assert!(!given.is_in_force(begun + LONGEST_SESSION) && !given.is_in_force(begun - Duration::from_millis(1)));
    given.idle = Some(LONGEST_IDLE);
    let nearly = begun + LONGEST_IDLE - Duration::from_millis(1);
    assert!(given.is_in_force(nearly) && !given.is_in_force(begun + LONGEST_IDLE));
    given.used.note(nearly);
    assert!(given.is_in_force(begun + LONGEST_IDLE));
}

#[test]
fn it_counts_as_the_account_that_it_was_given_for() {
    let mut given = consent(&call("/opt/claude", MethodClass::ToolCall, "x", RiskClass::Read), Lasting::Session);
    assert!(given.is_for(None) && given.is_for(Some("dana@example.com")));
    given.account = Some("dana@example.com".into());
    assert!(given.is_for(Some("dana@example.com")) && !given.is_for(Some("mal@example.com")) && !given.is_for(None));
}
