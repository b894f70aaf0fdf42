//! The company sign-in: what does it say of itself, and is that enough?

use std::collections::VecDeque;

use http::Response;
use keybearer_model::url::Issuer;
use serde_json::{Map, Value};

use super::finding::Code;
use super::server::told;
use super::{Doctor, Effect, Input, Means, Silence, Stage};
use crate::discovery::{Search, Unfit, document};
use crate::exceptions::Exceptions;
use crate::login::LoginError;
use crate::metadata::{Asked, AuthorizationServer, ProtectedResource, Spelling};
use crate::profile::{Catalog, PkceSupport, Profile, ResourceParameter};

/// The issuers that a server names, one after the other.
pub(super) struct AskingIssuers {
    resource: ProtectedResource,
    current: Candidate,
    others: VecDeque<Issuer>,
    /// How much was found before the first issuer was asked.
    before: usize,
}

struct Candidate {
    issuer: Issuer,
    spelling: Spelling,
    profile: Profile,
    search: Search,
    places: Vec<String>,
    /// The last silence, which says more than that there is nothing.
    silence: Option<Silence>,
}

impl Candidate {
    fn new(issuer: Issuer, spelling: Spelling) -> Self {
        let (profile, search) = (Catalog::bundled().of(&issuer), Search::for_issuer(&issuer));
        Self { issuer, spelling, profile, search, places: Vec::new(), silence: None }
    }
}

impl Doctor {
    pub(super) fn ask_issuers(self, mut resource: ProtectedResource) -> (Self, Effect) {
        let mut others = VecDeque::from(std::mem::take(&mut resource.issuers));
        let own = || self.patient.upstream.as_url().origin().ascii_serialization().parse().ok();
        let first = match others.pop_front() {
            Some(issuer) => Some((issuer, Spelling::Theirs)),
            None => own().map(|origin| (origin, Spelling::Ours)),
        };
        let Some((issuer, spelling)) = first else { return self.end() };
        let before = self.report.len();
        self.next_issuer_place(Box::new(AskingIssuers {
            resource,
            current: Candidate::new(issuer, spelling),
            others,
            before,
        }))
    }

    fn next_issuer_place(mut self, mut asking: Box<AskingIssuers>) -> (Self, Effect) {
        if let Some(question) = asking.current.search.next() {
            return self.fetch(Stage::Issuers(asking), question);
        }
        self.issuer_of_no_use(&mut asking.current);
        match asking.others.pop_front() {
            Some(issuer) => {
                asking.current = Candidate::new(issuer, Spelling::Theirs);
                self.next_issuer_place(asking)
            }
            None => self.end(),
        }
    }

    pub(super) fn issuer_answered(mut self, mut asking: Box<AskingIssuers>, input: &Input) -> (Self, Effect) {
        let place = self.asked.clone();
        let current = &mut asking.current;
        match input {
            Input::Answered(reply) => {
                current.places.push(format!("{place}: {}", told(reply)));
                let Candidate { issuer, spelling, profile, search, .. } = current;
                // Told by the standards: what the settings let pass is not the issuer's doing.
                let exceptions = &Exceptions::default();
                let asked = Asked { server: &self.patient.upstream, issuer, spelling: *spelling, profile, exceptions };
                match AuthorizationServer::read(&asked, search.host(), reply) {
                    Ok(sound) => {
                        self.report.soften(asking.before);
                        self.issuer_found(&asking, &sound, reply);
                        return self.end();
                    }
                    Err(Unfit::Rejected(LoginError::NoPkce { .. })) => {
                        self.find(Code::IssuerFound, format!("{} by {place}", current.issuer));
                        self.find(Code::PkceMissing, methods(reply));
                        self.facts(&asking, reply);
                        return self.end();
                    }
                    Err(unfit) => current.search.note(unfit),
                }
            }
            Input::Silent(silence) => {
                current.places.push(format!("{place}: {}", silence.words()));
                current.search.note_unreachable(silence.words());
                current.silence = Some(silence.clone());
            }
        }
        self.next_issuer_place(asking)
    }

