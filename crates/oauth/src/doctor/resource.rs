//! The server's description of itself (RFC 9728): where is it, whose is it, and whom does it name?

use http::Response;

use super::finding::Code;
use super::server::told;
use super::{Doctor, Effect, Input, Means, Silence, Stage};
use crate::discovery::{Search, Unfit};
use crate::login::LoginError;
use crate::metadata::ProtectedResource;

/// The places that are asked, and what came of those before.
pub(super) struct AskingResource {
    search: Search,
    places: Vec<String>,
}

impl Doctor {
    pub(super) fn ask_resource(mut self) -> (Self, Effect) {
        if self.patient.means == Means::NoSignIn {
            self.find(Code::FixedMeans, "its settings say so");
        }
        let search = Search::for_resource(&self.patient.upstream, self.challenge.as_ref());
        self.next_place(Box::new(AskingResource { search, places: Vec::new() }))
    }

    fn next_place(self, mut asking: Box<AskingResource>) -> (Self, Effect) {
        match asking.search.next() {
            Some(question) => self.fetch(Stage::Resource(asking), question),
            None => self.no_resource(asking),
        }
    }

    pub(super) fn resource_answered(self, mut asking: Box<AskingResource>, input: &Input) -> (Self, Effect) {
        let place = self.asked.clone();
        match input {
            Input::Answered(reply) => {
                asking.places.push(format!("{place}: {}", told(reply)));
                match ProtectedResource::read(&self.patient.upstream, asking.search.host(), reply) {
                    Ok(resource) => return self.resource_found(&asking, resource, reply),
                    Err(unfit) => asking.search.note(unfit),
                }
            }
            Input::Silent(silence) => {
                asking.places.push(format!("{place}: {}", silence.words()));
                match silence {
                    // It is an address of the challenge's: the others are beside the server.
                    Silence::Forbidden(words) => asking.search.note(Unfit::Trouble(LoginError::Unreachable {
                        host: asking.search.host().to_owned(),
                        cause: words.clone(),
                    })),
                    Silence::Unreachable(words) | Silence::Certificate(words) | Silence::Interrupted(words) => {
                        asking.search.note_unreachable(words);
                    }
                }
            }
        }
        self.next_place(asking)
    }

    fn resource_found(
        mut self,
        asking: &AskingResource,
        resource: ProtectedResource,
        reply: &Response<Vec<u8>>,
    ) -> (Self, Effect) {
        let place = self.asked.clone();
        let named = self.challenge.as_ref().and_then(|challenge| challenge.resource_metadata.as_ref());
        let named = named.filter(|named| self.patient.upstream.may_lead_to(named.as_url()));
        let (is_named, as_named) = (named.is_some(), named.is_none_or(|named| named.as_url().as_str() == place));
        self.find(Code::ResourceFound, format!("{place} {}", told(reply)));
        if !as_named {
            self.find(Code::ResourceElsewhere, asking.places.join("\n"));
        } else if !is_named && asking.places.len() > 1 {
            self.find(Code::ResourceAtRoot, asking.places.join("\n"));
        }
        let own = ProtectedResource::silent(&self.patient.upstream).resource;
        if resource.resource != own && resource.resource != self.patient.upstream.as_url().as_str() {
            self.find(Code::ResourceContains, format!("`{}` instead of `{own}`", resource.resource));
        }
        if self.report.findings().iter().any(|finding| finding.code == Code::OpenServer) {
            self.find(Code::OpenButDescribed, "`initialize` and `tools/list` are answered without a credential");
        }
        if resource.issuers.is_empty() {
            self.find(Code::ResourceNamesNobody, "`authorization_servers` is missing or empty");
        }
        self.ask_issuers(resource)
    }

    fn no_resource(mut self, asking: Box<AskingResource>) -> (Self, Effect) {
        let places = asking.places.join("\n");
        match asking.search.verdict() {
            Some(LoginError::WrongResource { named, .. }) => {
                self.find(Code::ResourceIsAnother, format!("it names `{named}`\n{places}"));
                self.end()
            }
            Some(LoginError::Unsound { what, .. }) => {
                self.find(Code::IssuerUnusable, format!("{what}\n{places}"));
                self.end()
            }
            Some(other) => {
                self.find(Code::ResourceTrouble, format!("{other}\n{places}"));
                self.end()
            }
            // Nobody wants a sign-in: there is nothing to be looked for.
            None if self.is_open() => self.end(),
            None => {
                self.find(Code::ResourceMissing, places);
                let silent = ProtectedResource::silent(&self.patient.upstream);
                self.ask_issuers(silent)
            }
        }
    }

    /// The server serves anybody, or nothing that could ask for a sign-in is there.
    fn is_open(&self) -> bool {
        let over = |code: Code| matches!(code, Code::OpenServer | Code::ServerNotThere | Code::ServerTrouble);
        self.report.findings().iter().any(|finding| over(finding.code))
    }
}
