//! Sixth state: the code is being exchanged for tokens.

use http::{Request, Response};
use keybearer_model::secret::Secret;
use oauth2::{AuthorizationCode, PkceCodeVerifier, RedirectUrl};

use super::finding_issuer::Plan;
use super::identifying::{Redeemed, Tie};
use super::{Effect, LoginError, State, fail};
use crate::clock::date;
use crate::discovery::{trouble, unreachable};
use crate::registration::Client;
use crate::token::{self, Capture, Fault, TokenClient};

#[derive(Debug)]
pub(super) struct Redeeming {
    plan: Plan,
    client: Client,
    exchange: TokenClient,
}

impl Redeeming {
    pub(super) fn begin(plan: Plan, client: Client, code: &Secret) -> (State, Effect) {
        let made = token::client(&client.id, client.secret.as_ref(), client.auth, &plan.issuer.token)
            .and_then(|exchange| Some((question(&exchange, &plan, code)?, exchange)));
        match made {
            Some((question, exchange)) => {
                (State::Redeeming(Box::new(Self { plan, client, exchange })), Effect::Fetch(question))
            }
            None => fail(LoginError::OutOfStep("the token endpoint's address cannot be asked")),
        }
    }

    pub(super) fn fetched(self: Box<Self>, reply: Response<Vec<u8>>) -> (State, Effect) {
        let received = date(&reply).unwrap_or(self.plan.request.now);
        let issuer = || self.plan.issuer.issuer.to_string();
        match token::read(&self.exchange, reply) {
            Ok(tokens) => {
                let Self { plan, client, .. } = *self;
                Redeemed { plan, client, tokens, received, tie: Tie::Nonce }.proceed()
            }
            Err(Fault::Refused { detail, .. }) => fail(LoginError::Refused { issuer: issuer(), detail }),
            Err(Fault::Trouble(status)) => fail(trouble(self.host(), status)),
            Err(Fault::Nonsense(what)) => fail(LoginError::BadReply { issuer: issuer(), what }),
        }
    }

    pub(super) fn unreachable(&self, cause: &str) -> LoginError {
        unreachable(self.host(), cause)
    }

    fn host(&self) -> &str {
        self.plan.issuer.token.as_url().host_str().unwrap_or_default()
    }
}

fn question(exchange: &TokenClient, plan: &Plan, code: &Secret) -> Option<Request<Vec<u8>>> {
    let redirect = RedirectUrl::new(plan.redirect_uri.clone()).ok()?;
    let mut request = exchange
        .exchange_code(AuthorizationCode::new(code.expose().to_owned()))
        .set_pkce_verifier(PkceCodeVerifier::new(plan.request.entropy.verifier.expose().to_owned()))
        .set_redirect_uri(std::borrow::Cow::Borrowed(&redirect));
    if let Some(resource) = &plan.resource {
        request = request.add_extra_param("resource", resource.as_str());
    }
    let capture = Capture::default();
    request.request(&capture).err();
    capture.request()
}
