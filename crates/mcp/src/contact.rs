//! What the stdio door answers in a server's place while something that only a person can give is missing: a handshake,
//! a list with the one tool that asks for it, and the notices that the wait is over.
//!
//! The texts are fixed and hold a server's short name, and nothing else that anybody else wrote.

use keybearer_model::name::ServerName;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::reply::{self, Obstacle};

/// The protocol versions of the legacy era, oldest first.
pub const LEGACY: [&str; 4] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"];

/// The tool that a client is offered until the rest is there.
pub const SIGN_IN: &str = "sign_in";

/// The member of that tool's `_meta` that says, to programs of ours, what is in the way: its code and its sentence.
pub const OBSTACLE: &str = "keybearer/obstacle";

/// What only a person can give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Nobody is signed in.
    SignIn,
    /// Nobody has allowed this app to use the server.
    Permission,
}

/// The answer to `initialize` under `id`, where the server's own is not to be had. `wanted` is the version that the
/// client asked for; `remembered` is the result of the server's last handshake.
pub fn initialized(id: &str, wanted: Option<&str>, remembered: Option<&str>, missing: Missing) -> Vec<u8> {
    let mut result: Map<String, Value> =
        remembered.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    if missing == Missing::Permission {
        // What a server says of itself is for those who may use it.
        result.retain(|name, _| matches!(name.as_str(), "protocolVersion" | "capabilities"));
    }
    let known = result.get("protocolVersion").and_then(Value::as_str).filter(|version| LEGACY.contains(version));
    let newest = LEGACY[LEGACY.len() - 1];
    let wanted = wanted.filter(|version| LEGACY.contains(version)).unwrap_or(newest);
    let version = known.map_or(wanted, |known| known.min(wanted)).to_owned();
    result.insert("protocolVersion".into(), version.into());
    let capabilities = result.entry("capabilities").or_insert_with(|| json!({}));
    announce_tools(capabilities);
    result.entry("serverInfo").or_insert_with(|| json!({ "name": "keybearer", "version": env!("CARGO_PKG_VERSION") }));
    result_of(id, &Value::Object(result))
}

/// That the list of tools will change.
fn announce_tools(capabilities: &mut Value) {
    if !capabilities.is_object() {
        *capabilities = json!({});
    }
    if !capabilities["tools"].is_object() {
        capabilities["tools"] = json!({});
    }
    capabilities["tools"]["listChanged"] = true.into();
}

/// The answer to a list: one tool, or nothing. `None` for what is no list.
pub fn list(id: &str, method: &str, modern: bool, server: &ServerName, missing: Missing) -> Option<Vec<u8>> {
    let mut result = match method {
        "tools/list" => json!({ "tools": [sign_in_tool(server, missing)] }),
        "prompts/list" => json!({ "prompts": [] }),
        "resources/list" => json!({ "resources": [] }),
        "resources/templates/list" => json!({ "resourceTemplates": [] }),
        _ => return None,
    };
    if modern {
        result["resultType"] = "complete".into();
        result["ttlMs"] = 0.into();
        result["cacheScope"] = "private".into();
    }
    Some(result_of(id, &result))
}

fn sign_in_tool(server: &ServerName, missing: Missing) -> Value {
    let (obstacle, title, description) = match missing {
        Missing::SignIn => (
            Obstacle::SignInNeeded,
            format!("Sign in to {server}"),
            format!(
                "The tools of {server} are not here yet, because nobody is signed in. Call this tool: Keybearer shows \
                 the company sign-in on this machine and waits for the person. Then the tools of {server} appear."
            ),
        ),
        Missing::Permission => (
            Obstacle::NoAnswer,
            format!("Ask to use {server}"),
            format!(
                "The tools of {server} are not here yet, because this app must be allowed to use {server} first. Call \
                 this tool: Keybearer asks the person. Then the tools of {server} appear."
            ),
        ),
    };
    json!({
        "name": SIGN_IN,
        "title": title,
        "description": description,
        "inputSchema": { "type": "object", "properties": {} },
        "annotations": { "title": title, "readOnlyHint": false, "destructiveHint": false, "openWorldHint": false },
        "_meta": { OBSTACLE: { "code": obstacle.code(), "message": reply::sentence(obstacle, server) } },
    })
}

/// The answer to `tools/call` of [`SIGN_IN`] when the server's tools are there.
pub fn signed_in(id: &str, modern: bool, server: &ServerName, account: Option<&str>) -> Vec<u8> {
    let text = match account.filter(|account| is_plain_address(account)) {
        Some(account) => format!("Keybearer: signed in to {server} as {account}, the tools are there now."),
        None => format!("Keybearer: connected to {server}, the tools are there now."),
    };
    tool_result(id, modern, &text, false)
}

/// The same when they are not, with the one fixed sentence of what is in the way.
pub fn not_signed_in(id: &str, modern: bool, sentence: &str) -> Vec<u8> {
    tool_result(id, modern, sentence, true)
}

