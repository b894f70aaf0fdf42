//! Renewing a bearer with a grant's refresh token (RFC 6749 §6).

use std::time::Duration;

use http::{Request, Response};
use keybearer_model::grant::{Grant, Target};
use keybearer_model::secret::Secret;
use oauth2::{RefreshToken, Scope};

use crate::token::{self, Capture, Fault, TokenClient};

/// Error codes after which the same refresh token will never work again: it, or the client that holds it, is over.
const OVER: [&str; 5] = ["expired_token", "invalid_client", "invalid_grant", "invalid_token", "unauthorized_client"];

/// Error codes that refuse what was asked for, and say nothing of the refresh token.
const REFUSED: [&str; 8] = [
    "access_denied",
    "consent_required",
    "interaction_required",
    "invalid_request",
    "invalid_scope",
    "invalid_target",
    "login_required",
    "unsupported_grant_type",
];

/// What a renewal gave.
#[derive(Debug)]
pub struct Renewed {
    /// The new access token.
    pub access_token: Secret,
    /// How long it lives from its receipt, where the issuer says.
    pub expires_in: Option<Duration>,
    /// How long the refresh token lives from its receipt, where the issuer says.
    pub refresh_expires_in: Option<Duration>,
    /// The refresh token that replaces the grant's; absent where the grant's stays.
    pub refresh_token: Option<Secret>,
}

/// Why a renewal gave nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum RenewError {
    /// The grant is over: the person signs in again.
    #[error("the company sign-in ended: {code}")]
    Over {
        /// The issuer's error code.
        code: String,
    },
    /// The issuer gives no bearer for this target; the grant may be good for others.
    #[error("the company sign-in refused: {code}")]
    Refused {
        /// The issuer's error code.
        code: String,
    },
    /// Nothing is known about the grant: try again later, and sign nobody out (SEC-45).
    #[error("the company sign-in does not answer: {0}")]
    Transient(String),
}

/// The request for a bearer of `grant` for `target`; it goes to the token endpoint that was pinned at sign-in (SEC-27),
/// and names the target's resource (SEC-26). A grant without a refresh token makes one that its issuer refuses.
pub fn request(grant: &Grant, target: &Target) -> Request<Vec<u8>> {
    let build = || {
        let client = client(grant)?;
        let old = RefreshToken::new(grant.refresh_token.as_ref().map_or("", Secret::expose).to_owned());
        let mut exchange = client.exchange_refresh_token(&old);
        match &target.resource {
            Some(resource) => exchange = exchange.add_extra_param("resource", resource.as_str()),
            // Where no resource is sent, scopes say for whom the bearer is; those of the sign-in need no repeating.
            None if target.scopes != grant.facts.scopes => {
                exchange = exchange.add_scopes(target.scopes.iter().cloned().map(Scope::new));
            }
            None => {}
        }
        let capture = Capture::default();
        exchange.request(&capture).err();
        capture.request()
    };
    // Only an address that is no HTTP address could make nothing, and a sign-in pins none such.
    build().unwrap_or_default()
}

/// Judges the answer to [`request`].
pub fn judge(grant: &Grant, reply: Response<Vec<u8>>) -> Result<Renewed, RenewError> {
    let client = client(grant).ok_or_else(|| RenewError::Transient("its address cannot be used".to_owned()))?;
    let tokens = token::read(&client, reply).map_err(|fault| match fault {
        Fault::Refused { code, .. } if OVER.contains(&code.as_str()) => RenewError::Over { code },
        Fault::Refused { code, .. } if REFUSED.contains(&code.as_str()) => RenewError::Refused { code },
        Fault::Refused { detail, .. } => RenewError::Transient(detail),
        Fault::Trouble(status) => RenewError::Transient(format!("status {}", status.as_u16())),
        Fault::Nonsense(what) => RenewError::Transient(what),
    })?;
    let unchanged = |new: &Secret| grant.refresh_token.as_ref().is_some_and(|old| old.matches(new.expose()));
    Ok(Renewed {
        access_token: tokens.access,
        expires_in: tokens.expires_in,
        refresh_expires_in: tokens.refresh_expires_in,
        refresh_token: tokens.refresh.filter(|new| !unchanged(new)),
    })
}

fn client(grant: &Grant) -> Option<TokenClient> {
    let facts = &grant.facts;
    token::client(&facts.client_id, grant.client_secret.as_ref(), facts.client_auth, &facts.token_endpoint)
}
