//! Renews by a refresh token, with rotation and replay detection (RFC 9700 §4.14.2).

use serde_json::Value;

use super::super::Desk;
use super::super::book::{Book, Family, Refresh};
use super::super::form::{Form, OauthError};
use super::reply;

/// A new access token, and where tokens rotate a new refresh token.
pub(super) fn redeem(desk: &Desk, book: &mut Book, client_id: &str, form: &Form) -> Result<Value, OauthError> {
    let presented = form.need("refresh_token")?;
    let (rotates, grace, rejection) = {
        let mut dials = desk.dials();
        (dials.rotates, dials.rotation_grace, dials.reject_refresh.pop_front())
    };
    if let Some(code) = rejection {
        return Err(OauthError::new(&code, "refused by the test"));
    }
    let now = desk.clock.boot();
    let refresh = book.refresh.get(presented).ok_or_else(|| OauthError::invalid_grant("unknown refresh token"))?;
    let number = refresh.family;
    let family = book.family(number).ok_or_else(|| OauthError::invalid_grant("unknown refresh token"))?;
    if family.client_id != client_id {
        return Err(OauthError::invalid_grant("a refresh token of another client"));
    }
    if family.revoked {
        return Err(OauthError::invalid_grant("this sign-in was revoked"));
    }
    if desk.dials().sign_in_life.is_some_and(|life| now.since(family.began) >= life) {
        return Err(OauthError::invalid_grant("this sign-in is too old"));
    }
    if is_replay(refresh, now, grace) {
        book.revoke_family(number);
        desk.count(|counts| counts.replays += 1);
        return Err(OauthError::invalid_grant("this refresh token was used before; its sign-in is revoked"));
    }
    let other = form.one("resource")?.filter(|asked| *asked != family.resource);
    let other = other.filter(|_| desk.dials().reaches_every_server).map(str::to_owned);
    if other.is_none() {
        reply::same_resource(form, &family.resource)?;
    }
    let scopes = narrowed(form, family)?;
    let serves = match other {
        Some(resource) => {
            let for_it = Family { resource, ..family.clone() };
            book.families.push(for_it);
            book.families.len() - 1
        }
        None => number,
    };
    let mut answer = reply::access(desk, book, serves, scopes)?;
    if rotates {
        if let Some(refresh) = book.refresh.get_mut(presented) {
            refresh.used_at.get_or_insert(now);
        }
        reply::add_refresh(desk, book, number, &mut answer)?;
    }
    desk.count(|counts| counts.refreshes += 1);
    Ok(answer)
}

fn is_replay(refresh: &Refresh, now: keybearer_model::time::BootTime, grace: std::time::Duration) -> bool {
    refresh.used_at.is_some_and(|used_at| now.since(used_at) >= grace)
}

/// RFC 6749 §6: a refresh can ask for less, never for more.
fn narrowed(form: &Form, family: &Family) -> Result<Vec<String>, OauthError> {
    let Some(asked) = form.one("scope")? else { return Ok(family.scopes.clone()) };
    let asked = asked.split(' ').filter(|scope| !scope.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    match asked.iter().find(|scope| !family.scopes.contains(scope)) {
        Some(scope) => Err(OauthError::new("invalid_scope", &format!("`{scope}` was not granted"))),
        None => Ok(asked),
    }
}
