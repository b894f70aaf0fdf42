//! Arguments that a server wants to see in headers (2026-07-28): `x-mcp-header` in a tool's schema, `Mcp-Param-*` in the
//! request. A tool whose annotations break the rules must not reach anybody; the bytes of the others stay as they are.

use std::collections::{HashMap, HashSet};

use http::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::modern;

const ANNOTATION: &str = "x-mcp-header";

/// More tools of one server than this are not remembered.
const MOST_TOOLS: usize = 10_000;

/// JSON-RPC's code for headers that do not fit the body.
pub const HEADER_MISMATCH: i64 = -32_020;

/// Schemas at which an annotation is reached by more than names, and so is against the rules.
const ASIDE: [&str; 18] = [
    "items",
    "prefixItems",
    "contains",
    "additionalProperties",
    "unevaluatedProperties",
    "unevaluatedItems",
    "propertyNames",
    "patternProperties",
    "dependentSchemas",
    "oneOf",
    "anyOf",
    "allOf",
    "not",
    "if",
    "then",
    "else",
    "$defs",
    "definitions",
];

/// The headers that tools want, by the tools' names.
#[derive(Debug, Default)]
pub struct Wanted(HashMap<String, Vec<Declared>>);

#[derive(Debug, PartialEq, Eq)]
struct Declared {
    header: HeaderName,
    /// The names that lead to the argument.
    path: Vec<String>,
}

/// A schema's annotations break the rules.
struct Invalid;

impl Wanted {
    /// Learns from an answer to `tools/list`, and returns it without the tools that break the rules; `None` if it can
    /// stay as it is.
    pub fn learn(&mut self, answer: &[u8]) -> Option<Vec<u8>> {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            result: Tools<'a>,
        }
        #[derive(Deserialize)]
        struct Tools<'a> {
            #[serde(borrow)]
            tools: Vec<&'a RawValue>,
        }
        let text = std::str::from_utf8(answer).ok()?;
        let Answer { result: Tools { tools } } = serde_json::from_str(text).ok()?;
        let kept: Vec<&str> = tools.iter().filter(|tool| self.learn_tool(tool.get())).map(|tool| tool.get()).collect();
        if kept.len() == tools.len() {
            return None;
        }
        let place = |part: &str| (part.as_ptr() as usize).checked_sub(text.as_ptr() as usize);
        let (first, last) = (tools.first()?.get(), tools.last()?.get());
        let (before, after) = (text.get(..place(first)?)?, text.get(place(last)? + last.len()..)?);
        Some(format!("{before}{}{after}", kept.join(",")).into_bytes())
    }

    /// Whether the tool may go on.
    fn learn_tool(&mut self, tool: &str) -> bool {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Tool {
            name: String,
            input_schema: Value,
        }
        if !tool.contains(ANNOTATION) {
            #[derive(Deserialize)]
            struct Named {
                name: String,
            }
            if let (false, Ok(Named { name })) = (self.0.is_empty(), serde_json::from_str(tool)) {
                self.0.remove(&name);
            }
            return true;
        }
        let Ok(Tool { name, input_schema }) = serde_json::from_str(tool) else { return true };
        let mut declared = Vec::new();
        if visit(&input_schema, &mut Vec::new(), true, &mut declared).is_err() || !are_distinct(&declared) {
            self.0.remove(&name);
            return false;
        }
        if self.0.len() < MOST_TOOLS || self.0.contains_key(&name) {
            self.0.insert(name, declared);
        }
        true
    }

    /// The headers for a call of `tool` with these arguments.
    pub fn headers_for(&self, tool: &str, arguments: &str) -> Vec<(HeaderName, HeaderValue)> {
        let Some(declared) = self.0.get(tool).filter(|declared| !declared.is_empty()) else { return Vec::new() };
        let Ok(arguments) = serde_json::from_str::<Value>(arguments) else { return Vec::new() };
        let header = |declared: &Declared| {
            let argument = declared.path.iter().try_fold(&arguments, |value, name| value.get(name))?;
            Some((declared.header.clone(), modern::value(&text_of(argument)?)?))
        };
        declared.iter().filter_map(header).collect()
    }
}

