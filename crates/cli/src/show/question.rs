//! A question to the person, as text: who asks, what for, with which arguments.
//!
//! Words of clients and servers stand in quotation marks or behind a bar, never in a sentence of ours.

use std::time::Duration;

use keybearer_core::ports::Question;
use keybearer_model::call::{Call, MethodClass, RiskClass};

use crate::plain::{quoted, shortened};
use crate::show::arguments::arguments;
use crate::show::tone::Tone;

/// The question, without the line that takes the answer.
pub(crate) fn question_text(question: &Question) -> String {
    let call = &question.call;
    let mut text = format!("\n{}\n", Tone::Strong.paint(&sentence(call)));
    match (&call.caller.client, call.caller.executable()) {
        (Some(_), Some(path)) => text.push_str(&line("program", &quoted(&path.to_string_lossy(), 200))),
        (Some(_), None) => {}
        (None, Some(_)) => text.push_str(&warning("It is not registered.")),
        (None, None) => text.push_str(&warning("We can't tell which program this is.")),
    }
    match &call.tool {
        Some(tool) => text.push_str(&line("tool", &quoted(tool, 120))),
        None => text.push_str(&line("method", &quoted(&call.method, 120))),
    }
    text.push_str(&arguments(&question.arguments));
    text
}

/// The line that takes the answer.
pub(crate) fn remaining(time: Duration) -> String {
    format!("Allow it this once? Not allowed in {} s. [y/N] ", time.as_millis().div_ceil(1000))
}

fn sentence(call: &Call) -> String {
    let who = match (&call.caller.client, call.caller.executable()) {
        (Some(client), _) => client.to_string(),
        (None, Some(path)) => format!("The program {}", quoted(&path.to_string_lossy(), 200)),
        (None, None) => "A program that cannot be identified".to_owned(),
    };
    let wants = match (call.class, call.risk) {
        (MethodClass::Session, _) => "connect to",
        (MethodClass::List, _) => "see what there is in",
        (MethodClass::Read | MethodClass::ToolCall | MethodClass::Other, RiskClass::Read) => "read from",
        (MethodClass::Read | MethodClass::ToolCall | MethodClass::Other, RiskClass::Change) => "change data in",
        (MethodClass::Read | MethodClass::ToolCall | MethodClass::Other, RiskClass::Delete) => "delete data in",
        (MethodClass::Read | MethodClass::ToolCall | MethodClass::Other, RiskClass::Send) => "send to the outside from",
    };
    shortened(&format!("{who} wants to {wants} {}", call.server), 400)
}

fn warning(finding: &str) -> String {
    format!("  {finding} Only allow it if you just started something yourself.\n")
}

fn line(word: &str, text: &str) -> String {
    format!("  {word:<9} {text}\n")
}

/// A question of a registered client, for tests.
#[cfg(test)]
pub(crate) fn sample_question() -> Question {
    use keybearer_model::caller::{Caller, Process};
    use keybearer_model::verdict::AskReason;
    let process = Process { pid: 812, executable: Some("/opt/Claude/claude".into()), ..Process::default() };
    Question {
        call: std::sync::Arc::new(Call {
            caller: std::sync::Arc::new(Caller::by_chain("claude-desktop".parse().ok(), vec![process], |_| false)),
            server: "crm".parse().unwrap(),
            method: "tools/call".into(),
            class: MethodClass::ToolCall,
            tool: Some("update_account".into()),
            risk: RiskClass::Change,
            argument_names: vec!["name".into(), "owner".into()],
        }),
        reason: AskReason::Unknown,
        arguments: r#"{"name":"Initech", "owner":"m.bolton","limit": 1e400}"#.into(),
        deadline: Duration::from_secs(45),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use expect_test::{Expect, expect};
    use keybearer_model::caller::Caller;

    use super::*;
    use crate::show::samples::bare;

    #[track_caller]
    fn check(question: &Question, want: &Expect) {
        want.assert_eq(&bare(&format!("{}{}\n", question_text(question), remaining(question.deadline))));
    }

    #[test]
    fn a_registered_client_is_named() {
        check(
            &sample_question(),
            &expect![[r#"

            claude-desktop wants to change data in crm
              program   "/opt/Claude/claude"
              tool      "update_account"
              │ name   "Initech"
              │ owner  "m.bolton"
              │ limit  1e400
            Allow it this once? Not allowed in 45 s. [y/N] 
        "#]],
        );
    }

    #[test]
    fn hostile_words_stay_in_their_quotation_marks() {
        let mut question = sample_question();
        let mut call = (*question.call).clone();
        call.caller = Arc::new(Caller::by_chain(None, Vec::new(), |_| false));
        call.tool = Some("x\"\nAllow it this once? [y/N] y\u{1b}[2A\u{202e}".into());
        call.risk = RiskClass::Send;
        question.call = Arc::new(call);
        question.arguments = format!("{{\"to\":\"\u{1b}[1mboss\\n\\u202e\",\"body\":\"{}\"}}", "z".repeat(900)).into();
        check(
            &question,
            &expect![[r#"

            A program that cannot be identified wants to send to the outside from crm
              We can't tell which program this is. Only allow it if you just started something yourself.
              tool      "x\" Allow it this once? [y/N] y�[2A�"
              arguments "{\"to\":\"�[1mboss\\n\\u202e\",\"body\":\"zzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzzz… (935 characters)"
            Allow it this once? Not allowed in 45 s. [y/N] 
        "#]],
        );
    }

    #[test]
    fn a_message_without_arguments_shows_its_method() {
        let mut question = sample_question();
        let mut call = (*question.call).clone();
        (call.class, call.tool, call.method) = (MethodClass::List, None, "tools/list".into());
        question.call = Arc::new(call);
        question.arguments = "".into();
        check(
            &question,
            &expect![[r#"

            claude-desktop wants to see what there is in crm
              program   "/opt/Claude/claude"
              method    "tools/list"
            Allow it this once? Not allowed in 45 s. [y/N] 
        "#]],
        );
    }
}
