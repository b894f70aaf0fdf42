//! The main job on real parts: official clients, at both doors, use servers that want a company sign-in, and none of
//! them ever holds one. Issuer: npm `oidc-provider`. Servers: npm `server-everything` behind a token check, and one on
//! PyPI `mcp` that introspects opaque tokens. Clients: two generations of the TypeScript library, and the Python one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]

#[path = "real_parts/one_sign_in.rs"]
mod one_sign_in;

use std::collections::BTreeSet;
use std::thread;

use keybearer_stories::clients::{Keyed, Official, ToolCall, trace};
use keybearer_stories::company::Company;
use keybearer_stories::core::{Core, Ended, Home};
use keybearer_stories::http;
use keybearer_stories::search;
use serde_json::{Value, json};

const SIGN_IN_NEEDED: i64 = -31_001;
const EXIT_SIGN_IN_NEEDED: i32 = 4;

const ECHO: ToolCall<'_> = ("echo", r#"{"message":"hello"}"#);
const ADD: ToolCall<'_> = ("add", r#"{"a":20,"b":22}"#);

/// Streams for four seconds and tells four steps of progress: longer than a token of three seconds lasts.
const LONG: ToolCall<'_> = ("trigger-long-running-operation", r#"{"duration":4,"steps":4}"#);
const COUNT: ToolCall<'_> = ("slow_count", r#"{"to":4,"pause":1}"#);

/// A company, a home with its servers, a core, and a client with a key.
struct Story {
    company: Company,
    home: Home,
    core: Core,
    keyed: Keyed,
    /// What clients printed or were sent.
    told: String,
}

impl Story {
    fn of(company: Company) -> Self {
        let config = company.config("memory");
        Self::with_config(company, &config)
    }

    fn with_config(company: Company, config: &str) -> Self {
        let mut home = Home::new(config);
        home.set("KEYBEARER_LOG", "trace");
        let core = Core::start(&home);
        let keyed = Keyed::register(&home, "story");
        Self { company, home, core, keyed, told: String::new() }
    }

