//! Audit records, one a line. They are read as JSON: a record of a newer core shows at least what it has in common.

use keybearer_core::audit::Verified;
use keybearer_model::time::Timestamp;
use serde_json::Value;

use crate::plain::{clean, shortened};
use crate::show::table::{Cell, columns};
use crate::show::time::{moment, span};
use crate::show::tone::Tone;

/// The records: when, who, where, what, how it ended, and why.
pub(crate) fn records(records: &[Value], now: Timestamp) -> String {
    if records.is_empty() {
        return "  Nothing has been recorded yet.\n".to_owned();
    }
    let rows = records.iter().map(|record| row(record, now)).collect::<Vec<_>>();
    format!("{}{}\n", columns(&rows), Tone::Soft.paint("  Times are UTC."))
}

/// What the trail is like that was verified.
pub(crate) fn verified(verified: &Verified) -> String {
    let mut text = format!("{} The audit trail is whole. Records: {}.\n", Tone::Good.paint("✓"), verified.records);
    if verified.repaired > 0 {
        text.push_str(&format!("Lines cut off by a crash earlier, and marked so: {}.\n", verified.repaired));
    }
    if verified.torn_tail {
        text.push_str("Its last line is not finished: a crash, or a record that is being written right now.\n");
    }
    text
}

fn row(record: &Value, now: Timestamp) -> Vec<Cell> {
    let words = |name: &str| record.get(name).and_then(Value::as_str).map(clean).unwrap_or_default();
    let (what, (tone, ending), detail) = match words("event").as_str() {
        "call" => (call(record), outcome(record), call_detail(record)),
        event => (event_words(event), (Tone::Plain, String::new()), event_detail(record)),
    };
    vec![
        Cell::soft(moment(&words("time"), now)),
        Cell::plain(who(record)),
        Cell::plain(words("server")),
        Cell::new(Tone::Strong, what),
        Cell::new(tone, ending),
        Cell::soft(shortened(&detail, 100)),
    ]
}

/// The name of the client, else of the program's file.
fn who(record: &Value) -> String {
    let words = |name: &str| record.get(name).and_then(Value::as_str);
    match (words("client"), words("program")) {
        (Some(client), _) => clean(client),
        (None, Some(program)) => clean(program.rsplit(['/', '\\']).next().unwrap_or(program)),
        (None, None) if words("event") == Some("call") => "an unidentified program".to_owned(),
        (None, None) => String::new(),
    }
}

fn call(record: &Value) -> String {
    let words = |name: &str| record.get(name).and_then(Value::as_str);
    clean(words("tool").or_else(|| words("method")).unwrap_or("?"))
}

