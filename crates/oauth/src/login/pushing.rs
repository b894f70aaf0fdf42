//! Between registration and the person: the request goes to the issuer ahead of them, where it takes such (RFC 9126).

use http::Response;
use keybearer_model::url::Endpoint;

use super::authorizing::Authorizing;
use super::finding_issuer::Plan;
use super::{Effect, LoginError, State, fail};
use crate::authorize::Page;
use crate::discovery::unreachable;
use crate::metadata::Pushing as Offer;
use crate::pushed::{self, Pushed};
use crate::registration::Client;

#[derive(Debug)]
pub(super) struct Pushing {
    plan: Plan,
    client: Client,
    page: Page,
}

impl Pushing {
    pub(super) fn begin(at: &Endpoint, plan: Plan, client: Client, page: Page) -> (State, Effect) {
        match pushed::request(at, &client, &page.parameters) {
            Some(question) => (State::Pushing(Box::new(Self { plan, client, page })), Effect::Fetch(question)),
            None => fail(LoginError::OutOfStep("the place for pushed requests cannot be asked")),
        }
    }

    pub(super) fn fetched(self: Box<Self>, reply: &Response<Vec<u8>>) -> (State, Effect) {
        match pushed::judge(reply) {
            Pushed::Named(name) => {
                let url = pushed::page(self.page.endpoint, &self.client.id, &name);
                Authorizing::show(self.plan, self.client, url)
            }
            Pushed::Refused(detail) => {
                fail(LoginError::Refused { issuer: self.plan.issuer.issuer.to_string(), detail })
            }
            Pushed::Failed(what) => {
                let issuer = self.plan.issuer.issuer.to_string();
                self.without(LoginError::BadReply { issuer, what: format!("it took no pushed request: {what}") })
            }
        }
    }

    pub(super) fn unreachable(self: Box<Self>, cause: &str) -> (State, Effect) {
        let error = unreachable(self.page.endpoint.host_str().unwrap_or_default(), cause);
        self.without(error)
    }

    /// Where pushing is an offer, the request can go with the person all the same.
    fn without(self: Box<Self>, error: LoginError) -> (State, Effect) {
        match &self.plan.issuer.pushing {
            Offer::Required(_) => fail(error),
            Offer::Offered(_) | Offer::NotOffered => {
                let url = self.page.whole();
                Authorizing::show(self.plan, self.client, url)
            }
        }
    }
}
