//! The server itself: what does somebody get who comes without a credential?

use http::header::{ACCEPT, CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, Response, StatusCode};
use serde_json::json;

use super::finding::Code;
use super::{Doctor, Effect, Input, Silence, Stage};
use crate::challenge::Challenge;
use crate::discovery::is_trouble;
use crate::text::shown;

/// The newest version with a handshake: servers of every era answer it in some way.
const VERSION: &str = "2025-11-25";

impl Doctor {
    pub(super) fn knock(self) -> (Self, Effect) {
        let hello = json!({
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {
                "protocolVersion": VERSION, "capabilities": {},
                "clientInfo": { "name": "Keybearer doctor", "version": env!("CARGO_PKG_VERSION") },
            },
        });
        self.ask_server(Stage::Knocking, &hello, None)
    }

    fn ask_server(self, stage: Stage, message: &serde_json::Value, session: Option<&HeaderMap>) -> (Self, Effect) {
        let mut request = Request::post(self.patient.upstream.as_url().as_str())
            .header(CONTENT_TYPE, "application/json")
            .header(ACCEPT, "application/json, text/event-stream");
        if let Some(opened) = session {
            request = request.header("mcp-protocol-version", VERSION);
            if let Some(id) = opened.get("mcp-session-id") {
                request = request.header("mcp-session-id", id);
            }
        }
        match request.body(message.to_string().into_bytes()) {
            Ok(request) => self.fetch(stage, request),
            Err(_) => self.end(),
        }
    }

    pub(super) fn knocked(mut self, input: &Input) -> (Self, Effect) {
        match input {
            Input::Answered(reply) if reply.status().is_success() && !is_page(reply) => {
                self.find(Code::ServerAnswers, told(reply));
                let list = json!({ "jsonrpc": "2.0", "id": 2, "method": "tools/list" });
                self.ask_server(Stage::Listing, &list, Some(reply.headers()))
            }
            Input::Answered(reply) => {
                if self.refused(reply) {
                    self.ask_resource()
                } else {
                    self.end()
                }
            }
            Input::Silent(silence) => {
                let (code, goes_on) = match silence {
                    Silence::Unreachable(_) => (Code::ServerUnreachable, false),
                    Silence::Certificate(_) => (Code::ServerCertificate, false),
                    Silence::Forbidden(_) => (Code::ServerForbidden, false),
                    Silence::Interrupted(_) => (Code::ServerInterrupted, true),
                };
                self.find(code, silence.words());
                if goes_on { self.ask_resource() } else { self.end() }
            }
        }
    }

    pub(super) fn listed(mut self, input: &Input) -> (Self, Effect) {
        match input {
            Input::Answered(reply) if reply.status() == StatusCode::UNAUTHORIZED => {
                self.find(Code::LateChallenge, "`initialize` is answered, `tools/list` gets 401");
                self.challenged(reply);
            }
            Input::Answered(reply) if reply.status().is_success() => self.find(Code::OpenServer, told(reply)),
            Input::Answered(reply) => {
                self.find(Code::LateChallenge, format!("`initialize` is answered, `tools/list` gets {}", told(reply)));
            }
            Input::Silent(silence) => self.find(Code::ServerInterrupted, silence.words()),
        }
        self.ask_resource()
    }

    /// What a refusal says; whether the walk goes on.
    fn refused(&mut self, reply: &Response<Vec<u8>>) -> bool {
        let status = reply.status();
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                self.find(Code::ServerAnswers, told(reply));
                self.challenged(reply);
            }
            StatusCode::NOT_FOUND | StatusCode::GONE => self.find(Code::ServerNotThere, told(reply)),
            StatusCode::METHOD_NOT_ALLOWED => self.find(Code::ServerOldTransport, told(reply)),
            _ if status.is_redirection() => {
                let to = reply.headers().get(LOCATION).map(|to| String::from_utf8_lossy(to.as_bytes()).into_owned());
                let to = to.unwrap_or_default();
                self.find(Code::ServerRedirects, format!("{} to `{}`", told(reply), without_query(&to)));
                return false;
            }
            _ if is_trouble(status) => self.find(Code::ServerTrouble, told(reply)),
            _ if status.is_success() => {
                self.find(Code::ServerNotMcp, told(reply));
                return false;
            }
            _ => self.find(Code::ServerRefusesHandshake, told(reply)),
        }
        true
    }

    fn challenged(&mut self, reply: &Response<Vec<u8>>) {
        let written: Vec<_> = reply.headers().get_all(WWW_AUTHENTICATE).iter().collect();
        let written =
            written.iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect::<Vec<_>>().join(", ");
        match Challenge::parse(reply.headers()) {
            Some(challenge) => {
                let named = challenge.resource_metadata.as_ref();
                let usable = named.is_some_and(|place| self.patient.upstream.may_lead_to(place.as_url()));
                let code = match (usable, written.to_ascii_lowercase().contains("resource_metadata")) {
                    (true, _) => Code::AsksForSignIn,
                    (false, true) => Code::ChallengeUnusable,
                    (false, false) => Code::ChallengeWithoutMetadata,
                };
                self.find(code, shown(&written));
                self.challenge = Some(challenge);
            }
            None if written.is_empty() => self.find(Code::ChallengeMissing, told(reply)),
            None => self.find(Code::ChallengeForeign, shown(&written)),
        }
    }
}

/// The status, and what kind of answer it was.
pub(super) fn told(reply: &Response<Vec<u8>>) -> String {
    let kind = reply.headers().get(CONTENT_TYPE).map(|kind| String::from_utf8_lossy(kind.as_bytes()).into_owned());
    let kind = kind.filter(|kind| !kind.is_empty()).map(|kind| format!(" ({kind})")).unwrap_or_default();
    format!("status {}{kind}", reply.status().as_u16())
}

/// Queries can hold what is nobody's business.
fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

fn is_page(reply: &Response<Vec<u8>>) -> bool {
    reply.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().to_ascii_lowercase().starts_with(b"text/html"))
}
