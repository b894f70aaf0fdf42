//! What a good token reply is made of.

use std::io;

use serde_json::{Value, json};

use super::super::book::{Access, Book, Refresh};
use super::super::dials::IdTokens;
use super::super::form::{Form, OauthError};
use super::super::keys::{Signer, half_digest};
use super::super::{Desk, mint};

/// RFC 8707 §2.2, held strictly: `resource` is sent again, byte for byte.
pub(super) fn same_resource(form: &Form, authorized: &str) -> Result<(), OauthError> {
    match form.one("resource")? {
        Some(resource) if resource == authorized => Ok(()),
        Some(_) => Err(OauthError::new("invalid_target", "another resource than was authorized")),
        None => Err(OauthError::new("invalid_target", "`resource` is missing")),
    }
}

/// A reply with a fresh access token.
pub(super) fn access(desk: &Desk, book: &mut Book, family: usize, scopes: Vec<String>) -> io::Result<Value> {
    let (lifetime, says) = {
        let dials = desk.dials();
        (dials.token_lifetime, dials.says_token_lifetime)
    };
    let token = mint::secret("at")?;
    let mut answer = json!({ "access_token": token, "token_type": "Bearer", "scope": scopes.join(" ") });
    if says {
        answer["expires_in"] = json!(lifetime.as_secs());
    }
    let ends = desk.clock.boot() + lifetime;
    book.access.insert(token, Access { family, scopes, ends, revoked: false });
    Ok(answer)
}

/// Adds a fresh refresh token, and says how long it lives if the issuer is one that does.
pub(super) fn add_refresh(desk: &Desk, book: &mut Book, family: usize, answer: &mut Value) -> io::Result<()> {
    let token = mint::secret("rt")?;
    answer["refresh_token"] = json!(token);
    let (life, says) = {
        let dials = desk.dials();
        (dials.sign_in_life, dials.says_life)
    };
    if let (Some(life), true, Some(family)) = (life, says, book.family(family)) {
        let left = life.saturating_sub(desk.clock.boot().since(family.began));
        answer["refresh_expires_in"] = json!(left.as_secs());
    }
    book.refresh.insert(token, Refresh { family, used_at: None });
    Ok(())
}

/// Adds an ID token, where `openid` was asked for.
pub(super) fn add_id_token(
    desk: &Desk,
    book: &mut Book,
    family: usize,
    nonce: Option<&str>,
    answer: &mut Value,
) -> io::Result<()> {
    let behaviour = desk.dials().id_tokens;
    let Some(family) = book.family(family).filter(|family| family.scopes.iter().any(|scope| scope == "openid")) else {
        return Ok(());
    };
    let Some(account) = book.account(&family.user).filter(|_| behaviour != IdTokens::Absent) else { return Ok(()) };
    let now = desk.clock.now().as_millis() / 1000;
    let mut claims = json!({
        "iss": desk.issuer,
        "sub": format!("user-{}", account.user),
        "aud": if behaviour == IdTokens::ForeignAudience { "another-client" } else { &family.client_id },
        "iat": now,
        "exp": now + 600,
        "auth_time": now,
        "name": account.name,
        "email": account.email,
        "email_verified": true,
        "at_hash": half_digest(answer["access_token"].as_str().unwrap_or_default()),
    });
    if let Some(nonce) = nonce {
        claims["nonce"] = if behaviour == IdTokens::ForeignNonce { json!("another-nonce") } else { json!(nonce) };
    }
    let token = match behaviour {
        IdTokens::ForeignKey => Signer::mint()?.sign(&claims)?,
        IdTokens::Sound | IdTokens::Absent | IdTokens::ForeignNonce | IdTokens::ForeignAudience => {
            desk.signer.sign(&claims)?
        }
    };
    answer["id_token"] = json!(token);
    book.id_tokens.push(token);
    Ok(())
}