fn visit(schema: &Value, path: &mut Vec<String>, reachable: bool, found: &mut Vec<Declared>) -> Result<(), Invalid> {
    let Some(schema) = schema.as_object() else { return Ok(()) };
    if let Some(annotation) = schema.get(ANNOTATION) {
        let kind = schema.get("type").and_then(Value::as_str);
        let fits = reachable && !path.is_empty() && matches!(kind, Some("string" | "integer" | "boolean"));
        let name = annotation.as_str().filter(|name| fits && !name.is_empty()).ok_or(Invalid)?;
        let header = format!("mcp-param-{name}").parse().map_err(|_| Invalid)?;
        found.push(Declared { header, path: path.clone() });
    }
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        path.push(name.clone());
        visit(property, path, reachable, found)?;
        path.pop();
    }
    ASIDE.iter().filter_map(|word| schema.get(*word)).try_for_each(|aside| anywhere(aside, path, found))
}

/// A schema, a list of them, or schemas by name: none may have an annotation.
fn anywhere(aside: &Value, path: &mut Vec<String>, found: &mut Vec<Declared>) -> Result<(), Invalid> {
    visit(aside, path, false, found)?;
    let within =
        aside.as_array().into_iter().flatten().chain(aside.as_object().into_iter().flat_map(|all| all.values()));
    within.into_iter().try_for_each(|schema| visit(schema, path, false, found))
}

/// A header's name is the same in whatever letter case.
fn are_distinct(declared: &[Declared]) -> bool {
    let mut seen = HashSet::new();
    declared.iter().all(|declared| seen.insert(&declared.header))
}

