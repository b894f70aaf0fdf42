//! Drives the doctor: the pure walk of `keybearer-oauth` on one side, the network on the other.

use keybearer_model::url::Upstream;
use keybearer_oauth::doctor::{Doctor, Effect, Input, Means, Patient, Silence};
pub use keybearer_oauth::doctor::{Finding, Report, Severity};

use crate::broker::Broker;
use crate::config::AuthConfig;
use crate::ports::{HttpError, MayBePrivate};

impl Broker {
    /// Walks over what a server and its issuer say of signing in. Nobody is signed in, nothing is registered, and
    /// nothing secret is sent; proxies and the guard are those of a sign-in.
    pub async fn examine(&self, upstream: &Upstream, auth: Option<&AuthConfig>) -> Report {
        let ports = self.ports();
        let (means, scopes) = match auth {
            Some(AuthConfig::OAuth(settings)) if settings.client_id.is_some() => {
                (Means::RegisteredClient, settings.scopes.clone())
            }
            Some(AuthConfig::OAuth(settings)) => (Means::SignIn, settings.scopes.clone()),
            Some(AuthConfig::Header { .. } | AuthConfig::None) => (Means::NoSignIn, Vec::new()),
            None => (Means::SignIn, Vec::new()),
        };
        let patient = Patient { upstream: upstream.clone(), means, scopes, now: ports.clock.now() };
        let (mut doctor, mut effect) = Doctor::begin(patient);
        loop {
            let input = match effect {
                Effect::Done(report) => return report,
                Effect::Fetch(mut request) => {
                    request.extensions_mut().insert(MayBePrivate::as_is(upstream));
                    let sent = ports.http.send(*request).await;
                    sent.map_or_else(|error| silent(&error), |reply| Input::Answered(Box::new(reply)))
                }
            };
            (doctor, effect) = doctor.step(&input);
        }
    }
}

fn silent(error: &HttpError) -> Input {
    let words = error.to_string();
    Input::Silent(match error {
        HttpError::Unreachable { .. } => Silence::Unreachable(words),
        HttpError::Forbidden { .. } => Silence::Forbidden(words),
        HttpError::Certificate { .. } => Silence::Certificate(words),
        HttpError::Interrupted { .. } => Silence::Interrupted(words),
    })
}