    fn issuer_of_no_use(&mut self, current: &mut Candidate) {
        let places = current.places.join("\n");
        let verdict = std::mem::take(&mut current.search).verdict();
        let code = match (&verdict, &current.silence) {
            (Some(LoginError::WrongIssuer { named, .. }), _) => {
                let detail = format!("`{}` was asked, and names `{named}`\n{places}", current.issuer);
                return self.find(Code::IssuerIsAnother, detail);
            }
            (Some(LoginError::Unsound { what, .. }), _) => {
                return self.find(Code::IssuerUnsound, format!("`{}`: {what}\n{places}", current.issuer));
            }
            (_, Some(Silence::Certificate(_))) => Code::IssuerCertificate,
            (_, Some(Silence::Forbidden(_))) => Code::IssuerForbidden,
            (_, Some(Silence::Unreachable(_) | Silence::Interrupted(_))) => Code::IssuerUnreachable,
            (Some(_), None) => Code::IssuerTrouble,
            (None, None) if current.spelling == Spelling::Ours => Code::OnlyConvention,
            (None, None) => Code::IssuerWithoutMetadata,
        };
        self.find(code, places);
    }

    fn issuer_found(&mut self, asking: &AskingIssuers, sound: &AuthorizationServer, reply: &Response<Vec<u8>>) {
        let (asked, named) = (asking.current.issuer.as_str(), sound.issuer.as_str());
        self.find(Code::IssuerFound, format!("{named} by {}", self.asked));
        if asked != named && asked.trim_end_matches('/') == named.trim_end_matches('/') {
            self.find(Code::IssuerSpelledOtherwise, format!("the server writes `{asked}`, it writes `{named}`"));
        } else if asked != named {
            self.find(Code::IssuerKnownToDeviate, format!("the server writes `{asked}`, it writes `{named}`"));
        }
        if !asking.others.is_empty() {
            let others: Vec<_> = asking.others.iter().map(Issuer::as_str).collect();
            self.find(Code::OtherIssuers, others.join(", "));
        }
        let silent = methods(reply).is_empty() && asking.current.profile.pkce() == PkceSupport::Known;
        self.find(if silent { Code::PkceKnown } else { Code::PkceOffered }, methods(reply));
        self.facts(asking, reply);
    }

    /// What the document says, whether or not it is enough.
    fn facts(&mut self, asking: &AskingIssuers, reply: &Response<Vec<u8>>) {
        let Ok(Value::Object(members)) = document::<Value>("", reply) else { return };
        let told = Told(&members);
        self.kind_of_sign_in(told);
        self.registration(told);
        self.lasting(told, &asking.current.profile);
        self.scopes(told, &asking.resource);
        let named = told.says("authorization_response_iss_parameter_supported");
        self.find(if named { Code::ReturnNamed } else { Code::ReturnUnnamed }, "RFC 9207");
        if asking.current.profile.resource() == ResourceParameter::Omit {
            self.find(Code::ResourceLeftOut, "`resource` (RFC 8707) is not sent");
        }
        let revokes = told.has("revocation_endpoint");
        self.find(if revokes { Code::RevocationOffered } else { Code::RevocationMissing }, "RFC 7009");
        if told.has("device_authorization_endpoint") {
            self.find(Code::DeviceOffered, "RFC 8628");
        }
        if told.says("require_pushed_authorization_requests") {
            self.find(Code::PushedRequired, "RFC 9126");
        }
        if !told.has("jwks_uri") || !told.lists("scopes_supported", "openid") {
            self.find(Code::AccountUnknown, "it offers no `openid`, or no keys to check its word by");
        }
    }

