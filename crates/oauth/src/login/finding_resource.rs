//! First state: what does the server say of itself, and whose tokens does it take?

use http::Response;

use super::finding_issuer::FindingIssuer;
use super::{Effect, LoginRequest, State, fail};
use crate::discovery::{Search, Unfit};
use crate::metadata::ProtectedResource;

#[derive(Debug)]
pub(super) struct FindingResource {
    request: LoginRequest,
    search: Search,
}

impl FindingResource {
    pub(super) fn begin(request: LoginRequest) -> (State, Effect) {
        let search = Search::for_resource(&request.upstream, request.challenge.as_ref());
        Box::new(Self { request, search }).next()
    }

    pub(super) fn fetched(self: Box<Self>, reply: &Response<Vec<u8>>) -> (State, Effect) {
        match ProtectedResource::read(&self.request.upstream, self.search.host(), reply) {
            Ok(resource) => FindingIssuer::begin(self.request, resource),
            Err(unfit) => self.miss(unfit),
        }
    }

    pub(super) fn unreachable(mut self: Box<Self>, cause: &str) -> (State, Effect) {
        self.search.note_unreachable(cause);
        self.next()
    }

    fn miss(mut self: Box<Self>, unfit: Unfit) -> (State, Effect) {
        self.search.note(unfit);
        self.next()
    }

    fn next(mut self: Box<Self>) -> (State, Effect) {
        if let Some(question) = self.search.next() {
            return (State::FindingResource(self), Effect::Fetch(question));
        }
        let Self { request, search } = *self;
        match search.verdict() {
            Some(error) => fail(error),
            // MCP 2025-03-26: a server without such metadata is its own issuer.
            None => {
                let silent = ProtectedResource::silent(&request.upstream);
                FindingIssuer::begin(request, silent)
            }
        }
    }
}