    /// A client's results, after it has used `server` over HTTP.
    #[track_caller]
    fn over_http(&mut self, client: Official, server: &str, calls: &[ToolCall<'_>]) -> Vec<Value> {
        let report = client.over_http(&self.home, &self.keyed, server, calls);
        self.results(&report, calls)
    }

    /// A client's results, after it has used `server` over stdio.
    #[track_caller]
    fn over_stdio(&mut self, client: Official, server: &str, calls: &[ToolCall<'_>]) -> Vec<Value> {
        let report = client.over_stdio(&self.home, server, calls);
        self.results(&report, calls)
    }

    /// A client that starts signed out is offered one tool, which signs it in.
    #[track_caller]
    fn sign_in_over_stdio(&mut self, client: Official, server: &str) {
        let results = self.over_stdio(client, server, &[("sign_in", "{}")]);
        let text = results[0]["text"].as_str().unwrap();
        assert!(text.starts_with("Keybearer: ") && text.ends_with("the tools are there now."), "{text}");
    }

    #[track_caller]
    fn results(&mut self, report: &Value, calls: &[ToolCall<'_>]) -> Vec<Value> {
        self.told.push_str(&report.to_string());
        let tools: BTreeSet<&str> = report["tools"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        for (tool, _) in calls {
            assert!(tools.contains(tool), "`{tool}` is not among {tools:?}");
        }
        let results = report["results"].as_array().unwrap().clone();
        assert_eq!(results.len(), calls.len());
        assert!(results.iter().all(|result| result["is_error"] == false), "{results:?}");
        results
    }

    /// Runs `keybearer`, and keeps what it said for the search at the end.
    fn keybearer(&mut self, arguments: &[&str]) -> Ended {
        let ended = self.home.keybearer(arguments);
        self.told.push_str(&ended.out);
        self.told.push_str(&ended.err);
        ended
    }

    /// What the core shows of a server's sign-in.
    fn sign_in_of(&mut self, server: &str) -> Value {
        self.keybearer(&["servers", "show", server, "--json"]).json()["state"].clone()
    }

    /// What holds at the end of every story.
    #[track_caller]
    fn end(mut self) {
        let verified = self.keybearer(&["audit", "verify", "--json"]);
        assert!(verified.status.success(), "the audit trail does not verify: {verified:?}");
        self.assert_the_key_stayed_here();
        let mut secrets = self.company.secrets();
        secrets.push(self.keyed.key.clone());
        search::assert_not_in("what clients were told", &self.told, &secrets);
        let log = self.core.log();
        assert!(self.core.stop(&self.home).success());
        search::assert_not_in("the core's log", &log.read(), &secrets);
        self.home.assert_no_secret(&secrets);
    }

    /// The upstream saw a token of the issuer's with every message but the first, and never the client's key.
    #[track_caller]
    fn assert_the_key_stayed_here(&self) {
        let seen = self.company.guard.ask("/__seen");
        let traces = self.keyed.traces();
        let tokens: BTreeSet<String> = self.company.secrets().iter().map(|token| trace(token)).collect();
        let requests = seen["requests"].as_array().unwrap();
        assert!(requests.len() as u64 == seen["accepted"].as_u64().unwrap() + seen["refused"].as_u64().unwrap());
        for request in requests {
            let headers = request["headers"].as_object().unwrap();
            let carried = headers.get("authorization").and_then(Value::as_array).into_iter().flatten();
            let is_token = |word: &Value| word.as_str().is_some_and(|word| tokens.contains(word));
            assert_eq!(
                carried.filter(|word| is_token(word)).count() == 1,
                request["verdict"] != "no token",
                "{request}"
            );
            let values = headers.values().flat_map(|hashes| hashes.as_array().unwrap());
            for value in values {
                assert!(traces.iter().all(|trace| value != trace), "the client's key arrived: {request}");
            }
        }
    }
}

/// The same for every official client: it signs in by itself, at both doors, and knows nothing of it.
#[track_caller]
fn works_with(client: Official) {
    let mut story = Story::of(Company::open());

    let results = story.over_http(client, "everything", &[ECHO, LONG]);
    assert_eq!(results[0]["text"], "Echo: hello");
    assert_streamed(&results[1]);
    assert_eq!(story.home.visits(), 1, "the first message that needed it opened the sign-in page");
    let results = story.over_stdio(client, "everything", &[ECHO, LONG]);
    assert_eq!(results[0]["text"], "Echo: hello");
    assert_streamed(&results[1]);
    assert_eq!(story.home.visits(), 1, "one sign-in serves both doors");

    story.sign_in_over_stdio(client, "counting");
    let results = story.over_stdio(client, "counting", &[ADD, COUNT]);
    assert_eq!((&results[0]["text"], &results[1]["text"]), (&json!("42"), &json!("counted to 4")));
    assert_streamed(&results[1]);
    let results = story.over_http(client, "counting", &[ADD, COUNT]);
    assert_eq!((&results[0]["text"], &results[1]["text"]), (&json!("42"), &json!("counted to 4")));
    assert_streamed(&results[1]);
    assert_eq!(story.home.visits(), 2, "the other server has a sign-in of its own");

    assert_eq!(story.company.count("registration"), 2, "Keybearer registered itself once for each server");
    assert!(story.company.guard.ask("/__seen")["accepted"].as_u64().unwrap() >= 6);
    for (what, times) in [("tools/call", 8), ("tools/list", 5), ("sign_in", 2)] {
        story.home.assert_recorded(what, times);
    }
    story.end();
}

/// Steps were told while the result was on its way. The TypeScript libraries forget the last one where it comes in one
/// piece with the result: they take the result at once, and what was told before it a moment later.
#[track_caller]
fn assert_streamed(result: &Value) {
    assert!((3..=4).contains(&result["progress"].as_u64().unwrap()), "four steps were to be told: {result}");
}

#[test]
fn the_typescript_sdk_uses_servers_that_want_a_sign_in() {
    works_with(Official::TypeScriptSdk);
}

#[test]
fn the_new_typescript_client_uses_servers_that_want_a_sign_in() {
    works_with(Official::TypeScriptClient);
}

#[test]
fn the_python_client_uses_servers_that_want_a_sign_in() {
    works_with(Official::Python);
}

/// The long result outlasts the token that it was asked for with: the next call in the same session needs another.
#[test]
fn a_session_outlives_its_access_tokens() {
    let mut story = Story::of(Company::with_tokens_of(3));

    story.over_http(Official::TypeScriptSdk, "everything", &[LONG, ECHO, LONG, ECHO]);
    let renewed = story.company.count("by_grant/refresh_token");
    assert!(renewed >= 2, "the token was renewed {renewed} times");
    story.sign_in_over_stdio(Official::Python, "counting");
    story.over_stdio(Official::Python, "counting", &[COUNT, ADD, COUNT, ADD]);
    assert!(story.company.count("by_grant/refresh_token") >= renewed + 2);

    assert_eq!(story.company.count("refused_token"), 0, "no spent refresh token was used again");
    assert_eq!(story.company.count("by_grant/authorization_code"), 2);
    assert_eq!(story.home.visits(), 2, "nobody was asked to sign in again");
    story.home.assert_recorded("renewed", usize::try_from(story.company.count("by_grant/refresh_token")).unwrap());
    story.home.assert_recorded("tools/call", 8);
    story.end();
}

#[test]
fn signing_out_revokes_the_sign_in_and_stops_the_next_call() {
    let mut story = Story::of(Company::open());
    story.over_http(Official::TypeScriptSdk, "counting", &[ADD]);
    assert_eq!((story.company.good_tokens() > 0, story.company.count("revocation")), (true, 0));

    story.keybearer(&["logout", "counting", "--json"]).json();
    assert_eq!(story.company.count("revocation"), 1, "the issuer was told");
    assert_eq!(story.company.good_tokens(), 0, "and calls no token good any more");

    let refused = story.keybearer(&["call", "counting", ADD.0, ADD.1, "--json"]);
    assert_eq!(refused.code(), EXIT_SIGN_IN_NEEDED, "{refused:?}");
    let refused = initialize(&story.keyed, "counting");
    assert_eq!(refused.json()["error"]["code"], SIGN_IN_NEEDED);
    assert_eq!(story.sign_in_of("counting")["kind"], "needed");
    assert_eq!(story.home.visits(), 1, "a person who has signed out is not asked to sign in by a call");

    story.keybearer(&["login", "counting", "--json"]).json();
    story.over_http(Official::TypeScriptSdk, "counting", &[ADD]);
    assert_eq!(story.home.visits(), 2);
    story.home.assert_recorded("sign_out", 1);
    story.home.assert_recorded("sign_in", 2);
    story.end();
}

/// Where clients cannot register themselves, IT has registered one for Keybearer: without a secret, or with one.
#[test]
fn a_client_that_it_has_registered_works_as_well() {
    let company = Company::open();
    let (url, id) = (company.guard.said("url").to_owned(), "registered-confidential");
    let secret = company.issuer.ready["confidential"]["client_secret"].as_str().unwrap().to_owned();
    let config = format!(
        "keystore = \"memory\"\n[servers.public]\nurl = \"{url}\"\nclient_id = \"registered-public\"\n\
         [[rules]]\neffect = \"allow\"\n"
    );
    let mut story = Story::with_config(company, &config);
    let add = ["servers", "add", "confidential", &url, "--client-id", id, "--client-secret-stdin", "--json"];
    story.home.keybearer_reading(&add, &format!("{secret}\n")).json();

    for server in ["public", "confidential"] {
        story.sign_in_over_stdio(Official::TypeScriptSdk, server);
        let results = story.over_stdio(Official::TypeScriptSdk, server, &[ECHO]);
        assert_eq!(results[0]["text"], "Echo: hello");
    }
    assert_eq!(story.company.count("registration"), 0);
    let used: BTreeSet<String> = clients_that_the_server_saw(&story.company).into_iter().collect();
    assert_eq!(used, BTreeSet::from(["registered-public".to_owned(), id.to_owned()]));
    story.end();
}

/// Fifty clients at once at a core that holds nothing yet.
#[test]
fn fifty_calls_on_a_cold_core_open_one_sign_in_page() {
    let story = Story::of(Company::open());
    let echoed: Vec<String> = thread::scope(|scope| {
        let clients: Vec<_> = (0..50)
            .map(|number| {
                scope.spawn({
                    let story = &story;
                    move || echo(story, number)
                })
            })
            .collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let wanted: Vec<String> = (0..50).map(|number| format!("Echo: {number}")).collect();
    assert_eq!(echoed, wanted, "each got its own answer");
    assert_eq!((story.home.visits(), story.company.count("by_grant/authorization_code")), (1, 1));
    for (what, times) in [("initialize", 50), ("tools/call", 50), ("sign_in", 1)] {
        story.home.assert_recorded(what, times);
    }
    story.end();
}

/// A session with a server, opened by hand, and one call in it.
fn echo(story: &Story, number: u32) -> String {
    let opened = initialize(&story.keyed, "everything");
    let session = opened.header("mcp-session-id").unwrap_or_else(|| panic!("no session: {opened:?}")).to_owned();
    let call = json!({ "jsonrpc": "2.0", "id": number, "method": "tools/call",
        "params": { "name": "echo", "arguments": { "message": number.to_string() } } });
    let answer = post(&story.keyed, "everything", &[("Mcp-Session-Id", &session)], &call);
    answer.json()["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text: {answer:?}")).to_owned()
}

fn initialize(keyed: &Keyed, server: &str) -> http::Answer {
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {},
        "clientInfo": { "name": "story", "version": "1" } });
    post(keyed, server, &[], &json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params }))
}

fn post(keyed: &Keyed, server: &str, headers: &[(&str, &str)], message: &Value) -> http::Answer {
    let authorization = keyed.authorization();
    let mut all = vec![("Authorization", authorization.as_str()), ("MCP-Protocol-Version", "2025-11-25")];
    all.extend_from_slice(headers);
    http::post(keyed.url(server), &all, message.to_string().as_bytes())
}

fn clients_that_the_server_saw(company: &Company) -> Vec<String> {
    let seen = company.guard.ask("/__seen");
    let requests = seen["requests"].as_array().unwrap().clone();
    requests.iter().filter_map(|request| request["client_id"].as_str().map(str::to_owned)).collect()
}
