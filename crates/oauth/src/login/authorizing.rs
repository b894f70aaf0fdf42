//! Fifth state: the person is at the issuer's page, and we wait for the browser to come back.

use keybearer_model::grant::Target;

use super::coding::Coding;
use super::finding_issuer::Plan;
use super::pushing::Pushing;
use super::redeeming::Redeeming;
use super::{Asks, Effect, LoginError, State, Way, fail};
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
        let asks = Asks {
            issuer: plan.issuer.issuer.clone(),
            token_endpoint: plan.issuer.token.clone(),
            client_id: client.id.clone(),
            registration: client.registration.clone(),
            target: Target { resource: plan.resource.clone(), scopes: plan.scopes.clone() },
            reach: plan.request.exceptions.refresh_reach.unwrap_or(plan.profile.refresh_reach()),
        };
        (State::Authorizing(Box::new(Self { plan, client })), Effect::Present { url, asks: Box::new(asks) })
    }

    pub(super) fn callback(self: Box<Self>, query: &str) -> (State, Effect) {
        match judge(query, &self.plan.request.entropy.state, &self.plan.issuer) {
            Callback::Foreign => (State::Authorizing(self), Effect::AwaitCallback),
            Callback::Code(code) => Redeeming::begin(self.plan, self.client, &code),
            Callback::End(error) => fail(error),
        }
    }
}
