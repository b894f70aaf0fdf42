//! The command line as an MCP client: `tools` and `call` go through the bridge's socket like any other client, by the
//! same policy, the same questions and the same audit. It speaks raw lines and offers the server nothing.

use std::borrow::Cow;
use std::io::{BufRead, Read as _, Write};

use keybearer_control::bridge::{Hello, NOTICE_MARK, VERSION, Welcome};
use keybearer_control::error::{Code, Error};
use keybearer_mcp::contact::OBSTACLE;
use keybearer_mcp::reply::codes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::failure::Failure;

/// Longest line that is taken.
const LONGEST_LINE: u64 = 64 << 20;

/// The protocol versions that are spoken: one with a handshake, and the stateless one.
const HANDSHAKE: &str = "2025-11-25";
const STATELESS: &str = "2026-07-28";

/// JSON-RPC codes by which a server of the stateless era turns a handshake down.
const NO_HANDSHAKE: [i64; 3] = [-32_601, -32_602, -32_022];

/// A session with one server.
pub(crate) struct Session<R, W> {
    lines: R,
    out: W,
    next_id: u64,
    /// What every request carries in the stateless era.
    meta: Option<Value>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    method: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    result: Option<&'a RawValue>,
    #[serde(default)]
    error: Option<RpcError>,
}

/// A JSON-RPC error.
#[derive(Debug, Deserialize)]
struct RpcError {
    code: i64,
    message: String,
}

impl<R: BufRead, W: Write> Session<R, W> {
    /// Says hello to the core and opens a session with `server`.
    pub(crate) fn open(lines: R, out: W, server: &str) -> Result<Self, Failure> {
        let mut session = Self { lines, out, next_id: 1, meta: None };
        session.send(&json!(Hello { keybearer: VERSION, server: Some(server.to_owned()) }))?;
        let welcome = session.line()?;
        match serde_json::from_slice(&welcome).map_err(|_| Failure::unexpected_answer())? {
            Welcome::Ready => session.shake_hands()?,
            Welcome::Refused { error } => return Err(error.into()),
        }
        Ok(session)
    }

    /// Opens a session with whatever is at the other end already.
    pub(crate) fn over(lines: R, out: W) -> Result<Self, Failure> {
        let mut session = Self { lines, out, next_id: 1, meta: None };
        session.shake_hands()?;
        Ok(session)
    }

    /// Every tool of the server, page by page.
    pub(crate) fn tools(&mut self) -> Result<Vec<Value>, Failure> {
        let mut tools = Vec::new();
        let mut params = json!({});
        for _page in 0..1_000 {
            let answer = self.request("tools/list", params)?;
            let page: Value = serde_json::from_str(answer.get()).map_err(|_| senseless("tools/list"))?;
            tools.extend(page.get("tools").and_then(Value::as_array).cloned().unwrap_or_default());
            match page.get("nextCursor").and_then(Value::as_str) {
                Some(cursor) => params = json!({ "cursor": cursor }),
                None => return if let Some(error) = obstacle_in(&tools) { Err(error) } else { Ok(tools) },
            }
        }
        Err(senseless("tools/list"))
    }

