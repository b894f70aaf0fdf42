//! A server of the transport of 2024-11-05, and what big servers do: the official ones.

use keybearer_stories::bridge::Bridge;
use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_stories::parts::Part;
use serde_json::{Value, json};

fn house(url: &str) -> House {
    House::open(&format!("[servers.old]\nurl = \"{url}\"\nauth = \"none\"\n{ALLOW_ALL}"))
}

fn send(bridge: &mut Bridge, message: &Value) {
    bridge.send(format!("{message}\n"));
}

/// Reads lines until one answers `id`, and returns it with those before.
fn until_answered(bridge: &mut Bridge, id: u64) -> (Value, Vec<Value>) {
    let mut before = Vec::new();
    loop {
        let line: Value = serde_json::from_slice(&bridge.line()).unwrap();
        if line["id"] == id && line["method"].is_null() {
            return (line, before);
        }
        before.push(line);
    }
}

fn initialize(bridge: &mut Bridge, capabilities: &Value) -> Value {
    let params = json!({ "protocolVersion": "2025-06-18", "capabilities": capabilities,
        "clientInfo": { "name": "story", "version": "1" } });
    send(bridge, &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }));
    let (hello, _) = until_answered(bridge, 1);
    send(bridge, &json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    hello
}

fn call(id: u64, tool: &str, arguments: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": "tools/call", "params": { "name": tool, "arguments": arguments } })
}

#[test]
fn a_server_of_one_stream_is_spoken_to_in_its_own_way() {
    let server = Part::start("sse_server.mjs", &[]);
    let house = house(server.said("url"));
    let mut bridge = house.bridge("old");
    assert_eq!(initialize(&mut bridge, &json!({}))["result"]["serverInfo"]["name"], "sse-server");
    for id in 2..5 {
        send(&mut bridge, &call(id, "echo", &json!({ "text": format!("hello {id}") })));
    }
    let mut texts = Vec::new();
    for _ in 2..5 {
        let line: Value = serde_json::from_slice(&bridge.line()).unwrap();
        texts.push(line["result"]["content"][0]["text"].as_str().unwrap().to_owned());
    }
    texts.sort();
    assert_eq!(texts, ["hello 2", "hello 3", "hello 4"]);
    let streams = server.ask("/__seen").as_array().unwrap().iter().filter(|seen| seen["method"] == "GET").count();
    assert_eq!(streams, 1, "one stream for the session");
    let (left, status, _) = bridge.end();
    assert_eq!((left.len(), status.code()), (0, Some(0)));
}

#[test]
fn a_server_that_asks_gets_the_client_s_answer() {
    let server = Part::start("everything.mjs", &[]);
    let house = house(server.said("url"));
    let mut bridge = house.bridge("old");
    initialize(&mut bridge, &json!({ "sampling": {}, "elicitation": {} }));
    for (id, tool, method, arguments, answer) in [
        (
            2,
            "trigger-sampling-request",
            "sampling/createMessage",
            json!({ "prompt": "say it", "maxTokens": 10 }),
            json!({ "role": "assistant", "model": "m", "content": { "type": "text", "text": "said by the client" } }),
        ),
        (
            3,
            "trigger-elicitation-request",
            "elicitation/create",
            json!({}),
            json!({ "action": "accept", "content": { "name": "said by the client" } }),
        ),
    ] {
        send(&mut bridge, &call(id, tool, &arguments));
        let asked = loop {
            let line: Value = serde_json::from_slice(&bridge.line()).unwrap();
            if line["method"] == method {
                break line;
            }
            assert_ne!(line["id"], id, "it did not ask: {line}");
        };
        send(&mut bridge, &json!({ "jsonrpc": "2.0", "id": asked["id"], "result": answer }));
        let (result, _) = until_answered(&mut bridge, id);
        assert!(result.to_string().contains("said by the client"), "{result}");
    }
}
