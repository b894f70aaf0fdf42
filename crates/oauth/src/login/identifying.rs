//! Last state: the tokens are there, and the issuer's keys prove who signed in.

use http::Response;
use keybearer_model::grant::{Account, Grant, GrantFacts};
use keybearer_model::name::GrantId;
use keybearer_model::time::Timestamp;
use keybearer_model::url::{Endpoint, Issuer};

use super::finding_issuer::Plan;
use super::{Effect, LoginError, Obtained, State, fail};
use crate::discovery::{get, trouble, unreachable};
use crate::identity::{Expected, Proven, verify};
use crate::registration::Client;
use crate::token::Tokens;

/// A sign-in that has its tokens.
#[derive(Debug)]
pub(super) struct Redeemed {
    pub(super) plan: Plan,
    pub(super) client: Client,
    pub(super) tokens: Tokens,
    /// When the tokens came, by the issuer's clock.
    pub(super) received: Timestamp,
    pub(super) tie: Tie,
}

/// What ties the ID token to this sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tie {
    /// A nonce that went to the issuer's page and comes back in the token.
    Nonce,
    /// The device code, which only we know: RFC 8628 has no nonce.
    Code,
}

#[derive(Debug)]
pub(super) struct Identifying(Redeemed);

impl Identifying {
    pub(super) fn begin(redeemed: Redeemed) -> (State, Effect) {
        match redeemed.plan.issuer.jwks.as_ref().map(Endpoint::as_url).and_then(get) {
            Some(question) => (State::Identifying(Box::new(Self(redeemed))), Effect::Fetch(question)),
            None => fail(LoginError::OutOfStep("the address of the issuer's keys cannot be asked")),
        }
    }

    pub(super) fn fetched(self: Box<Self>, reply: &Response<Vec<u8>>) -> (State, Effect) {
        if !reply.status().is_success() {
            return fail(trouble(self.host(), reply.status()));
        }
        let Redeemed { plan, client, tokens, received, tie } = &self.0;
        let expected = Expected {
            issuer: &plan.issuer.issuer,
            tenant_claim: plan.profile.tenant_claim(),
            client_id: &client.id,
            nonce: match tie {
                Tie::Nonce => Some(&plan.request.entropy.nonce),
                Tie::Code => None,
            },
            access_token: &tokens.access,
            now: *received,
        };
        let proven = match &tokens.id {
            Some(token) => verify(token, reply.body(), &expected),
            None => Err("there is no ID token".to_owned()),
        };
        match proven {
            Ok(Proven { account, issuer }) => self.0.done(account, Some(issuer)),
            Err(what) => fail(LoginError::Unproven { issuer: plan.issuer.issuer.to_string(), what }),
        }
    }

    pub(super) fn unreachable(&self, cause: &str) -> LoginError {
        unreachable(self.host(), cause)
    }

    fn host(&self) -> &str {
        self.0.plan.issuer.jwks.as_ref().and_then(|keys| keys.as_url().host_str()).unwrap_or_default()
    }
}

impl Redeemed {
    /// Goes on to who signed in, where the issuer can tell.
    pub(super) fn proceed(self) -> (State, Effect) {
        match (&self.tokens.id, &self.plan.issuer.jwks) {
            // An ID token that was not asked for proves nothing to us.
            (Some(_), Some(_)) if self.plan.scopes.iter().any(|scope| scope == "openid") => Identifying::begin(self),
            (_, _) => self.done(Account::default(), None),
        }
    }

    /// The end: the grant, with everything pinned that later requests must not learn anew.
    pub(super) fn done(self, account: Account, proven_issuer: Option<Issuer>) -> (State, Effect) {
        let Self { plan, client, tokens, .. } = self;
        let issuer = proven_issuer.unwrap_or(plan.issuer.issuer);
        // Where no resource is sent, servers are kept apart by their addresses.
        let purpose = plan.resource.as_deref().unwrap_or_else(|| plan.request.upstream.as_url().as_str());
        let separators = |c: char| c == ' ' || plan.profile.scope_joiner().contains(c);
        let scopes = match &tokens.scope {
            Some(granted) => granted.split(separators).filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            // RFC 6749 §5.1: what was asked for is what was granted.
            None => plan.scopes.clone(),
        };
        let facts = GrantFacts {
            id: GrantId::derive(issuer.as_str(), &client.id, account.subject.as_deref().unwrap_or_default(), purpose),
            issuer,
            token_endpoint: plan.issuer.token,
            revocation_endpoint: plan.issuer.revocation,
            client_id: client.id,
            client_auth: client.auth,
            resource: plan.resource,
            scopes,
            requested: plan.scopes,
            registration: client.registration,
            deviations: plan.issuer.deviations,
            account,
            signed_in_at: plan.request.now,
        };
        let grant = Grant { facts, client_secret: client.secret, refresh_token: tokens.refresh, generation: 0 };
        let obtained = Obtained {
            grant,
            access_token: tokens.access,
            expires_in: tokens.expires_in,
            refresh_expires_in: tokens.refresh_expires_in,
        };
        (State::Ended, Effect::Done(Box::new(obtained)))
    }
}