    /// Calls a tool. The arguments are sent, and the result is given back, as they are written.
    pub(crate) fn call(&mut self, tool: &str, arguments: &RawValue) -> Result<Box<RawValue>, Failure> {
        #[derive(serde::Serialize)]
        struct Params<'a> {
            name: &'a str,
            arguments: &'a RawValue,
            #[serde(rename = "_meta", skip_serializing_if = "Option::is_none")]
            meta: Option<Value>,
        }
        self.exchange("tools/call", &Params { name: tool, arguments, meta: self.meta.clone() }).map_err(into_failure)
    }

    fn shake_hands(&mut self) -> Result<(), Failure> {
        let us =
            json!({ "name": "keybearer", "title": "Keybearer command line", "version": env!("CARGO_PKG_VERSION") });
        let hello = json!({ "protocolVersion": HANDSHAKE, "capabilities": {}, "clientInfo": us });
        match self.exchange("initialize", &hello) {
            Ok(_) => self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" })),
            Err(Trouble::Told(error)) if NO_HANDSHAKE.contains(&error.code) => {
                self.meta = Some(json!({
                    "io.modelcontextprotocol/protocolVersion": STATELESS,
                    "io.modelcontextprotocol/clientCapabilities": {},
                    "io.modelcontextprotocol/clientInfo": us,
                }));
                Ok(())
            }
            Err(trouble) => Err(into_failure(trouble)),
        }
    }

    fn request(&mut self, method: &str, mut params: Value) -> Result<Box<RawValue>, Failure> {
        if let (Some(meta), Some(members)) = (&self.meta, params.as_object_mut()) {
            members.insert("_meta".to_owned(), meta.clone());
        }
        self.exchange(method, &params).map_err(into_failure)
    }

    /// Sends a request and waits for its answer; what else comes meanwhile is answered or passed over.
    fn exchange(&mut self, method: &str, params: &impl serde::Serialize) -> Result<Box<RawValue>, Trouble> {
        #[derive(serde::Serialize)]
        struct Message<'a, P> {
            jsonrpc: &'a str,
            id: u64,
            method: &'a str,
            params: &'a P,
        }
        let id = self.next_id;
        self.next_id += 1;
        self.send(&Message { jsonrpc: "2.0", id, method, params })?;
        loop {
            let bytes = self.line()?;
            let line: Line<'_> = serde_json::from_slice(&bytes).map_err(|_| senseless(method))?;
            match (line.method, line.id, line.result, line.error) {
                (Some(asked), Some(id), _, _) => self.answer(&asked, id)?,
                (None, Some(answered), result, error) if answered.get() == id.to_string() => {
                    return match (result, error) {
                        (Some(result), None) => Ok(result.to_owned()),
                        (_, Some(error)) => Err(Trouble::Told(error)),
                        (None, None) => Err(senseless(method).into()),
                    };
                }
                // An error that names no request answers ours: one is open at a time.
                (None, None, _, Some(error)) => return Err(Trouble::Told(error)),
                _ => {}
            }
        }
    }

    /// Answers a request of the server: a ping with a pong, everything else with "no such method".
    fn answer(&mut self, method: &str, id: &RawValue) -> Result<(), Failure> {
        if method == "ping" {
            return self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": {} }));
        }
        let error = json!({ "code": -32_601, "message": "this client offers no such method" });
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "error": error }))
    }

    fn send(&mut self, message: &impl serde::Serialize) -> Result<(), Failure> {
        let mut line = serde_json::to_vec(message).map_err(|_| Failure::unexpected_answer())?;
        line.push(b'\n');
        self.out.write_all(&line).and_then(|()| self.out.flush()).map_err(|_| hung_up())
    }

    fn line(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            let mut line = Vec::new();
            let read = self.lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(|_| hung_up())?;
            if read == 0 || (line.last() != Some(&b'\n') && read as u64 == LONGEST_LINE) {
                return Err(hung_up());
            }
            // What the core tells bridges is of no use to one that asks one thing and goes.
            if !line.trim_ascii().is_empty() && line.first() != Some(&NOTICE_MARK) {
                return Ok(line);
            }
        }
    }
}

/// What keeps the server's own tools away, where the core has listed one of its own in their place.
fn obstacle_in(tools: &[Value]) -> Option<Failure> {
    let obstacle = tools.iter().find_map(|tool| tool.get("_meta")?.get(OBSTACLE))?;
    let error = RpcError::deserialize(obstacle).ok()?;
    Some(into_failure(Trouble::Told(error)))
}

/// What can go wrong with a request.
enum Trouble {
    /// The answer is an error.
    Told(RpcError),
    /// There is no answer.
    Broken(Failure),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Broken(failure)
    }
}

fn into_failure(trouble: Trouble) -> Failure {
    match trouble {
        Trouble::Broken(failure) => failure,
        Trouble::Told(error) => {
            let hint = advice(error.code).map(str::to_owned);
            Error { hint, ..Error::new(meaning(error.code), error.message) }.into()
        }
    }
}

/// What a person at a terminal can do about an error of the core's.
fn advice(code: i64) -> Option<&'static str> {
    match code {
        codes::SIGN_IN_NEEDED => Some("`keybearer login NAME` signs in"),
        codes::NOBODY_TO_ASK => {
            Some("a core that runs by `keybearer serve` in a terminal asks there; or allow it by a rule")
        }
        codes::NO_ANSWER => Some("the question is in the terminal of `keybearer serve`"),
        codes::NOT_ALLOWED => Some("`keybearer audit tail` says which rule decided"),
        codes::UNKNOWN_SERVER => Some("`keybearer servers list` shows those that there are"),
        codes::UNREACHABLE | codes::NOT_TRUSTED => Some("the core's log says what was tried and what came of it"),
        _ => None,
    }
}

/// What a JSON-RPC code means for the ending of a command: the core's own codes are told apart, a server's are not.
fn meaning(code: i64) -> Code {
    match code {
        codes::SIGN_IN_NEEDED | codes::SIGN_IN_REFUSED => Code::SignInNeeded,
        codes::NOT_ALLOWED | codes::NOBODY_TO_ASK | codes::NO_ANSWER => Code::NotAllowed,
        codes::UNREACHABLE | codes::INTERRUPTED | codes::ISSUER_UNAVAILABLE => Code::Unreachable,
        codes::NOT_TRUSTED => Code::Certificate,
        codes::KEYCHAIN_LOCKED => Code::KeyStore,
        codes::UNKNOWN_SERVER => Code::UnknownServer,
        codes::TURNED_OFF => Code::NoCore,
        _ => Code::Internal,
    }
}

