use std::sync::Arc;

use expect_test::{Expect, expect};
use keybearer_model::call::RiskClass;
use keybearer_model::caller::{Caller, Process};
use keybearer_model::consent::{Consent, Subject, Used};
use proptest::prelude::*;

use super::*;

/// `effect client server [tools] [except tools]`, lists with commas; a first line `unknown=deny` where it is that.
fn policy(text: &str) -> Policy {
    let mut policy = Policy::default();
    for (index, line) in text.lines().enumerate() {
        if line == "unknown=deny" {
            policy.unknown = Unknown::Deny;
            continue;
        }
        let list = |text: &str| text.split(',').map(|one| one.parse().unwrap()).collect::<Vec<Pattern>>();
        let (rule, except) = line.split_once(" except ").unwrap_or((line, ""));
        let words = rule.split_whitespace().collect::<Vec<_>>();
        let effect = match words[0] {
            "allow" => Effect::Allow,
            "ask" => Effect::Ask,
            "ask_per_session" => Effect::AskPerSession,
            "ask_each_time" => Effect::AskEachTime,
            "deny" => Effect::Deny,
            other => panic!("{other}"),
        };
        let except = if except.is_empty() { vec![] } else { vec![Except { tools: list(except), ..Except::default() }] };
        policy.rules.push(Rule {
            id: RuleId::User { number: policy.rules.len() + 1, line: index + 1 },
            effect,
            clients: list(words[1]),
            servers: list(words[2]),
            tools: words.get(3).map_or(vec![], |tools| list(tools)),
            except,
        });
    }
    policy
}

/// `client server tool`, or `client server :class`; a client with a path is a program without a name, `-` is nobody.
fn call(text: &str) -> Call {
    let words = text.split_whitespace().collect::<Vec<_>>();
    let program = |path: Option<&str>| {
        let process = Process { pid: 7, executable: path.map(Into::into), ..Process::default() };
        Caller::by_chain(None, vec![process], |_| false)
    };
    let caller = match words[0] {
        "-" => program(None),
        path if path.contains(['/', '\\']) => program(Some(path)),
        name => Caller::by_key(name.parse().unwrap()),
    };
    let (class, tool) = match words[2] {
        ":session" => (MethodClass::Session, None),
        ":list" => (MethodClass::List, None),
        ":read" => (MethodClass::Read, None),
        ":other" => (MethodClass::Other, None),
        tool => (MethodClass::ToolCall, Some(tool.into())),
    };
    Call {
        caller: Arc::new(caller),
        server: words[1].parse().unwrap(),
        method: "x".into(),
        class,
        tool,
        risk: RiskClass::Change,
        argument_names: vec![],
    }
}

fn told(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Allow(rule) => format!("allow: {rule}"),
        Verdict::Ask(AskReason::Rule(rule), _) => format!("ask: {rule}"),
        Verdict::Ask(AskReason::Unknown, _) => "ask: no rule".to_owned(),
        Verdict::Deny(reason) => format!("deny: {reason}"),
    }
}

const NOW: Timestamp = Timestamp::from_millis(1_000_000);

fn unconsented(policy: &Policy, call: &Call, registered: bool) -> Verdict {
    decide(policy, call, registered, &Consents::default(), NOW)
}

