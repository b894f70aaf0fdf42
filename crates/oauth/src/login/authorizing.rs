//! Fifth state: the person is at the issuer's page, and we wait for the browser to come back.

use super::coding::Coding;
use super::finding_issuer::Plan;
use super::pushing::Pushing;
use super::redeeming::Redeeming;
use super::{Effect, LoginError, State, Way, fail};
use crate::authorize::{Authorization, Callback, judge};
use crate::metadata::Pushing as Offer;
use crate::registration::Client;

#[derive(Debug)]
pub(super) struct Authorizing {
    plan: Plan,
    client: Client,
}

impl Authorizing {
    pub(super) fn begin(plan: Plan, client: Client) -> (State, Effect) {
        if plan.request.way == Way::Code {
            return Coding::begin(plan, client);
        }
        let authorization = Authorization {
            issuer: &plan.issuer,
            profile: &plan.profile,
            client_id: &client.id,
            redirect_uri: &plan.redirect_uri,
            scopes: &plan.scopes,
            resource: plan.resource.as_deref(),
            entropy: &plan.request.entropy,
        };
        let Some(page) = authorization.page() else {
            return fail(LoginError::OutOfStep("the sign-in page's address cannot be made"));
        };
        match &plan.issuer.pushing {
            Offer::NotOffered => Self::show(plan, client, page.whole()),
            Offer::Offered(at) | Offer::Required(at) => Pushing::begin(&at.clone(), plan, client, page),
        }
    }

    /// Sends the person to `url`.
    pub(super) fn show(plan: Plan, client: Client, url: String) -> (State, Effect) {
        (State::Authorizing(Box::new(Self { plan, client })), Effect::Present { url })
    }

    pub(super) fn callback(self: Box<Self>, query: &str) -> (State, Effect) {
        match judge(query, &self.plan.request.entropy.state, &self.plan.issuer) {
            Callback::Foreign => (State::Authorizing(self), Effect::AwaitCallback),
            Callback::Code(code) => Redeeming::begin(self.plan, self.client, &code),
            Callback::End(error) => fail(error),
        }
    }
}
