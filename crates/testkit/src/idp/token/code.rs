//! Redeems an authorization code.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keybearer_model::secret::digest;
use serde_json::Value;

use super::super::Desk;
use super::super::book::{Asked, Book, Family};
use super::super::dials::RefreshTokens;
use super::super::form::{Form, OauthError};
use super::reply;

/// Tokens for a code, if everything is as it was when the code was given.
pub(super) fn redeem(desk: &Desk, book: &mut Book, client_id: &str, form: &Form) -> Result<Value, OauthError> {
    let presented = form.need("code")?;
    let code = book.codes.get(presented).ok_or_else(|| OauthError::invalid_grant("unknown code"))?;
    if let Some(family) = code.family {
        // RFC 6749 §4.1.2: a code that comes twice was stolen, by one of the two.
        book.revoke_family(family);
        desk.count(|counts| counts.replays += 1);
        return Err(OauthError::invalid_grant("this code was used before; everything that came from it is revoked"));
    }
    if desk.clock.boot() >= code.ends {
        return Err(OauthError::invalid_grant("this code has ended"));
    }
    judge(&code.asked, client_id, form)?;
    let (asked, user) = (code.asked.clone(), code.user.clone());
    let family = book.families.len();
    book.families.push(Family {
        began: desk.clock.boot(),
        revoked: false,
        client_id: client_id.to_owned(),
        user,
        resource: asked.resource,
        scopes: asked.scopes.clone(),
    });
    if let Some(code) = book.codes.get_mut(presented) {
        code.family = Some(family);
    }
    desk.count(|counts| counts.codes_redeemed += 1);
    let wants_refresh = wants_refresh(desk, book, client_id, &asked.scopes);
    let mut answer = reply::access(desk, book, family, asked.scopes)?;
    if wants_refresh {
        reply::add_refresh(desk, book, family, &mut answer)?;
    }
    reply::add_id_token(desk, book, family, asked.nonce.as_deref(), &mut answer)?;
    Ok(answer)
}

fn judge(asked: &Asked, client_id: &str, form: &Form) -> Result<(), OauthError> {
    if asked.client_id != client_id {
        return Err(OauthError::invalid_grant("a code of another client"));
    }
    if form.need("redirect_uri")? != asked.redirect_uri {
        return Err(OauthError::invalid_grant("another redirect URI than the code was asked for with"));
    }
    let verifier = form.need("code_verifier")?;
    // RFC 7636 §4.1
    let spelled = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
    if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(spelled) {
        return Err(OauthError::invalid_request("a verifier that is not 43 to 128 unreserved characters"));
    }
    if URL_SAFE_NO_PAD.encode(digest(verifier)) != asked.challenge {
        return Err(OauthError::invalid_grant("the verifier does not belong to the challenge"));
    }
    reply::same_resource(form, &asked.resource)
}

fn wants_refresh(desk: &Desk, book: &Book, client_id: &str, scopes: &[String]) -> bool {
    let registered =
        book.clients.get(client_id).is_some_and(|client| client.grant_types.iter().any(|kind| kind == "refresh_token"));
    match desk.dials().refresh_tokens {
        RefreshTokens::ToWhoeverRegistered => registered,
        RefreshTokens::WithOfflineAccess => registered && scopes.iter().any(|scope| scope == "offline_access"),
        RefreshTokens::Never => false,
    }
}