fn senseless(method: &str) -> Failure {
    Failure::new(Code::Internal, format!("the server's answer to `{method}` makes no sense"))
}

fn hung_up() -> Failure {
    Failure::new(Code::NoCore, "the core hung up").hint("look at its log, or start it with `keybearer serve`")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    const READY: &str = r#"{"welcome":"ready"}"#;
    const INITIALIZED: &str = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;

    type Recorded = Session<std::io::Cursor<Vec<u8>>, Vec<u8>>;

    fn open(lines: &[&str]) -> Result<Recorded, Failure> {
        Session::open(std::io::Cursor::new(lines.join("\n").into_bytes()), Vec::new(), "crm")
    }

    fn sent(session: &Recorded) -> Vec<Value> {
        session.out.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    #[test]
    fn pages_are_joined_and_requests_in_between_are_answered() {
        let mut session = open(&[
            READY,
            "\u{1e}{\"notice\":\"draining\"}",
            INITIALIZED,
            r#"{"jsonrpc":"2.0","id":"p","method":"ping"}"#,
            r#"{"jsonrpc":"2.0","method":"notifications/message","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":7,"method":"sampling/createMessage","params":{}}"#,
            r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[{"name":"a"}],"nextCursor":"more"}}"#,
            r#"{"jsonrpc":"2.0","id":3,"result":{"tools":[{"name":"b"}]}}"#,
        ])
        .unwrap();
        assert_eq!(session.tools().unwrap(), [json!({"name": "a"}), json!({"name": "b"})]);
        let sent = sent(&session);
        assert_eq!(sent[0], json!({"keybearer": VERSION, "server": "crm"}));
        assert_eq!(sent[4], json!({"jsonrpc": "2.0", "id": "p", "result": {}}));
        assert_eq!(sent[5]["error"]["code"], -32_601);
        assert_eq!(sent[6]["params"], json!({"cursor": "more"}));
    }

    #[test]
    fn arguments_and_results_pass_as_they_are_written() {
        let mut session =
            open(&[READY, INITIALIZED, r#"{"jsonrpc":"2.0","id":2,"result":{"n": 1e400,  "z":1}}"#]).unwrap();
        let arguments = RawValue::from_string(r#"{"big": 123456789012345678901234567890}"#.into()).unwrap();
        assert_eq!(session.call("t", &arguments).unwrap().get(), r#"{"n": 1e400,  "z":1}"#);
        assert!(
            String::from_utf8_lossy(&session.out).contains(r#""arguments":{"big": 123456789012345678901234567890}"#)
        );
    }

    #[test]
    fn a_tool_of_the_core_s_own_is_what_is_in_the_way() {
        let obstacle = json!({ "code": codes::SIGN_IN_NEEDED, "message": "told" });
        let tool = json!({ "name": "sign_in", "_meta": { OBSTACLE: obstacle } });
        let list = json!({ "jsonrpc": "2.0", "id": 2, "result": { "tools": [tool] } }).to_string();
        check_refused(&[READY, INITIALIZED, &list], Exit::SignInNeeded, "told");
    }

    #[test]
    fn a_stateless_server_is_spoken_to_without_a_handshake() {
        let mut session = open(&[
            READY,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no such method"}}"#,
            r#"{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}"#,
        ])
        .unwrap();
        session.tools().unwrap();
        let sent = sent(&session);
        assert_eq!(sent.len(), 3, "no `initialized` is sent");
        assert_eq!(sent[2]["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"], STATELESS);
    }

    #[track_caller]
    fn check_refused(lines: &[&str], exit: Exit, message: &str) {
        let failure = open(lines).and_then(|mut session| session.tools()).unwrap_err();
        assert_eq!((failure.exit, failure.errors[0].message.as_str()), (exit, message));
    }

    #[test]
    fn every_refusal_has_its_ending() {
        let refused = r#"{"welcome":"refused","error":{"code":"unknown_server","message":"there is no server `crm`"}}"#;
        check_refused(&[refused], Exit::Failed, "there is no server `crm`");
        for (code, exit) in [
            (codes::SIGN_IN_NEEDED, Exit::SignInNeeded),
            (codes::NO_ANSWER, Exit::NotAllowed),
            (codes::UNREACHABLE, Exit::Unreachable),
            (-32_000, Exit::Failed),
        ] {
            let error = format!(r#"{{"jsonrpc":"2.0","id":2,"error":{{"code":{code},"message":"told"}}}}"#);
            check_refused(&[READY, INITIALIZED, &error], exit, "told");
        }
        check_refused(&[READY, INITIALIZED], Exit::NoCore, "the core hung up");
        check_refused(&[READY, INITIALIZED, "{}}"], Exit::Failed, "the server's answer to `tools/list` makes no sense");
    }
}