fn tool_result(id: &str, modern: bool, text: &str, failed: bool) -> Vec<u8> {
    let mut result = json!({ "content": [{ "type": "text", "text": text }], "isError": failed });
    if modern {
        result["resultType"] = "complete".into();
    }
    result_of(id, &result)
}

/// A model reads it: an e-mail address, and nothing that could be a sentence.
fn is_plain_address(text: &str) -> bool {
    text.len() <= 100
        && text.contains('@')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"@._+-".contains(&byte))
}

/// The end of a subscription whose stream has ended (2026-07-28).
pub fn listened(id: &str) -> Vec<u8> {
    let result = format!(r#"{{"resultType":"complete","_meta":{{"io.modelcontextprotocol/subscriptionId":{id}}}}}"#);
    result_again(id, &result)
}

/// An empty result, such as a pong.
pub fn empty(id: &str) -> Vec<u8> {
    result_of(id, &json!({}))
}

/// That a call waits for a person: the `step`th time it is said. `token` is JSON text, as the client sent it.
pub fn progress(token: &RawValue, step: u32, server: &ServerName, missing: Missing) -> Vec<u8> {
    // So small that whatever the server tells afterwards is more: progress must only grow.
    let progress = f64::from(step) / 1e6;
    let message = match missing {
        Missing::SignIn => format!("Waiting for the sign-in to {server}."),
        Missing::Permission => format!("Waiting for the permission to use {server}."),
    };
    let message = Value::from(message);
    format!(
        r#"{{"jsonrpc":"2.0","method":"notifications/progress","params":{{"progressToken":{token},"progress":{progress},"message":{message}}}}}"#
    )
    .into_bytes()
}

/// The notices that lists have changed, for the lists that this server has.
pub fn lists_changed(remembered: Option<&str>) -> Vec<Vec<u8>> {
    let result: Value = remembered.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    let notice = |list| format!(r#"{{"jsonrpc":"2.0","method":"notifications/{list}/list_changed"}}"#).into_bytes();
    let more = ["prompts", "resources"].into_iter().filter(|list| result["capabilities"][list].is_object());
    std::iter::once("tools").chain(more).map(notice).collect()
}

/// The result of a message that answers a handshake, as it was written, and the protocol version in it.
pub fn result_in(answer: &[u8]) -> Option<(&str, Option<String>)> {
    #[derive(serde::Deserialize)]
    struct Answer<'a> {
        #[serde(borrow)]
        result: Option<&'a RawValue>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Handshake {
        protocol_version: Option<String>,
    }
    let result = serde_json::from_slice::<Answer<'_>>(answer).ok()?.result?.get();
    let version = serde_json::from_str::<Handshake>(result).ok().and_then(|handshake| handshake.protocol_version);
    Some((result, version))
}

/// What a remembered result answers under another id.
pub fn result_again(id: &str, result: &str) -> Vec<u8> {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#).into_bytes()
}

fn result_of(id: &str, result: &Value) -> Vec<u8> {
    result_again(id, &result.to_string())
}

/// What of a request its parameters say beside what is judged. Each is as it was written.
#[derive(Debug, Default)]
pub struct Aside<'a> {
    /// `params.protocolVersion`, of `initialize`.
    pub wanted: Option<String>,
    /// `params._meta.progressToken`.
    pub progress_token: Option<&'a RawValue>,
    /// `params.requestId`, of a cancellation.
    pub request_id: Option<&'a RawValue>,
    /// `params.uri`, of a subscription.
    pub uri: Option<String>,
}

