//! Third state: who are we to the issuer? Pre-registered, else described by a document, else registered, else IT must help.

use http::Response;
use keybearer_model::grant::ClientAuth;
use keybearer_model::url::Endpoint;

use super::authorizing::Authorizing;
use super::finding_issuer::Plan;
use super::{Effect, LoginError, State, Way, fail};
use crate::discovery::{is_trouble, trouble, unreachable};
use crate::metadata::Provenance;
use crate::profile::SelfRegistration;
use crate::registration::{self, Attempt, Client, Documents, Wanted};

#[derive(Debug)]
pub(super) struct Registering {
    plan: Plan,
    at: Endpoint,
    auth: ClientAuth,
    attempt: Attempt,
}

impl Registering {
    /// In the order of MCP's client registration.
    pub(super) fn begin(mut plan: Plan) -> (State, Effect) {
        // Said before anything is registered that would be of no use.
        if plan.request.way == Way::Code && plan.issuer.device.is_none() {
            return fail(LoginError::NoDeviceCode { issuer: plan.issuer.issuer.to_string() });
        }
        if let Some(client) = plan.request.client.take() {
            return match &client.issuer {
                // Its credentials are the secret of one issuer: no other is shown them.
                Some(issuer) if *issuer != plan.issuer.issuer => fail(LoginError::ClientOfAnotherIssuer {
                    client: client.client_id,
                    issuer: issuer.to_string(),
                    named: plan.issuer.issuer.to_string(),
                }),
                Some(_) | None => {
                    let client = Client::by_hand(client, &plan.issuer);
                    Authorizing::begin(plan, client)
                }
            };
        }
        if let (Documents::Read, Some(address)) = (plan.issuer.documents, &plan.request.document) {
            let client = Client::by_document(address);
            return Authorizing::begin(plan, client);
        }
        // One that was registered for pages may not ask for codes.
        let known = if plan.request.way == Way::Page { plan.request.known.iter() } else { [].iter() };
        let serves = known.into_iter().position(|known| known.serves(&plan.issuer.issuer, &plan.redirect_uri));
        if let Some(known) = serves {
            let client = Client::from(plan.request.known.swap_remove(known));
            return Authorizing::begin(plan, client);
        }
        let at =
            plan.issuer.registration.clone().filter(|_| plan.profile.self_registration() == SelfRegistration::Open);
        match at.zip(registration::preferred_auth(&plan.issuer)) {
            Some((at, auth)) => Box::new(Self { plan, at, auth, attempt: Attempt::Whole }).ask(),
            None => fail(LoginError::NoWayToRegister {
                issuer: plan.issuer.issuer.to_string(),
                documents: plan.issuer.documents,
            }),
        }
    }

    pub(super) fn fetched(mut self: Box<Self>, reply: &Response<Vec<u8>>) -> (State, Effect) {
        let status = reply.status();
        if is_trouble(status) {
            return fail(trouble(self.host(), status));
        }
        if status.is_client_error() && self.adjust(reply) {
            return self.ask();
        }
        match registration::judge(&self.plan.issuer, self.auth, &self.plan.redirect_uri, reply) {
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

    /// Changes what was refused into something that may be taken; false if there is nothing left to try.
    fn adjust(&mut self, reply: &Response<Vec<u8>>) -> bool {
        // Who is not let in at all is not let in with other words.
        if matches!(reply.status().as_u16(), 401 | 403 | 404) && self.plan.scopes.is_empty() {
            return false;
        }
        if registration::is_about_redirect(reply) {
            let other = registration::by_name(&self.plan.redirect_uri);
            return other.map(|other| self.plan.redirect_uri = other).is_some();
        }
        let next = self.attempt.next(&self.plan.scopes);
        next.map(|next| self.attempt = next).is_some()
    }

    fn host(&self) -> &str {
        self.at.as_url().host_str().unwrap_or_default()
    }

    fn ask(self: Box<Self>) -> (State, Effect) {
        let Plan { request, scopes, .. } = &self.plan;
        let wanted = Wanted {
            auth: self.auth,
            name: &request.client_name,
            redirect_uri: &self.plan.redirect_uri,
            attempt: self.attempt,
            way: request.way,
            scopes,
        };
        match registration::request(&self.at, &wanted) {
            Some(question) => (State::Registering(self), Effect::Fetch(question)),
            None => fail(LoginError::OutOfStep("the registration's address cannot be asked")),
        }
    }
}
