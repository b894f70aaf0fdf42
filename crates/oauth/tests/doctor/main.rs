//! Broken servers and their diagnoses: shapes that were recorded in public (IDPs and servers by their issue trackers)
//! or that the specifications forbid.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]
#![allow(clippy::semicolon_if_nothing_returned, reason = "a shape is one change")]

mod broken;
mod recorded;

use std::collections::HashMap;

use http::{Request, Response};
use keybearer_model::time::Timestamp;
use keybearer_oauth::doctor::{Doctor, Effect, Input, Means, Patient, Report, Severity, Silence};
use serde_json::{Value, json};

const SERVER: &str = "https://crm.example.com/mcp";
const PRM: &str = "https://crm.example.com/.well-known/oauth-protected-resource/mcp";
const ROOT_PRM: &str = "https://crm.example.com/.well-known/oauth-protected-resource";
const ISSUER: &str = "https://idp.example.com";
const ASM: &str = "https://idp.example.com/.well-known/oauth-authorization-server";
/// 2026-11-21, 09:00:00 UTC.
const NOW: i64 = 1_795_251_600;

type Reply = (u16, Vec<(&'static str, String)>, String);

/// A server, its issuers, and what they answer.
struct Shape {
    server: &'static str,
    means: Means,
    scopes: Vec<String>,
    knock: Result<Reply, Silence>,
    list: Reply,
    pages: HashMap<String, Reply>,
    silent: Vec<(&'static str, Silence)>,
    dates: Vec<(&'static str, &'static str)>,
}

fn json_reply(status: u16, body: &Value) -> Reply {
    (status, vec![("content-type", "application/json".to_owned())], body.to_string())
}

fn challenge(text: &str) -> Reply {
    (401, vec![("www-authenticate", text.to_owned())], String::new())
}

fn page() -> Reply {
    (200, vec![("content-type", "text/html; charset=utf-8".to_owned())], "<html>".to_owned())
}

fn metadata(issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "registration_endpoint": format!("{ISSUER}/register"),
        "revocation_endpoint": format!("{ISSUER}/revoke"),
        "jwks_uri": format!("{ISSUER}/jwks"),
        "scopes_supported": ["openid", "email", "offline_access", "crm.read"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["none"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
    })
}

impl Shape {
    /// All is well.
    fn sound() -> Self {
        let initialized = json!({"jsonrpc": "2.0", "id": 1, "result": {"protocolVersion": "2025-11-25"}});
        let mut shape = Self {
            server: SERVER,
            means: Means::SignIn,
            scopes: Vec::new(),
            knock: Ok(challenge(&format!("Bearer resource_metadata=\"{PRM}\", scope=\"crm.read\""))),
            list: json_reply(200, &initialized),
            pages: HashMap::new(),
            silent: Vec::new(),
            dates: Vec::new(),
        };
        shape.serve(
            PRM,
            &json!({"resource": SERVER, "authorization_servers": [ISSUER], "scopes_supported": ["crm.read"]}),
        );
        shape.serve(ASM, &metadata(ISSUER));
        shape
    }

    fn with(change: impl FnOnce(&mut Self)) -> Self {
        let mut shape = Self::sound();
        change(&mut shape);
        shape
    }

    fn serve(&mut self, url: &str, body: &Value) {
        self.pages.insert(url.to_owned(), json_reply(200, body));
    }

    fn without(&mut self, url: &str) {
        self.pages.remove(url);
    }

    /// Changes the issuer's metadata.
    fn issuer(change: impl FnOnce(&mut Value)) -> Self {
        Self::with(|shape| {
            let mut document = metadata(ISSUER);
            change(&mut document);
            shape.serve(ASM, &document);
        })
    }

    /// The server names this issuer, whose metadata is at `place`.
    fn at(issuer: &str, place: &str, document: &Value) -> Self {
        Self::with(|shape| {
            shape.without(ASM);
            shape.serve(PRM, &json!({"resource": SERVER, "authorization_servers": [issuer]}));
            shape.knock = Ok(challenge(&format!("Bearer resource_metadata=\"{PRM}\"")));
            shape.serve(place, document);
        })
    }

    fn answer(&self, request: &Request<Vec<u8>>) -> Result<Reply, Silence> {
        let url = request.uri().to_string();
        if let Some((_, silence)) = self.silent.iter().find(|(start, _)| url.starts_with(start)) {
            return Err(silence.clone());
        }
        assert!(request.headers().get("authorization").is_none(), "a credential is sent to {url}");
        if request.method() == "POST" {
            assert_eq!(url, self.server, "something is sent to {url}");
            let body: Value = serde_json::from_slice(request.body()).unwrap();
            return if body["method"] == "initialize" { self.knock.clone() } else { Ok(self.list.clone()) };
        }
        Ok(self.pages.get(&url).cloned().unwrap_or((404, Vec::new(), "not here".to_owned())))
    }

    fn examine(&self) -> Report {
        let patient = Patient {
            upstream: self.server.parse().unwrap(),
            means: self.means,
            scopes: self.scopes.clone(),
            now: Timestamp::from_millis(NOW * 1000),
        };
        let (mut doctor, mut effect) = Doctor::begin(patient);
        for _ in 0..40 {
            let input = match effect {
                Effect::Done(report) => return report,
                Effect::Fetch(request) => match self.answer(&request) {
                    Ok((status, headers, body)) => {
                        let mut reply = Response::builder().status(status);
                        for (name, value) in headers {
                            reply = reply.header(name, value);
                        }
                        let host = request.uri().host().unwrap().to_owned();
                        if let Some((_, date)) = self.dates.iter().find(|(of, _)| *of == host) {
                            reply = reply.header("date", *date);
                        }
                        Input::Answered(Box::new(reply.body(body.into_bytes()).unwrap()))
                    }
                    Err(silence) => Input::Silent(silence),
                },
            };
            (doctor, effect) = doctor.step(&input);
        }
        panic!("the walk does not end");
    }
}

/// Everything but what is as it should be: `!` a warning, `x` a problem, the rest notes.
fn told(report: &Report) -> String {
    let told = report.findings().iter().filter(|finding| finding.severity > Severity::Good).map(|finding| {
        let mark = match finding.severity {
            Severity::Good | Severity::Note => "",
            Severity::Warning => "!",
            Severity::Problem => "x ",
        };
        format!("{mark}{}", finding.code)
    });
    told.collect::<Vec<_>>().join(", ")
}

#[test]
fn every_broken_shape_gets_its_diagnosis() {
    let shapes = recorded::shapes().into_iter().chain(broken::shapes());
    let wrong: Vec<_> = shapes
        .filter_map(|(name, shape, want)| {
            let got = told(&shape.examine());
            (got != want).then(|| format!("{name}\n  want: {want}\n   got: {got}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(recorded::shapes().len() + broken::shapes().len() >= 50);
}

#[test]
fn a_sound_server_is_told_what_is_good_about_it() {
    let report = Shape::sound().examine();
    let codes: Vec<_> = report.findings().iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(
        codes,
        [
            "server_answers",
            "asks_for_sign_in",
            "resource_found",
            "issuer_found",
            "pkce_offered",
            "registration_offered",
            "lasting_sign_in",
            "return_named",
            "revocation_offered",
        ]
    );
    assert_eq!(report.worst(), Severity::Good);
}

#[test]
fn details_are_one_clean_line_without_queries() {
    let shape = Shape::with(|s| {
        s.knock = Ok((302, vec![("location", "https://x.test/a?session=cAnArY".into())], String::new()))
    });
    let report = shape.examine();
    assert!(report.findings().iter().all(|finding| !finding.detail.contains("cAnArY")));
    let hostile = Shape::issuer(|d| d["issuer"] = "https://evil.test/\u{202e}\u{1b}[31m\n".into());
    assert!(hostile.examine().findings().iter().all(|finding| !finding.detail.chars().any(char::is_control)));
}