/// A consent to what `asked` is about, so long.
fn consent(asked: &str, lasting: Lasting) -> Arc<Consent> {
    let call = call(asked);
    Arc::new(Consent {
        number: 5,
        principal: call.caller.principal(),
        client: call.caller.client.clone(),
        program: None,
        process: None,
        server: call.server.clone(),
        subject: Subject::of(&call),
        account: None,
        lasting,
        given: NOW,
        ends: None,
        idle: None,
        used: Used::at(NOW),
    })
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that a table row reads `expect![...]`")]
fn check_with(consented: (&str, Lasting), rules: &str, asked: &str, want: Expect) {
    let (call, consents) = (call(asked), Consents::from_iter([consent(consented.0, consented.1)]));
    want.assert_eq(&told(&decide(&policy(rules), &call, call.caller.client.is_some(), &consents, NOW)));
}

#[test]
fn a_consent_answers_a_question_and_outweighs_no_rule() {
    let always = ("claude crm put_it", Lasting::Always);
    check_with(always, "", "claude crm put_it", expect!["allow: permission 5"]);
    check_with(always, "", "claude crm get_it", expect!["ask: no rule"]);
    check_with(always, "", "cursor crm put_it", expect!["ask: no rule"]);
    check_with(always, "unknown=deny", "claude crm put_it", expect!["deny: no rule allows it"]);
    check_with(always, "ask * crm *", "claude crm put_it", expect!["allow: permission 5"]);
    check_with(always, "deny * crm *", "claude crm put_it", expect!["deny: rule 1 (config.toml line 1)"]);
    check_with(always, "allow * crm *", "claude crm put_it", expect!["allow: rule 1 (config.toml line 1)"]);
}

#[test]
fn a_rule_says_how_long_an_answer_may_count() {
    let asked = "claude crm put_it";
    let check = |rules, lasting, want| check_with((asked, lasting), rules, asked, want);
    check("ask_per_session * crm *", Lasting::Session, expect!["allow: permission 5"]);
    check("ask_per_session * crm *", Lasting::Today, expect!["ask: rule 1 (config.toml line 1)"]);
    check("ask_each_time * crm *", Lasting::Session, expect!["ask: rule 1 (config.toml line 1)"]);
    check("ask * crm *\nask_each_time * crm *", Lasting::Always, expect!["ask: rule 2 (config.toml line 2)"]);
    check("ask_each_time * crm *\ndeny * * *", Lasting::Always, expect!["deny: rule 2 (config.toml line 2)"]);
    assert!(Effect::Allow < Effect::Ask && Effect::Ask < Effect::AskPerSession);
    assert!(Effect::AskPerSession < Effect::AskEachTime && Effect::AskEachTime < Effect::Deny);
}

#[test]
fn a_consent_that_has_ended_answers_nothing() {
    let call = call("claude crm put_it");
    let consents = Consents::from_iter([consent("claude crm put_it", Lasting::Always)]);
    let before = NOW - std::time::Duration::from_secs(1);
    assert_eq!(told(&decide(&policy(""), &call, true, &consents, before)), "ask: no rule");
    assert_eq!(told(&decide(&policy(""), &call, true, &consents.without(|one| one.number == 5), NOW)), "ask: no rule");
}

/// A caller with a name counts as registered, one without does not.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that a table row reads `expect![...]`")]
fn check(rules: &str, asked: &str, want: Expect) {
    let call = call(asked);
    want.assert_eq(&told(&unconsented(&policy(rules), &call, call.caller.client.is_some())));
}

#[test]
fn a_rule_allows_what_it_names() {
    check("allow claude crm get_*", "claude crm get_it", expect!["allow: rule 1 (config.toml line 1)"]);
    check("allow claude crm get_*", "claude crm put_it", expect!["ask: no rule"]);
    check("allow claude crm get_*", "claude wiki get_it", expect!["ask: no rule"]);
    check("allow claude crm get_*", "cursor crm get_it", expect!["ask: no rule"]);
    check("unknown=deny\nallow claude crm get_*", "claude crm put_it", expect!["deny: no rule allows it"]);
    check("allow a,b crm,wiki x,y", "b wiki y", expect!["allow: rule 1 (config.toml line 1)"]);
}

#[test]
fn the_strictest_wins_in_any_order() {
    check("allow * * *\ndeny * crm delete_*", "claude crm delete_it", expect!["deny: rule 2 (config.toml line 2)"]);
    check("deny * crm delete_*\nallow * * *", "claude crm delete_it", expect!["deny: rule 1 (config.toml line 1)"]);
    check("allow * * *\nask * crm delete_*", "claude crm delete_it", expect!["ask: rule 2 (config.toml line 2)"]);
    check("ask * crm *\ndeny * crm *\nask * crm *", "claude crm x", expect!["deny: rule 2 (config.toml line 2)"]);
    check("allow * * *\nallow * * *", "claude crm x", expect!["allow: rule 1 (config.toml line 1)"]);
}

#[test]
fn exceptions_take_away_from_their_own_rule_only() {
    check("allow * crm * except get_salaries", "claude crm get_salaries", expect!["ask: no rule"]);
    check("allow * crm * except get_salaries", "claude crm get_it", expect!["allow: rule 1 (config.toml line 1)"]);
    check(
        "deny * crm * except get_it\nallow * * *",
        "claude crm get_it",
        expect!["allow: rule 2 (config.toml line 2)"],
    );
    check("allow * crm * except a\nallow * crm a", "claude crm a", expect!["allow: rule 2 (config.toml line 2)"]);
    let mut rules = policy("deny * crm");
    rules.rules[0].except.push(Except::default());
    assert_eq!(told(&unconsented(&rules, &call("claude crm x"), true)), "deny: rule 1 (config.toml line 1)");
}

#[test]
fn a_rule_with_tools_speaks_of_tool_calls_alone() {
    check("deny * crm *", "claude crm :list", expect!["allow: the client is registered"]);
    check("deny * crm", "claude crm :list", expect!["deny: rule 1 (config.toml line 1)"]);
    check("allow * crm *", "claude crm :read", expect!["ask: no rule"]);
    check("allow * crm", "claude crm :read", expect!["allow: rule 1 (config.toml line 1)"]);
    check("allow * crm", "claude crm :other", expect!["allow: rule 1 (config.toml line 1)"]);
    check("ask claude crm", "claude crm :session", expect!["ask: rule 1 (config.toml line 1)"]);
}

#[test]
fn upkeep_needs_a_registered_client_or_a_rule_that_names_it() {
    check("", "claude crm :session", expect!["allow: the client is registered"]);
    check("unknown=deny", "claude crm :list", expect!["allow: the client is registered"]);
    check("", "/usr/bin/evil crm :session", expect!["ask: no rule"]);
    check("unknown=deny", "- crm :list", expect!["deny: no rule allows it"]);
    check("allow /usr/bin/claude crm get_*", "/usr/bin/claude crm :list", expect!["allow: the client is registered"]);
    check("ask /usr/bin/claude crm get_*", "/usr/bin/claude crm :list", expect!["allow: the client is registered"]);
    check("deny /usr/bin/claude crm get_*", "/usr/bin/claude crm :list", expect!["ask: no rule"]);
    check("allow /usr/bin/claude crm get_*", "/usr/bin/claude wiki :list", expect!["ask: no rule"]);
    check("", "claude crm :read", expect!["ask: no rule"]);
}

#[test]
fn a_path_is_compared_with_the_program_and_a_name_with_the_registered_one() {
    check("allow /opt/*/claude crm", "/opt/claude-1.2/claude crm x", expect!["allow: rule 1 (config.toml line 1)"]);
    check("allow claude crm", "/opt/claude crm x", expect!["ask: no rule"]);
    check("allow /opt/claude crm", "claude crm x", expect!["ask: no rule"]);
    check(r"allow C:\Apps\*.exe crm", r"C:\Apps\claude.exe crm x", expect!["allow: rule 1 (config.toml line 1)"]);
    check("allow * crm", "- crm x", expect!["allow: rule 1 (config.toml line 1)"]);
    check("allow c* crm", "- crm x", expect!["ask: no rule"]);
}

fn rule() -> impl Strategy<Value = String> {
    ("allow|ask|deny", r"\*|claude|cursor|/bin/\*", r"\*|crm|wiki", "( (get_\\*|\\*|x))?( except (get_a|x))?")
        .prop_map(|(effect, client, server, rest)| format!("{effect} {client} {server}{rest}"))
}

fn asked() -> impl Strategy<Value = String> {
    ("claude|cursor|/bin/sh|-", "crm|wiki", "get_a|x|:list|:session|:read|:other")
        .prop_map(|(client, server, what)| format!("{client} {server} {what}"))
}

fn strictness(verdict: &Verdict) -> u8 {
    match verdict {
        Verdict::Allow(_) => 0,
        Verdict::Ask(..) => 1,
        Verdict::Deny(_) => 2,
    }
}

proptest! {
    #[test]
    fn unknown_never_allows(asked in asked(), denying: bool, registered: bool) {
        let call = call(&asked);
        let verdict = unconsented(&policy(if denying { "unknown=deny" } else { "" }), &call, registered);
        prop_assert!(strictness(&verdict) > 0 || is_upkeep(call.class) && registered);
    }

    #[test]
    fn what_is_allowed_has_an_allow_rule_that_matches(rules in proptest::collection::vec(rule(), 0..6), asked in asked(), registered: bool) {
        let (policy, call) = (policy(&rules.join("\n")), call(&asked));
        match unconsented(&policy, &call, registered) {
            Verdict::Allow(RuleId::User { number, .. }) => {
                prop_assert!(policy.rules[number - 1].effect == Effect::Allow && policy.rules[number - 1].matches(&call));
            }
            Verdict::Allow(other) => prop_assert!(other == RuleId::RegisteredClient && is_upkeep(call.class)),
            Verdict::Ask(..) | Verdict::Deny(_) => {}
        }
    }

    #[test]
    fn one_more_deny_rule_never_loosens(rules in proptest::collection::vec(rule(), 0..6), more in rule(), at in 0_usize..6, asked in asked(), registered: bool) {
        let call = call(&asked);
        let before = unconsented(&policy(&rules.join("\n")), &call, registered);
        let mut tighter = rules.clone();
        tighter.insert(at.min(rules.len()), more.replacen("allow", "deny", 1).replacen("ask", "deny", 1));
        let after = unconsented(&policy(&tighter.join("\n")), &call, registered);
        prop_assert!(strictness(&after) >= strictness(&before), "{:?} became {:?}", before, after);
    }

    #[test]
    fn the_order_of_rules_changes_no_outcome(mut rules in proptest::collection::vec(rule(), 0..7), turn in 0_usize..7, asked in asked(), registered: bool) {
        let call = call(&asked);
        let before = unconsented(&policy(&rules.join("\n")), &call, registered);
        let turn = turn.min(rules.len());
        rules.rotate_left(turn);
        rules.reverse();
        let after = unconsented(&policy(&rules.join("\n")), &call, registered);
        prop_assert_eq!(strictness(&after), strictness(&before));
    }
}