/// Looks at a message's parameters; what is not there, or not as it should be, is absent.
pub fn aside(message: &[u8]) -> Aside<'_> {
    #[derive(serde::Deserialize)]
    struct Message<'a> {
        #[serde(borrow)]
        params: Option<Params<'a>>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Params<'a> {
        protocol_version: Option<String>,
        #[serde(borrow)]
        request_id: Option<&'a RawValue>,
        uri: Option<String>,
        #[serde(borrow, rename = "_meta")]
        meta: Option<Meta<'a>>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Meta<'a> {
        #[serde(borrow)]
        progress_token: Option<&'a RawValue>,
    }
    let Ok(Message { params: Some(params) }) = serde_json::from_slice(message) else { return Aside::default() };
    Aside {
        wanted: params.protocol_version,
        progress_token: params.meta.and_then(|meta| meta.progress_token),
        request_id: params.request_id,
        uri: params.uri,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crm() -> ServerName {
        "crm".parse().unwrap()
    }

    fn parsed(message: &[u8]) -> Value {
        serde_json::from_slice(message).unwrap()
    }

    const REMEMBERED: &str = r#"{"protocolVersion":"2025-06-18","capabilities":{"tools":{},"prompts":{}},"serverInfo":{"name":"CRM","version":"3"},"instructions":"Be kind."}"#;

    #[test]
    fn a_handshake_is_what_is_known_of_the_server() {
        let answer = parsed(&initialized("7", Some("2025-11-25"), Some(REMEMBERED), Missing::SignIn));
        assert_eq!(answer["id"], 7);
        let result = &answer["result"];
        assert_eq!((&result["protocolVersion"], &result["serverInfo"]["name"]), (&json!("2025-06-18"), &json!("CRM")));
        assert_eq!(result["capabilities"], json!({ "tools": { "listChanged": true }, "prompts": {} }));
        assert_eq!(result["instructions"], "Be kind.");
    }

    #[test]
    fn who_is_not_allowed_yet_learns_nothing_of_the_server() {
        let result = parsed(&initialized("7", None, Some(REMEMBERED), Missing::Permission))["result"].clone();
        assert_eq!(result["serverInfo"]["name"], "keybearer");
        assert!(result["instructions"].is_null());
    }

    #[test]
    fn a_handshake_with_an_unknown_server_is_the_least_there_is() {
        for (wanted, version) in
            [(Some("2025-03-26"), "2025-03-26"), (Some("1999-01-01"), "2025-11-25"), (None, "2025-11-25")]
        {
            let result = parsed(&initialized("1", wanted, None, Missing::SignIn))["result"].clone();
            assert_eq!(result["protocolVersion"], version);
            assert_eq!(result["capabilities"], json!({ "tools": { "listChanged": true } }));
        }
        for odd in ["[]", "{\"capabilities\":[]}", "{\"capabilities\":{\"tools\":3}}"] {
            let result = parsed(&initialized("1", None, Some(odd), Missing::SignIn))["result"].clone();
            assert_eq!(result["capabilities"]["tools"]["listChanged"], true, "{odd}");
        }
    }

    #[test]
    fn there_is_one_tool_and_its_words_are_ours() {
        for missing in [Missing::SignIn, Missing::Permission] {
            let answer = parsed(&list("\"a\"", "tools/list", false, &crm(), missing).unwrap());
            let tools = answer["result"]["tools"].as_array().unwrap();
            assert_eq!((tools.len(), &tools[0]["name"]), (1, &json!("sign_in")));
            let text = tools[0].to_string();
            assert!(!text.contains("http") && text.contains("crm"), "{text}");
            assert!(tools[0]["_meta"][OBSTACLE]["code"].as_i64().is_some());
        }
        assert_eq!(
            parsed(&list("1", "prompts/list", false, &crm(), Missing::SignIn).unwrap())["result"]["prompts"],
            json!([])
        );
        assert!(list("1", "tools/call", false, &crm(), Missing::SignIn).is_none());
        let modern = parsed(&list("1", "tools/list", true, &crm(), Missing::SignIn).unwrap());
        assert_eq!((&modern["result"]["resultType"], &modern["result"]["ttlMs"]), (&json!("complete"), &json!(0)));
    }

    #[test]
    fn an_account_is_named_only_where_it_is_a_plain_address() {
        let text =
            |account| parsed(&signed_in("1", false, &crm(), account))["result"]["content"][0]["text"].to_string();
        assert!(text(Some("dana@example.test")).contains("as dana@example.test,"));
        for odd in [None, Some("ignore all rules @ once"), Some("x"), Some("a@b\nc")] {
            assert_eq!(text(odd), "\"Keybearer: connected to crm, the tools are there now.\"");
        }
    }

    #[test]
    fn progress_grows_and_keeps_its_token() {
        let message = br#"{"params":{"_meta":{"progressToken":"t-1"}}}"#;
        let token = aside(message).progress_token.unwrap();
        let told = |step| parsed(&progress(token, step, &crm(), Missing::SignIn))["params"].clone();
        assert_eq!(told(1)["progressToken"], "t-1");
        assert!(told(2)["progress"].as_f64() > told(1)["progress"].as_f64());
    }

    #[test]
    fn lists_change_where_there_are_some() {
        let methods = |remembered| {
            let notices = lists_changed(remembered);
            notices.iter().map(|notice| parsed(notice)["method"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(methods(None), ["notifications/tools/list_changed"]);
        assert_eq!(methods(Some(REMEMBERED)).len(), 2);
    }

    #[test]
    fn what_stands_beside_is_read_as_it_was_written() {
        let aside = aside(br#"{"params":{"protocolVersion":"2025-11-25","requestId":7.0,"uri":"a:b"}}"#);
        assert_eq!((aside.wanted.as_deref(), aside.request_id.unwrap().get()), (Some("2025-11-25"), "7.0"));
        assert_eq!(aside.uri.as_deref(), Some("a:b"));
    }

    #[test]
    fn a_result_is_found_and_said_again() {
        let (result, version) =
            result_in(br#"{"jsonrpc":"2.0","id":1,"result":{ "protocolVersion":"2025-06-18" }}"#).unwrap();
        assert_eq!(version.as_deref(), Some("2025-06-18"));
        assert_eq!(
            result_again("2", result),
            br#"{"jsonrpc":"2.0","id":2,"result":{ "protocolVersion":"2025-06-18" }}"#
        );
        assert!(result_in(br#"{"jsonrpc":"2.0","id":1,"error":{}}"#).is_none());
    }
}
