//! Raw lines to Keybearer's own server, so that what arrives can be compared as it was written.

use keybearer_stories::bridge::Bridge;
use keybearer_stories::house::House;
use serde_json::{Value, json};

/// A session of the era that has them.
pub(crate) struct Lines {
    bridge: Bridge,
    next: u64,
    /// What came beside answers.
    pub(crate) heard: Vec<Value>,
}

impl Lines {
    /// Starts `keybearer stdio` and shakes hands.
    pub(crate) fn open(house: &House) -> Self {
        let mut lines = Self { bridge: house.own_bridge(), next: 0, heard: Vec::new() };
        let params = json!({ "protocolVersion": "2025-11-25", "capabilities": { "elicitation": {} }, "clientInfo": { "name": "lines", "version": "1" } });
        let hello = lines.asks("initialize", params);
        assert_eq!(hello["result"]["serverInfo"]["name"], "keybearer");
        lines.tells("notifications/initialized", json!({}));
        lines
    }

    /// Asks, and returns the answer.
    #[track_caller]
    pub(crate) fn asks(&mut self, method: &str, params: Value) -> Value {
        let id = self.sends(method, params);
        self.answer(id)
    }

    /// Asks, and does not wait.
    pub(crate) fn sends(&mut self, method: &str, params: Value) -> u64 {
        self.next += 1;
        let id = self.next;
        self.bridge.send(format!("{}\n", json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })));
        id
    }

    /// Tells something.
    pub(crate) fn tells(&mut self, method: &str, params: Value) {
        self.bridge.send(format!("{}\n", json!({ "jsonrpc": "2.0", "method": method, "params": params })));
    }

    /// The answer to a request.
    #[track_caller]
    pub(crate) fn answer(&mut self, id: u64) -> Value {
        loop {
            let message = self.hears();
            if message["id"] == id && message.get("method").is_none() {
                return message;
            }
            self.heard.push(message);
        }
    }

    /// Waits until this was said.
    #[track_caller]
    pub(crate) fn waits_for(&mut self, method: &str) {
        while !self.heard.iter().any(|message| message["method"] == method) {
            let message = self.hears();
            self.heard.push(message);
        }
    }

    /// Calls a tool and returns its answer.
    #[track_caller]
    pub(crate) fn calls(&mut self, tool: &str, arguments: Value) -> Value {
        self.asks("tools/call", json!({ "name": tool, "arguments": arguments }))
    }

    /// The text of a tool's answer.
    #[track_caller]
    pub(crate) fn text_of(&mut self, tool: &str, arguments: Value) -> String {
        let answer = self.calls(tool, arguments);
        answer["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer}")).to_owned()
    }

    /// The names of the tools.
    #[track_caller]
    pub(crate) fn tools(&mut self) -> Vec<String> {
        let answer = self.asks("tools/list", json!({}));
        let tools = answer["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools: {answer}"));
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    }

    #[track_caller]
    fn hears(&mut self) -> Value {
        let line = self.bridge.line();
        serde_json::from_slice(&line).unwrap_or_else(|_| panic!("no JSON: {}", String::from_utf8_lossy(&line)))
    }
}
