//! Second state: where does the issuer authorize, and where does it give tokens?

use std::collections::VecDeque;

use http::Response;
use keybearer_model::grant::{Deviating, Deviation, Permission};
use keybearer_model::url::Issuer;

use super::opening::Opening;
use super::{Effect, LoginError, LoginRequest, Purpose, State, fail};
use crate::discovery::Search;
use crate::exceptions::ResourceException;
use crate::metadata::{Asked, AuthorizationServer, ProtectedResource, Spelling};
use crate::profile::{Catalog, Profile, ResourceParameter};
use crate::scope::{self, Needs};

#[derive(Debug)]
pub(super) struct FindingIssuer {
    request: LoginRequest,
    resource: ProtectedResource,
    catalog: Catalog,
    current: Candidate,
    others: VecDeque<Issuer>,
    /// Why the first issuer that was of no use was not.
    first_failure: Option<LoginError>,
}

#[derive(Debug)]
struct Candidate {
    issuer: Issuer,
    spelling: Spelling,
    profile: Profile,
    search: Search,
}

impl Candidate {
    fn new(catalog: &Catalog, issuer: Issuer, spelling: Spelling) -> Self {
        let (profile, search) = (catalog.of(&issuer), Search::for_issuer(&issuer));
        Self { issuer, spelling, profile, search }
    }
}

/// All that is known once the issuer is; the states that follow share it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) request: LoginRequest,
    pub(super) issuer: AuthorizationServer,
    pub(super) profile: Profile,
    pub(super) scopes: Vec<String>,
    /// What is sent as `resource`, where the issuer takes it.
    pub(super) resource: Option<String>,
    /// Where the browser comes back to, empty until the way back is open; an issuer that takes no address of this
    /// machine may be given its name.
    pub(super) redirect_uri: String,
}

impl FindingIssuer {
    pub(super) fn begin(request: LoginRequest, mut resource: ProtectedResource) -> (State, Effect) {
        let catalog = Catalog::bundled();
        let mut others = VecDeque::from(std::mem::take(&mut resource.issuers));
        let current = match others.pop_front() {
            Some(issuer) => Candidate::new(&catalog, issuer, Spelling::Theirs),
            // MCP 2025-03-26: a server that names no issuer is its own.
            None => match request.upstream.as_url().origin().ascii_serialization().parse() {
                Ok(origin) => Candidate::new(&catalog, origin, Spelling::Ours),
                Err(_) => return fail(LoginError::NoSignIn { server: request.upstream.to_string() }),
            },
        };
        Box::new(Self { request, resource, catalog, current, others, first_failure: None }).next()
    }

    pub(super) fn fetched(mut self: Box<Self>, reply: &Response<Vec<u8>>) -> (State, Effect) {
        let Candidate { issuer, spelling, profile, search } = &self.current;
        let Self { request: LoginRequest { upstream: server, exceptions, .. }, .. } = &*self;
        let asked = Asked { server, issuer, spelling: *spelling, profile, exceptions };
        match AuthorizationServer::read(&asked, search.host(), reply) {
            Ok(issuer) => self.accept(issuer),
            Err(unfit) => {
                self.current.search.note(unfit);
                self.next()
            }
        }
    }

    pub(super) fn unreachable(mut self: Box<Self>, cause: &str) -> (State, Effect) {
        self.current.search.note_unreachable(cause);
        self.next()
    }

    fn next(mut self: Box<Self>) -> (State, Effect) {
        loop {
            if let Some(question) = self.current.search.next() {
                return (State::FindingIssuer(self), Effect::Fetch(question));
            }
            let failure = std::mem::take(&mut self.current.search).verdict();
            match (self.current.spelling, failure) {
                (Spelling::Ours, Some(error)) => return fail(error),
                (Spelling::Ours, None) => {
                    return match AuthorizationServer::by_convention(&self.request.upstream) {
                        Some(issuer) => self.accept(issuer),
                        None => fail(LoginError::NoSignIn { server: self.request.upstream.to_string() }),
                    };
                }
                (Spelling::Theirs, failure) => {
                    let issuer = &self.current.issuer;
                    let silent = || LoginError::Unsound { party: issuer.to_string(), what: "there is none".to_owned() };
                    self.first_failure.get_or_insert(failure.unwrap_or_else(silent));
                }
            }
            match (self.others.pop_front(), self.first_failure.take()) {
                (Some(issuer), failure) => {
                    self.first_failure = failure;
                    self.current = Candidate::new(&self.catalog, issuer, Spelling::Theirs);
                }
                (None, Some(error)) => return fail(error),
                (None, None) => return fail(LoginError::NoSignIn { server: self.request.upstream.to_string() }),
            }
        }
    }

    fn accept(self: Box<Self>, mut issuer: AuthorizationServer) -> (State, Effect) {
        let Self { request, resource, current: Candidate { profile, .. }, .. } = *self;
        let before = request.before.as_ref().filter(|before| before.issuer == issuer.issuer);
        if before.is_some() && request.purpose == Purpose::Move {
            return fail(LoginError::NotMoved { issuer: issuer.issuer.to_string() });
        }
        let needs = Needs {
            settings: &request.scopes,
            before: before.map_or(&[], |before| &before.scopes),
            challenge: request.challenge.as_ref(),
        };
        let scopes = scope::choose(&needs, &resource, &issuer);
        let deviates = |what, by| Deviation { what, by };
        let resource = match (&request.exceptions.resource, profile.resource()) {
            (Some(ResourceException::Send(sent)), _) => {
                let what = Deviating::OtherResource { sent: sent.clone() };
                issuer.deviations.push(deviates(what, Permission::Setting));
                Some(sent.clone())
            }
            (Some(ResourceException::Omit), _) => {
                issuer.deviations.push(deviates(Deviating::NoResource, Permission::Setting));
                None
            }
            (None, ResourceParameter::Omit) => {
                issuer.deviations.push(deviates(Deviating::NoResource, Permission::Profile));
                None
            }
            (None, ResourceParameter::Send) => Some(resource.resource),
        };
        Opening::begin(Plan { request, issuer, profile, scopes, resource, redirect_uri: String::new() })
    }
}
