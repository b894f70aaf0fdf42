use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

fn told(peeked: &Peeked<'_>) -> String {
    let kind = match &peeked.kind {
        Kind::Request { id } => format!("request {id}"),
        Kind::Notification => "notification".to_owned(),
        Kind::Response { id } => format!("response {id}"),
        Kind::Batch(messages) => return messages.iter().map(told).collect::<Vec<_>>().join(" | "),
    };
    let mut text = format!("{kind} {}", peeked.method_word());
    if let Some(tool) = &peeked.tool {
        text += &format!(" tool {tool:?}");
    }
    if let Some(arguments) = peeked.arguments {
        text += &format!(" arguments {:?} = {arguments}", peeked.argument_names);
    }
    if let Some(version) = &peeked.protocol_version {
        text += &format!(" version {version}");
    }
    text
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "so that a table row reads `expect![...]`")]
fn check(body: &str, want: Expect) {
    want.assert_eq(&peek(body.as_bytes()).map_or_else(|refused| format!("refused: {refused}"), |peeked| told(&peeked)));
}

#[test]
fn requests() {
    check(r#"{"jsonrpc":"2.0","id":7,"method":"ping"}"#, expect!["request 7 ping"]);
    check(
        "\n { \"method\" : \"ping\" ,\t\"id\" : \"a\\u0062\" , \"jsonrpc\":\"2.0\"}\r\n",
        expect![[r#"request "a\u0062" ping"#]],
    );
    check(
        r#"{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"x","params":{"n":1e400},"odd":[{}]}"#,
        expect!["request 123456789012345678901234567890 x"],
    );
    check(r#"{"jsonrpc":"2.0","id":1e400,"method":"x","params":[1,2]}"#, expect!["request 1e400 x"]);
}

#[test]
fn tool_calls_in_any_order_and_writing() {
    check(
        r#"{"params":{"arguments":{"b" : 1,"a":{"b":[2]}},"name":"find"},"method":"tools/call","id":1,"jsonrpc":"2.0"}"#,
        expect![[r#"request 1 tools/call tool "find" arguments ["b", "a"] = {"b" : 1,"a":{"b":[2]}}"#]],
    );
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools\/c\u0061ll","params":{"n\u0061me":"\u0064elete","arguments":{"\u0061":1}}}"#,
        expect![[r#"request 1 tools/call tool "delete" arguments ["a"] = {"\u0061":1}"#]],
    );
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"name":"t","arguments":null}}"#,
        expect![[r#"request 1 tools/call tool "t" arguments [] = null version 2026-07-28"#]],
    );
    check(
        r#"{"jsonrpc":"2.0","method":"tools/call","params":{"name":"t"}}"#,
        expect![[r#"notification tools/call tool "t""#]],
    );
    for params in
        ["", r#","params":{}"#, r#","params":{"name":7}"#, r#","params":["t"]"#, r#","params":{"name":"\udc00"}"#]
    {
        check(
            &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call"{params}}}"#),
            expect!["refused: the message is not JSON-RPC 2.0: `params.name` must be a string"],
        );
    }
}

#[test]
fn what_a_case_blind_parser_would_read_differently_is_refused() {
    for top in [r#""Method":"tools/call""#, r#""METHOD":1"#, r#""param\u017f":{}"#, r#""paramſ":{}"#, r#""Id":2"#] {
        check(
            &format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/list",{top}}}"#),
            expect!["refused: the message is not JSON-RPC 2.0: a member is written in another letter case"],
        );
    }
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get","Name":"delete"}}"#,
        expect!["refused: the message is not JSON-RPC 2.0: a member of `params` is written in another letter case"],
    );
    check(r#"{"jsonrpc":"2.0","id":1,"method":"x","params":{"Name":"ours"}}"#, expect!["request 1 x"]);
}

#[test]
fn responses_notifications_and_batches() {
    check(
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        expect!["notification notifications/initialized"],
    );
    check(r#"{"jsonrpc":"2.0","id":3,"result":{}}"#, expect!["response 3 response"]);
    check(r#"{"jsonrpc":"2.0","id":null,"error":{"code":1}}"#, expect!["response null response"]);
    check(
        r#"[{"jsonrpc":"2.0","id":3,"result":{}}, {"jsonrpc":"2.0","id":4,"method":"ping"}]"#,
        expect!["response 3 response | request 4 ping"],
    );
    check("[]", expect!["refused: the message is not JSON-RPC 2.0: an empty batch"]);
    check(
        r#"[[{"jsonrpc":"2.0","method":"x"}]]"#,
        expect!["refused: the message is not JSON-RPC 2.0: it is not an object"],
    );
    check(
        r#"[{"jsonrpc":"2.0","method":"x"},7]"#,
        expect!["refused: the message is not JSON-RPC 2.0: it is not an object"],
    );
}

#[test]
fn what_cannot_be_judged_is_refused() {
    check("", expect!["refused: the message is not JSON (byte 0)"]);
    check("7", expect!["refused: the message is not JSON-RPC 2.0: it is not an object"]);
    check("{}", expect![[r#"refused: the message is not JSON-RPC 2.0: `jsonrpc` must be "2.0""#]]);
    check(
        r#"{"jsonrpc":2.0,"method":"x"}"#,
        expect![[r#"refused: the message is not JSON-RPC 2.0: `jsonrpc` must be "2.0""#]],
    );
    check(
        r#"{"jsonrpc":"2.0","id":null,"method":"x"}"#,
        expect!["refused: the message is not JSON-RPC 2.0: `id` must be a string or a number"],
    );
    check(
        r#"{"jsonrpc":"2.0","id":[1],"method":"x"}"#,
        expect!["refused: the message is not JSON-RPC 2.0: `id` must be a string or a number"],
    );
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":["x"]}"#,
        expect!["refused: the message is not JSON-RPC 2.0: `method` must be a string"],
    );
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":"x","result":1}"#,
        expect!["refused: the message is not JSON-RPC 2.0: a method and a result"],
    );
    check(
        r#"{"jsonrpc":"2.0","id":1}"#,
        expect!["refused: the message is not JSON-RPC 2.0: neither a method nor one of `result` and `error`"],
    );
    check(
        r#"{"jsonrpc":"2.0","id":1,"result":1,"error":1}"#,
        expect!["refused: the message is not JSON-RPC 2.0: neither a method nor one of `result` and `error`"],
    );
    check(
        r#"{"jsonrpc":"2.0","result":1}"#,
        expect!["refused: the message is not JSON-RPC 2.0: `id` must be a string, a number or null"],
    );
    check(
        r#"{"jsonrpc":"2.0","method":"x","method":"y"}"#,
        expect!["refused: a member occurs twice in one object (byte 30)"],
    );
    check(
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","arguments":{"x":[{"y":1,"\u0079":2}]}}}"#,
        expect!["refused: a member occurs twice in one object (byte 92)"],
    );
    check(r#"{"jsonrpc":"2.0","method":"x"} {}"#, expect!["refused: something follows the message (byte 31)"]);
    check(r#"{"jsonrpc":"2.0","method":"x""#, expect!["refused: the message is not JSON (byte 29)"]);
    assert_eq!(peek(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}"), Err(Refused::NotUtf8));
}

#[test]
fn an_id_is_a_string_a_number_or_null() {
    for good in ["1", "-0.5e9", "\"a\"", "null", "\"\""] {
        assert!(is_id(good), "{good}");
    }
    for bad in ["", "true", "{}", "[1]", "1 ", " 1", "1,\"x\":2", "\"a", "nul"] {
        assert!(!is_id(bad), "{bad}");
    }
}

/// Whether `part` lies within `body`, not beside it.
fn within(part: &str, body: &[u8]) -> bool {
    body.as_ptr_range().contains(&part.as_ptr())
        && part.as_ptr() as usize + part.len() <= body.as_ptr_range().end as usize
}

fn message() -> impl Strategy<Value = String> {
    let id = prop_oneof![Just("1"), Just("\"a\""), Just("1e400"), Just("null"), Just("{}"), Just("-12.5")];
    let name = prop_oneof![Just("find"), Just("a\\u0062"), Just("\\ud83d\\ude00"), Just("\\ud83d"), Just("é")];
    let value = prop_oneof![
        Just("1"),
        Just("{\"x\":[]}"),
        Just("\"v\""),
        Just("1e999"),
        Just("{\"x\":1,\"x\":2}"),
        Just("tru")
    ];
    let method = prop_oneof![Just("tools/call"), Just("tools/list"), Just("ping")];
    (id, name, value, method, any::<bool>()).prop_map(|(id, name, value, method, wrapped)| {
        let text = format!(
            r#"{{"jsonrpc":"2.0", "id":{id},"method":"{method}","params":{{"name":"{name}","arguments":{{"k":{value}}}}}}}"#
        );
        if wrapped { format!("[{text}]") } else { text }
    })
}

proptest! {
    #[test]
    fn nothing_panics_and_what_is_taken_is_json(body in proptest::collection::vec(any::<u8>(), 0..120)) {
        if peek(&body).is_ok() {
            prop_assert!(serde_json::from_slice::<serde::de::IgnoredAny>(&body).is_ok());
        }
    }

    #[test]
    fn what_is_borrowed_lies_in_the_body(text in message()) {
        let body = text.as_bytes();
        let judged = peek(body);
        if serde_json::from_str::<serde::de::IgnoredAny>(&text).is_err() {
            prop_assert!(judged.is_err());
        }
        let Ok(peeked) = judged else { return Ok(()) };
        for message in peeked.messages() {
            if let Some(id) = message.request_id() {
                prop_assert!(within(id, body) && is_id(id));
            }
            for name in [&message.method, &message.tool, &message.subject].into_iter().flatten() {
                prop_assert!(matches!(name, Cow::Owned(_)) || within(name, body));
            }
            let arguments = message.arguments.unwrap_or_default();
            prop_assert!(within(arguments, body));
            let raw = serde_json::from_str::<std::collections::BTreeMap<String, &serde_json::value::RawValue>>(arguments).unwrap();
            prop_assert_eq!(raw.keys().cloned().collect::<Vec<_>>(), message.argument_names.iter().map(ToString::to_string).collect::<Vec<_>>());
        }
    }

    #[test]
    fn one_changed_byte_never_changes_the_judged_tool_unseen(text in message(), at in 0_usize..300, byte in any::<u8>()) {
        let mut body = text.into_bytes();
        let at = at % body.len();
        body[at] = byte;
        if let Ok(peeked) = peek(&body) {
            let Ok(value) = serde_json::from_slice::<serde_json::Value>(&body) else { return Ok(()) };
            let messages = value.as_array().cloned().unwrap_or_else(|| vec![value]);
            for (ours, theirs) in peeked.messages().iter().zip(&messages) {
                prop_assert_eq!(ours.method.as_deref(), theirs["method"].as_str());
                if ours.method.as_deref() == Some("tools/call") {
                    prop_assert_eq!(ours.tool.as_deref(), theirs["params"]["name"].as_str());
                }
            }
        }
    }
}