    fn kind_of_sign_in(&mut self, told: Told<'_>) {
        let code = told.lists_or_is_silent("response_types_supported", "code");
        if !code || !told.lists_or_is_silent("grant_types_supported", "authorization_code") {
            let types = [told.list("response_types_supported"), told.list("grant_types_supported")];
            self.find(Code::CodeFlowMissing, types.map(|list| list.unwrap_or_default().join(" ")).join("; "));
        }
        // A client that was registered by hand knows how it proves itself.
        let methods = ["none", "client_secret_basic", "client_secret_post"];
        let name = "token_endpoint_auth_methods_supported";
        let known = told.list(name).is_none() || methods.iter().any(|method| told.lists(name, method));
        if !known && self.patient.means != Means::RegisteredClient {
            self.find(Code::ClientAuthUnknown, told.list(name).unwrap_or_default().join(" "));
        }
    }

    fn registration(&mut self, told: Told<'_>) {
        let (document, dynamic) = ("client_id_metadata_document_supported", "registration_endpoint");
        match self.patient.means {
            Means::RegisteredClient => self.find(Code::ClientSet, "`client_id` is set for this server"),
            Means::SignIn | Means::NoSignIn => {
                if told.says(document) {
                    self.find(Code::RegistrationByDocument, document);
                }
                if told.has(dynamic) {
                    self.find(Code::RegistrationOffered, format!("`{dynamic}` (RFC 7591)"));
                } else if !told.says(document) {
                    self.find(Code::RegistrationMissing, format!("it has no `{dynamic}`, and `client_id` is not set"));
                }
            }
        }
    }

    fn lasting(&mut self, told: Told<'_>, profile: &Profile) {
        let by_parameter = profile.authorize().any(|(name, value)| (name, value) == ("access_type", "offline"));
        let code = if told.lists("scopes_supported", "offline_access") || by_parameter {
            Code::LastingSignIn
        } else {
            match told.list("grant_types_supported") {
                Some(list) if list.contains(&"refresh_token") => Code::LastingSignIn,
                Some(_) => Code::ShortSignIn,
                None => Code::LastingUnsaid,
            }
        };
        let grants = told.list("grant_types_supported").unwrap_or_default().join(" ");
        self.find(code, format!("grant types: {}", if grants.is_empty() { "not said" } else { &grants }));
    }

    fn scopes(&mut self, told: Told<'_>, resource: &ProtectedResource) {
        let demanded = self.challenge.as_ref().and_then(|challenge| challenge.scope.as_deref()).unwrap_or_default();
        let mut wanted: Vec<&str> = self.patient.scopes.iter().map(String::as_str).collect();
        wanted.extend(demanded.split_whitespace());
        if wanted.is_empty() {
            wanted.extend(resource.scopes.iter().map(String::as_str));
        }
        let Some(listed) = told.list("scopes_supported") else { return };
        let unknown: Vec<_> = wanted.iter().filter(|scope| !listed.contains(scope)).copied().collect();
        if !unknown.is_empty() {
            self.find(Code::ScopesUnknown, unknown.join(" "));
        }
    }
}

/// What PKCE methods a document lists.
fn methods(reply: &Response<Vec<u8>>) -> String {
    let Ok(Value::Object(members)) = document::<Value>("", reply) else { return String::new() };
    Told(&members).list("code_challenge_methods_supported").unwrap_or_default().join(" ")
}

/// A metadata document, as it was written.
#[derive(Clone, Copy)]
struct Told<'a>(&'a Map<String, Value>);

impl<'a> Told<'a> {
    fn has(self, name: &str) -> bool {
        self.0.get(name).is_some_and(Value::is_string)
    }

    fn says(self, name: &str) -> bool {
        self.0.get(name).and_then(Value::as_bool) == Some(true)
    }

    fn list(self, name: &str) -> Option<Vec<&'a str>> {
        Some(self.0.get(name)?.as_array()?.iter().filter_map(Value::as_str).collect())
    }

    fn lists(self, name: &str, wanted: &str) -> bool {
        self.list(name).is_some_and(|list| list.contains(&wanted))
    }

    fn lists_or_is_silent(self, name: &str, wanted: &str) -> bool {
        self.list(name).is_none_or(|list| list.contains(&wanted))
    }
}