fn call_detail(record: &Value) -> String {
    let words = |name: &str| record.get(name).and_then(Value::as_str);
    if words("decision") == Some("deny") {
        return clean(words("reason").unwrap_or_default());
    }
    let time = record.get("duration_ms").and_then(Value::as_u64).map(span);
    let account = words("account").map(|account| format!("as {}", clean(account)));
    [time, account].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn outcome(record: &Value) -> (Tone, String) {
    let failed = record.get("status").and_then(Value::as_u64).filter(|status| *status >= 400);
    if let Some(status) = failed {
        return (Tone::Attention, format!("! answered {status}"));
    }
    let (tone, words) = match record.get("outcome").and_then(Value::as_str).unwrap_or_default() {
        "answered" => (Tone::Good, "✓ answered"),
        "denied" => (Tone::Danger, "✗ not allowed"),
        "unknown_server" => (Tone::Danger, "✗ no such server"),
        "unknown_session" => (Tone::Attention, "! no such session"),
        "not_sent" => (Tone::Attention, "! held back with its batch"),
        "sign_in_needed" => (Tone::Attention, "! sign in"),
        "refused_by_server" => (Tone::Danger, "✗ sign-in not accepted"),
        "issuer_unavailable" => (Tone::Danger, "✗ no company sign-in"),
        "key_store" => (Tone::Danger, "✗ keychain"),
        "unreachable" => (Tone::Danger, "✗ cannot be reached"),
        "interrupted" => (Tone::Danger, "✗ answer broke off"),
        "aborted" => (Tone::Attention, "! given up"),
        other => return (Tone::Plain, clean(other)),
    };
    (tone, words.to_owned())
}

fn event_words(event: &str) -> String {
    match event {
        "sign_in" => "signed in",
        "sign_in_ends" => "sign-in ends soon",
        "sign_out" => "signed out",
        "renewed" => "sign-in renewed",
        "client_added" => "client registered",
        "client_revoked" => "client revoked",
        "program_changed" => "its program is another one: treated as unknown",
        "answered" => "answered a question",
        "answer_refused" => "an answer did not count",
        "prompter_attached" => "the window answers questions",
        "prompter_refused" => "wanted to answer questions: refused",
        "permission_given" => "permission given",
        "permission_ended" => "permission ended",
        "server_added" => "server added",
        "server_removed" => "server removed",
        "inspection_begun" => "messages of calls are shown in the window",
        "inspection_ended" => "messages of calls are not shown any more",
        "access_stopped" => "all access stopped",
        "access_resumed" => "access allowed again",
        "turned_away" => "turned away",
        "repaired" => "a torn line was marked",
        "discontinued" => "the trail was found changed",
        "lost" => "records were lost",
        other => other,
    }
    .to_owned()
}

fn event_detail(record: &Value) -> String {
    let words = |name: &str| record.get(name).and_then(Value::as_str).map(clean);
    let account = words("account").map(|account| format!("as {account}"));
    let issuer = words("issuer").map(|issuer| format!("at {issuer}"));
    let lost = record.get("records").and_then(Value::as_u64).map(|records| format!("{records} records"));
    let turned_away = record.get("times").and_then(Value::as_u64).map(|times| {
        let (reason, door) = (words("reason").unwrap_or_default(), words("door").unwrap_or_default());
        format!("{times} times at the {door} door: {}", reason.replace('_', " "))
    });
    let permission = record.get("permission").and_then(Value::as_u64).map(|number| format!("{number}:"));
    let lasting = words("answer").or_else(|| words("lasts")).or_else(|| words("why"));
    let lasting = lasting.map(|word| format!("({})", word.replace('_', " ")));
    [account, issuer, permission, words("what"), lasting, words("found"), lost, turned_away]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use expect_test::expect;
    use serde_json::json;

    use super::*;
    use crate::show::samples::{NOW, bare};

    #[test]
    fn what_happened_reads_in_one_line_each() {
        let call = |outcome: &str| {
            json!({"seq": 2, "time": "2023-11-14T10:42:05.000Z", "event": "call", "client": "claude-desktop",
                "program": "/opt/Claude/claude", "server": "crm", "method": "tools/call", "tool": "find_accounts",
                "outcome": outcome, "duration_ms": 12, "account": "dana@example.com", "decision": "allow"})
        };
        let all = [
            json!({"seq": 1, "time": "2023-11-13T10:40:00.000Z", "event": "sign_in", "server": "crm",
                "issuer": "https://login.example.com", "account": "dana@example.com"}),
            call("answered"),
            json!({"time": "2023-11-14T10:43:00.000Z", "event": "call", "program": "C:\\Tools\\bad\u{1b}[2J.exe",
                "server": "wiki", "method": "tools/call", "tool": "send_mail\u{202e}", "outcome": "denied",
                "decision": "deny", "reason": "no rule allows it", "duration_ms": 0}),
            json!({"time": "2023-11-14T10:44:00.000Z", "event": "call", "server": "crm", "method": "initialize",
                "outcome": "answered", "status": 503, "duration_ms": 1_500}),
            json!({"time": "2023-11-14T10:45:00.000Z", "event": "client_added", "client": "librechat"}),
            json!({"time": "2023-11-14T10:46:00.000Z", "event": "turned_away", "door": "http",
                "reason": "calls_per_second", "client": "wild-app", "times": 3}),
            json!({"time": "2023-11-14T10:47:00.000Z", "event": "permission_given", "permission": 3,
                "client": "claude-desktop", "server": "crm", "what": "find_accounts", "lasts": "today"}),
            json!({"time": "2023-11-14T10:48:00.000Z", "event": "answer_refused", "program": "/tmp/evil",
                "why": "too_early"}),
            json!({"time": "later", "event": "of a newer core"}),
        ];
        expect![[r#"
            Records
              2023-11-13 10:40:00                           crm   signed in                                as dana@example.com at https://login.example.com
              10:42:05             claude-desktop           crm   find_accounts            ✓ answered      12 ms, as dana@example.com
              10:43:00             bad�[2J.exe              wiki  send_mail�               ✗ not allowed   no rule allows it
              10:44:00             an unidentified program  crm   initialize               ! answered 503  1.5 s
              10:45:00             librechat                      client registered
              10:46:00             wild-app                       turned away                              3 times at the http door: calls per second
              10:47:00             claude-desktop           crm   permission given                         3: find_accounts (today)
              10:48:00             evil                           an answer did not count                  (too early)
              unknown time                                        of a newer core
              Times are UTC.
        "#]].assert_eq(&format!("Records\n{}", bare(&records(&all, NOW))));
    }

    #[test]
    fn a_trail_that_verifies_says_what_is_odd_about_it() {
        let trail = Verified { records: 12, repaired: 1, torn_tail: true };
        expect![[r#"
            ✓ The audit trail is whole. Records: 12.
            Lines cut off by a crash earlier, and marked so: 1.
            Its last line is not finished: a crash, or a record that is being written right now.
        "#]]
        .assert_eq(&bare(&verified(&trail)));
    }
}
