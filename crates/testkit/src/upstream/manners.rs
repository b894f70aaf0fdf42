//! What the upstream says where nothing is scripted: the least that an MCP client expects.

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::reply::Reply;
use super::wire::Seen;

#[derive(Deserialize)]
struct Message<'body> {
    #[serde(borrow)]
    id: Option<&'body RawValue>,
    method: Option<String>,
    #[serde(borrow)]
    params: Option<&'body RawValue>,
}

/// What a message asks for.
pub(super) fn method(seen: &Seen) -> Option<String> {
    serde_json::from_slice::<Message<'_>>(&seen.body).ok()?.method
}

/// An answer in good manners.
pub(super) fn answer(seen: &Seen) -> Reply {
    match seen.method.as_str() {
        "POST" => {}
        "DELETE" => return Reply::status(200),
        _ => return Reply::status(405).header("Allow", "POST, DELETE"),
    }
    let Ok(message) = serde_json::from_slice::<Message<'_>>(&seen.body) else { return Reply::status(400) };
    let (Some(id), Some(method)) = (message.id, message.method) else { return Reply::status(202) };
    let result = match method.as_str() {
        "initialize" => return success(id, &initialized(message.params)).header("Mcp-Session-Id", "session-1"),
        "tools/list" => json!({ "tools": [tool("get_account"), tool("update_account")] }),
        "tools/call" => json!({ "content": [{ "type": "text", "text": "done" }] }),
        "ping" => json!({}),
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return Reply::json(format!(r#"{{"jsonrpc":"2.0","id":{id},"error":{error}}}"#));
        }
    };
    success(id, &result)
}

fn success(id: &RawValue, result: &serde_json::Value) -> Reply {
    Reply::json(format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{result}}}"#))
}

fn initialized(params: Option<&RawValue>) -> serde_json::Value {
    let params = params.and_then(|params| serde_json::from_str::<serde_json::Value>(params.get()).ok());
    let version = params.as_ref().and_then(|params| params["protocolVersion"].as_str()).unwrap_or("2025-11-25");
    json!({
        "protocolVersion": version,
        "capabilities": { "tools": {} },
        "serverInfo": { "name": "fake-upstream", "version": "1.0.0" },
    })
}

fn tool(name: &str) -> serde_json::Value {
    json!({ "name": name, "description": "A tool.", "inputSchema": { "type": "object" } })
}
