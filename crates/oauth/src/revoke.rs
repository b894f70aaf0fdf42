//! Telling the issuer that a grant is over (RFC 7009).

use http::{Request, Response, Uri};
use keybearer_model::grant::Grant;
use keybearer_model::secret::Secret;
use oauth2::{RefreshToken, RevocationUrl, StandardRevocableToken};
use serde::Deserialize;

use crate::text::shown;
use crate::token::{self, Capture};

/// The request that revokes `grant`'s refresh token, and with it its access tokens (RFC 7009 §2.1).
///
/// `None` if there is no refresh token, or its issuer has no place to revoke it.
pub fn request(grant: &Grant) -> Option<Request<Vec<u8>>> {
    let facts = &grant.facts;
    let endpoint = facts.revocation_endpoint.as_ref()?;
    let token = RefreshToken::new(grant.refresh_token.as_ref().map(Secret::expose)?.to_owned());
    // The crate takes https alone. Ours may be on loopback, as `Endpoint` has judged: the true address is put back.
    let mut https = endpoint.as_url().clone();
    https.set_scheme("https").ok()?;
    let client =
        token::client(&facts.client_id, grant.client_secret.as_ref(), facts.client_auth, &facts.token_endpoint)?
            .set_revocation_url(RevocationUrl::from_url(https));
    let capture = Capture::default();
    client.revoke_token(StandardRevocableToken::RefreshToken(token)).ok()?.request(&capture).err();
    let mut request = capture.request()?;
    *request.uri_mut() = endpoint.as_url().as_str().parse::<Uri>().ok()?;
    Some(request)
}

#[derive(Deserialize)]
struct Problem {
    error: String,
}

/// Judges the answer to [`request`]; the error says what the issuer did instead.
pub fn judge(reply: &Response<Vec<u8>>) -> Result<(), String> {
    // RFC 7009 §2.2: a token that is not known is revoked, too.
    if reply.status().is_success() {
        return Ok(());
    }
    let status = format!("status {}", reply.status().as_u16());
    Err(serde_json::from_slice::<Problem>(reply.body()).map_or(status, |problem| shown(&problem.error)))
}
