//! In place of the page: the issuer gives a code, and is asked until the person has typed it in somewhere (RFC 8628).

use http::Response;

use super::finding_issuer::Plan;
use super::identifying::{Redeemed, Tie};
use super::{Effect, LoginError, State, fail};
use crate::clock::date;
use crate::device::{self, Handed, Identity, Unhanded};
use crate::discovery::{trouble, unreachable};
use crate::registration::Client;
use crate::token::{self, Fault, TokenClient};

#[derive(Debug)]
pub(super) struct Coding {
    plan: Plan,
    client: Client,
    exchange: TokenClient,
    handed: Option<Handed>,
}

impl Coding {
    pub(super) fn begin(plan: Plan, client: Client) -> (State, Effect) {
        let Some(at) = plan.issuer.device.clone() else {
            return fail(LoginError::NoDeviceCode { issuer: plan.issuer.issuer.to_string() });
        };
        let scopes = plan.scopes.join(plan.profile.scope_joiner());
        let question = device::request(&at, &identity(&client), &scopes, plan.resource.as_deref());
        let exchange = token::client(&client.id, client.secret.as_ref(), client.auth, &plan.issuer.token);
        match (question, exchange) {
            (Some(question), Some(exchange)) => {
                (State::Coding(Box::new(Self { plan, client, exchange, handed: None })), Effect::Fetch(question))
            }
            (_, _) => fail(LoginError::OutOfStep("the place for codes cannot be asked")),
        }
    }

    pub(super) fn fetched(mut self: Box<Self>, reply: Response<Vec<u8>>) -> (State, Effect) {
        if self.handed.is_some() {
            return self.told(reply);
        }
        let issuer = self.plan.issuer.issuer.to_string();
        match Handed::read(&reply) {
            Ok(handed) => {
                let shown = handed.shown.clone();
                self.handed = Some(handed);
                (State::Coding(self), Effect::ShowCode(shown))
            }
            Err(Unhanded::Refused(detail)) => fail(LoginError::Refused { issuer, detail }),
            Err(Unhanded::Trouble(status)) => fail(trouble(self.host(), status)),
            Err(Unhanded::Nonsense(what)) => fail(LoginError::BadReply { issuer, what }),
        }
    }

    /// What the issuer says became of the code.
    fn told(mut self: Box<Self>, reply: Response<Vec<u8>>) -> (State, Effect) {
        let received = date(&reply).unwrap_or(self.plan.request.now);
        let issuer = self.plan.issuer.issuer.to_string();
        match token::read(&self.exchange, reply) {
            Ok(tokens) => {
                let Self { plan, client, .. } = *self;
                Redeemed { plan, client, tokens, received, tie: Tie::Code }.proceed()
            }
            Err(Fault::Refused { code, detail }) => match code.as_str() {
                "authorization_pending" => self.wait(),
                "slow_down" => {
                    self.handed.iter_mut().for_each(Handed::slow_down);
                    self.wait()
                }
                "expired_token" => fail(LoginError::CodeEnded),
                "access_denied" => fail(LoginError::Declined { issuer, detail }),
                _ => fail(LoginError::Refused { issuer, detail }),
            },
            // The person may be at it: an issuer that stumbles ends nothing.
            Err(Fault::Trouble(_)) => self.later(),
            Err(Fault::Nonsense(what)) => fail(LoginError::BadReply { issuer, what }),
        }
    }

    pub(super) fn unreachable(self: Box<Self>, cause: &str) -> (State, Effect) {
        if self.handed.is_some() { self.later() } else { fail(unreachable(self.host(), cause)) }
    }

    fn later(mut self: Box<Self>) -> (State, Effect) {
        self.handed.iter_mut().for_each(Handed::back_off);
        self.wait()
    }

    /// The person has the code, or has not typed it in yet.
    pub(super) fn wait(mut self: Box<Self>) -> (State, Effect) {
        match self.handed.as_mut().and_then(Handed::wait) {
            Some(time) => (State::Coding(self), Effect::Wait(time)),
            None => fail(LoginError::CodeEnded),
        }
    }

    /// The time is over: the next question.
    pub(super) fn waited(self: Box<Self>) -> (State, Effect) {
        let question = self.handed.as_ref();
        match question.and_then(|handed| handed.question(&identity(&self.client), &self.plan.issuer.token)) {
            Some(question) => (State::Coding(self), Effect::Fetch(question)),
            None => fail(LoginError::OutOfStep("nothing was waited for")),
        }
    }

    fn host(&self) -> &str {
        let at = self.plan.issuer.device.as_ref().unwrap_or(&self.plan.issuer.token);
        at.as_url().host_str().unwrap_or_default()
    }
}

fn identity(client: &Client) -> Identity<'_> {
    Identity { id: &client.id, secret: client.secret.as_ref(), auth: client.auth }
}
