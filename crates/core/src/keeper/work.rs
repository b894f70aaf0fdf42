//! What takes time: renewing, signing in, signing out. Each runs detached, so that no caller can cancel it half-way.

use std::time::Duration;

use keybearer_model::grant::Grant;
use keybearer_model::time::BootTime;
use keybearer_model::url::Upstream;
use keybearer_oauth::login::Obtained;
use keybearer_oauth::renew::{self, RenewError, Renewed};
use keybearer_oauth::revoke;

use super::Revocation;
use crate::custody::Custody;
use crate::ports::{KeyStoreError, MayBePrivate, Ports};
use crate::sign_in::{Finish, SignInError};

/// How long the issuer may take to revoke a token before the person is told that it did not.
const REVOCATION_LIMIT: Duration = Duration::from_secs(5);

/// The end of a piece of work.
pub(super) enum Done {
    Renewed(Grant, Result<Renewal, RenewError>),
    SignedIn(Result<(Obtained, Finish), SignInError>),
}

/// A renewal that succeeded: the new refresh token is in the grant, and stored unless the store says otherwise.
pub(super) struct Renewal {
    pub(super) renewed: Renewed,
    /// When it came: the bearer's life began then, however long storing took.
    pub(super) received_at: BootTime,
    /// How storing went; `None` where nothing was to be stored: the refresh token is the old one.
    pub(super) saved: Option<Result<(), KeyStoreError>>,
}

/// Renews `grant`: asks its issuer, stores what came and reads it back, and only then returns the new bearer (SEC-40).
pub(super) async fn renew(ports: Ports, custody: Custody, upstream: Upstream, mut grant: Grant) -> Done {
    let mut request = renew::request(&grant);
    request.extensions_mut().insert(MayBePrivate::as_is(&upstream));
    let reply = match ports.http.send(request).await {
        Ok(reply) => reply,
        Err(error) => return Done::Renewed(grant, Err(RenewError::Transient(error.to_string()))),
    };
    let received_at = ports.clock.boot();
    let mut renewed = match renew::judge(&grant, reply) {
        Ok(renewed) => renewed,
        Err(error) => return Done::Renewed(grant, Err(error)),
    };
    let mut saved = None;
    if let Some(token) = renewed.refresh_token.take() {
        grant.refresh_token = Some(token);
        grant.generation += 1;
        saved = Some(custody.put_grant(&grant).await);
    }
    Done::Renewed(grant, Ok(Renewal { renewed, received_at, saved }))
}

/// Revokes a grant's tokens at its issuer (RFC 7009), as far as that answers in time.
pub(super) async fn revoke(ports: &Ports, upstream: &Upstream, grant: &Grant) -> Revocation {
    let Some(mut request) = revoke::request(grant) else {
        return if grant.refresh_token.is_some() { Revocation::NotOffered } else { Revocation::Nothing };
    };
    request.extensions_mut().insert(MayBePrivate::as_is(upstream));
    match tokio::time::timeout(REVOCATION_LIMIT, ports.http.send(request)).await {
        Err(_) => Revocation::Failed("it did not answer in 5 seconds".to_owned()),
        Ok(Err(error)) => Revocation::Failed(error.to_string()),
        Ok(Ok(reply)) => match revoke::judge(&reply) {
            Ok(()) => Revocation::Revoked,
            Err(detail) => Revocation::Failed(detail),
        },
    }
}