fn text_of(argument: &Value) -> Option<String> {
    match argument {
        Value::String(text) => Some(text.clone()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Number(number) => Some(number.to_string().trim_end_matches(".0").to_owned()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Whether an answer says that the headers did not fit: the call was not made.
pub fn is_mismatch(answer: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Failed {
        error: Inner,
    }
    #[derive(Deserialize)]
    struct Inner {
        code: i64,
    }
    serde_json::from_slice(answer).is_ok_and(|failed: Failed| failed.error.code == HEADER_MISMATCH)
}

/// A request of ours for the tools from `cursor` on, in the name of the client that made `call`.
pub fn list_again(call: &[u8], cursor: Option<&str>) -> Option<Vec<u8>> {
    #[derive(Deserialize)]
    struct Call {
        params: Params,
    }
    #[derive(Deserialize)]
    struct Params {
        #[serde(rename = "_meta")]
        meta: serde_json::Map<String, Value>,
    }
    let Call { params: Params { mut meta } } = serde_json::from_slice(call).ok()?;
    meta.remove("progressToken");
    let mut params = serde_json::json!({ "_meta": meta });
    if let Some(cursor) = cursor {
        params["cursor"] = cursor.into();
    }
    let request =
        serde_json::json!({ "jsonrpc": "2.0", "id": "keybearer-tools", "method": "tools/list", "params": params });
    serde_json::to_vec(&request).ok()
}

/// Where the next page of an answer to a list begins.
pub fn next_cursor(answer: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        result: Page,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Page {
        next_cursor: Option<String>,
    }
    serde_json::from_slice::<Answer>(answer).ok()?.result.next_cursor
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(tools: &[&str]) -> Vec<u8> {
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"n":1e400,"tools":[ {} ] }} }}"#, tools.join(" , ")).into_bytes()
    }

    fn tool(name: &str, schema: &str) -> String {
        format!(r#"{{"name":"{name}", "inputSchema":{schema},"x":1}}"#)
    }

    const GOOD: &str = r#"{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},
        "deep":{"type":"object","properties":{"n":{"type":"integer","x-mcp-header":"N"}}},
        "dry":{"type":"boolean","x-mcp-header":"dry-run"}}}"#;

    #[test]
    fn arguments_become_headers() {
        let mut wanted = Wanted::default();
        assert_eq!(wanted.learn(&list(&[&tool("a", GOOD)])), None);
        let headers = |arguments| {
            let headers = wanted.headers_for("a", arguments);
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap())).collect::<Vec<_>>()
        };
        assert_eq!(
            headers(r#"{"region":"eu","deep":{"n":42},"dry":false}"#),
            ["mcp-param-n: 42", "mcp-param-dry-run: false", "mcp-param-region: eu"]
        );
        assert_eq!(headers(r#"{"region":" é","deep":{"n":null},"dry":[]}"#), ["mcp-param-region: =?base64?IMOp?="]);
        assert!(headers("{}").is_empty() && headers("[").is_empty());
        assert!(wanted.headers_for("b", "{}").is_empty());
    }

    #[test]
    fn a_tool_that_breaks_the_rules_goes_and_the_bytes_of_the_others_stay() {
        let (first, last) = (tool("a", GOOD), tool("z", r#"{"type" : "object"}"#));
        let property = |property: &str| format!(r#"{{"type":"object","properties":{{"p":{property}}}}}"#);
        for schema in [
            property(r#"{"type":"number","x-mcp-header":"P"}"#),
            property(r#"{"type":"object","x-mcp-header":"P"}"#),
            property(r#"{"x-mcp-header":"P"}"#),
            property(r#"{"type":"string","x-mcp-header":""}"#),
            property(r#"{"type":"string","x-mcp-header":"a b"}"#),
            property(r#"{"type":"string","x-mcp-header":"a:b"}"#),
            property(r#"{"type":"string","x-mcp-header":7}"#),
            property(r#"{"type":"array","items":{"type":"string","x-mcp-header":"P"}}"#),
            property(r#"{"type":"string","x-mcp-header":"P"},"q":{"type":"string","x-mcp-header":"p"}"#),
            r#"{"type":"string","x-mcp-header":"P"}"#.to_owned(),
            r#"{"type":"object","$defs":{"d":{"type":"string","x-mcp-header":"P"}}}"#.to_owned(),
            r#"{"type":"object","anyOf":[{"properties":{"p":{"type":"string","x-mcp-header":"P"}}}]}"#.to_owned(),
        ] {
            let mut wanted = Wanted::default();
            let bad = tool("bad", &schema);
            let left = wanted.learn(&list(&[&first, &bad, &last])).unwrap_or_else(|| panic!("{schema}"));
            let want = format!(r#"{{"jsonrpc":"2.0","id":1,"result":{{"n":1e400,"tools":[ {first},{last} ] }} }}"#);
            assert_eq!(String::from_utf8(left).unwrap(), want);
        }
        let mut wanted = Wanted::default();
        let bad = tool("bad", &property(r#"{"type":"number","x-mcp-header":"P"}"#));
        assert_eq!(wanted.learn(&list(&[&bad])).unwrap(), list(&[""]));
    }

    #[test]
    fn what_is_no_list_of_tools_stays_as_it_is() {
        for odd in ["", "[]", r#"{"result":{}}"#, r#"{"error":{"code":-32020}}"#] {
            assert_eq!(Wanted::default().learn(odd.as_bytes()), None);
        }
        assert!(is_mismatch(br#"{"jsonrpc":"2.0","id":1,"error":{"code":-32020,"message":"x"}}"#));
        assert!(!is_mismatch(b"<html>"));
    }

    #[test]
    fn the_tools_are_asked_for_in_the_clients_name() {
        let call = br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"v":"1","progressToken":1}}}"#;
        let asked: Value = serde_json::from_slice(&list_again(call, Some("c")).unwrap()).unwrap();
        assert_eq!(asked["params"], serde_json::json!({ "_meta": { "v": "1" }, "cursor": "c" }));
        assert_eq!(next_cursor(br#"{"result":{"nextCursor":"x"}}"#).as_deref(), Some("x"));
    }
}
