//! Third state: who are we to the issuer? Pre-registered, else dynamically registered, else IT must help.
//!
//! A client id metadata document (`client_id_metadata_document_supported`) will stand between the first two.

use http::Response;
use keybearer_model::grant::ClientAuth;
use keybearer_model::url::Endpoint;

use super::authorizing::Authorizing;
use super::finding_issuer::Plan;
use super::{Effect, LoginError, State, Way, fail};
use crate::discovery::{is_trouble, trouble, unreachable};
use crate::metadata::Provenance;
use crate::registration::{self, Client};

#[derive(Debug)]
pub(super) struct Registering {
    plan: Plan,
    at: Endpoint,
    auth: ClientAuth,
    attempt: Attempt,
}

/// What the registration says of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attempt {
    /// All that will be asked for.
    WithScopes,
    /// Nothing: some issuers refuse a registration for a scope that they would grant.
    WithoutScopes,
}

impl Registering {
    pub(super) fn begin(mut plan: Plan) -> (State, Effect) {
        // Said before anything is registered that would be of no use.
        if plan.request.way == Way::Code && plan.issuer.device.is_none() {
            return fail(LoginError::NoDeviceCode { issuer: plan.issuer.issuer.to_string() });
        }
        if let Some(client) = plan.request.client.take() {
            return Authorizing::begin(plan, Client::from(client));
        }
        let Some(at) = plan.issuer.registration.clone() else {
            return fail(LoginError::NoWayToRegister { issuer: plan.issuer.issuer.to_string() });
        };
        let Some(auth) = registration::preferred_auth(&plan.issuer) else {
            return fail(LoginError::NoWayToRegister { issuer: plan.issuer.issuer.to_string() });
        };
        let attempt = if plan.scopes.is_empty() { Attempt::WithoutScopes } else { Attempt::WithScopes };
        Box::new(Self { plan, at, auth, attempt }).ask()
    }

    pub(super) fn fetched(mut self: Box<Self>, reply: &Response<Vec<u8>>) -> (State, Effect) {
        let status = reply.status();
        if is_trouble(status) {
            return fail(trouble(self.host(), status));
        }
        if status.is_client_error() && self.attempt == Attempt::WithScopes {
            self.attempt = Attempt::WithoutScopes;
            return self.ask();
        }
        match registration::judge(&self.plan.issuer, self.auth, reply) {
            Ok(client) => Authorizing::begin(self.plan, client),
            // Nothing was there but our guess.
            Err(LoginError::RegistrationRefused { .. } | LoginError::BadReply { .. })
                if self.plan.issuer.provenance == Provenance::Convention =>
            {
                fail(LoginError::NoSignIn { server: self.plan.request.upstream.to_string() })
            }
            Err(error) => fail(error),
        }
    }

    pub(super) fn unreachable(&self, cause: &str) -> LoginError {
        unreachable(self.host(), cause)
    }

    fn host(&self) -> &str {
        self.at.as_url().host_str().unwrap_or_default()
    }

    fn ask(self: Box<Self>) -> (State, Effect) {
        let Plan { request, scopes, .. } = &self.plan;
        let scopes: &[String] = match self.attempt {
            Attempt::WithScopes => scopes,
            Attempt::WithoutScopes => &[],
        };
        match registration::request(
            &self.at,
            self.auth,
            &request.client_name,
            &request.redirect_uri,
            scopes,
            request.way,
        ) {
            Some(question) => (State::Registering(self), Effect::Fetch(question)),
            None => fail(LoginError::OutOfStep("the registration's address cannot be asked")),
        }
    }
}
