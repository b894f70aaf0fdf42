//! Telling the issuer that a grant is over, as far as it answers in time.

use std::time::Duration;

use keybearer_model::grant::Grant;
use keybearer_model::url::Upstream;
use keybearer_oauth::revoke as rfc7009;

use super::Revocation;
use crate::ports::{MayBePrivate, Ports};

/// How long the issuer may take before the person is told that it did not.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// Revokes a grant's tokens at its issuer (RFC 7009).
pub(super) async fn revoke(ports: &Ports, upstream: &Upstream, grant: &Grant) -> Revocation {
    let Some(mut request) = rfc7009::request(grant) else {
        return if grant.refresh_token.is_some() { Revocation::NotOffered } else { Revocation::Nothing };
    };
    request.extensions_mut().insert(MayBePrivate::as_is(upstream));
    match tokio::time::timeout(LIMIT, ports.http.send(request)).await {
        Err(_) => Revocation::Failed("it did not answer in 5 seconds".to_owned()),
        Ok(Err(error)) => Revocation::Failed(error.to_string()),
        Ok(Ok(reply)) => match rfc7009::judge(&reply) {
            Ok(()) => Revocation::Revoked,
            Err(detail) => Revocation::Failed(detail),
        },
    }
}
