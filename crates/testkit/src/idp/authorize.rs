//! The authorization endpoint and its two pages: sign in, then consent.

mod pushed;
mod request;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Redirect, Response};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use url::Url;

pub(super) use self::pushed::push;
use self::request::Refused;
use super::book::{Asked, Code, Pending};
use super::dials::IssParameter;
use super::form::{Form, OauthError};
use super::page::{self, SignIn};
use super::{Desk, mint};

/// How long a code can be redeemed (RFC 6749 §4.1.2 says ten minutes at most).
const CODE_LIFETIME: Duration = Duration::from_secs(60);

/// Judges the request and shows the sign-in page, or the consent page to whoever is signed in already.
pub(super) async fn authorize(
    State(desk): State<Arc<Desk>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, OauthError> {
    let form = Form::parse(query.unwrap_or_default().as_bytes());
    let judged = match form.one("request_uri")? {
        Some(name) => pushed::take(&desk, &form, name),
        None => request::judge(&desk, &form).and_then(|asked| pushed::must_not_be_missing(&desk, asked)),
    };
    let asked = match judged {
        Ok(asked) => asked,
        Err(Refused::Untrusted(why)) => return Ok(page::refusal(&desk.name, &why)),
        Err(Refused::Tell(back, error)) => {
            return Ok(send_back(&desk, &back, &[("error", &error.code), ("error_description", &error.description)]));
        }
    };
    let user = session(&desk, &headers);
    let ticket = mint::secret("ticket")?;
    let shown = match &user {
        Some(user) => consent_page(&desk, &ticket, &asked, user),
        None => sign_in_page(&desk, &ticket, &asked, SignIn::First),
    };
    desk.book().pending.insert(ticket, Pending { asked, user });
    Ok(shown)
}

/// Takes user name and password.
pub(super) async fn sign_in(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OauthError> {
    let form = Form::posted(&headers, None, &body)?;
    let (ticket, user) = (form.need("ticket")?, form.one("user")?.unwrap_or_default());
    let password = form.one("password")?.unwrap_or_default();
    let (asked, right) = {
        let mut book = desk.book();
        let right = book.account(user).is_some_and(|account| account.password == password);
        let Some(pending) = book.pending.get_mut(ticket) else {
            return Ok(page::refusal(&desk.name, "This sign-in is over. Begin again in the app."));
        };
        if right {
            pending.user = Some(user.to_owned());
        }
        (pending.asked.clone(), right)
    };
    if !right {
        return Ok(sign_in_page(&desk, ticket, &asked, SignIn::WrongPassword));
    }
    let session = mint::secret("session")?;
    let mut response = consent_page(&desk, ticket, &asked, user);
    let cookie = format!("{}={session}; HttpOnly; SameSite=Lax; Path=/", cookie_name(&desk));
    response.headers_mut().insert(header::SET_COOKIE, HeaderValue::from_str(&cookie).map_err(std::io::Error::other)?);
    desk.book().sessions.insert(session, user.to_owned());
    desk.count(|counts| counts.sign_ins += 1);
    Ok(response)
}

/// Takes the answer to the consent page and sends the browser back to the app.
pub(super) async fn consent(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, OauthError> {
    let form = Form::posted(&headers, None, &body)?;
    let over = || page::refusal(&desk.name, "This sign-in is over. Begin again in the app.");
    let Some(pending) = desk.book().pending.remove(form.need("ticket")?) else { return Ok(over()) };
    let Some(user) = pending.user else { return Ok(over()) };
    let asked = pending.asked;
    if form.one("decision")? != Some("allow") {
        return Ok(send_back(
            &desk,
            &asked,
            &[("error", "access_denied"), ("error_description", "the person said no")],
        ));
    }
    let code = mint::secret("code")?;
    let response = send_back(&desk, &asked, &[("code", &code)]);
    let ends = desk.clock.boot() + CODE_LIFETIME;
    desk.book().codes.insert(code, Code { asked, user, ends, family: None });
    Ok(response)
}

fn sign_in_page(desk: &Desk, ticket: &str, asked: &Asked, which: SignIn) -> Response {
    desk.count(|counts| counts.logins_shown += 1);
    page::sign_in(&desk.name, ticket, &client_name(desk, asked), which)
}

fn consent_page(desk: &Desk, ticket: &str, asked: &Asked, user: &str) -> Response {
    desk.count(|counts| counts.consents_shown += 1);
    let email = desk.book().account(user).map_or_else(String::new, |account| account.email.clone());
    page::consent(&desk.name, ticket, &client_name(desk, asked), &email, asked)
}

fn client_name(desk: &Desk, asked: &Asked) -> String {
    desk.book().clients.get(&asked.client_id).map_or_else(String::new, |client| client.name.clone())
}

/// Redirects to where the request came from, with `state` and `iss`.
fn send_back(desk: &Desk, asked: &Asked, answer: &[(&str, &str)]) -> Response {
    let Ok(mut url) = Url::parse(&asked.redirect_uri) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    url.query_pairs_mut().extend_pairs(answer);
    if let Some(state) = &asked.state {
        url.query_pairs_mut().append_pair("state", state);
    }
    match desk.dials().iss {
        IssParameter::Sent => {
            url.query_pairs_mut().append_pair("iss", &desk.issuer);
        }
        IssParameter::Foreign => {
            url.query_pairs_mut().append_pair("iss", "https://issuer.invalid");
        }
        IssParameter::NotOffered | IssParameter::Missing => {}
    }
    Redirect::to(url.as_str()).into_response()
}

/// Cookies know no ports, so that the name must tell two issuers on one host apart.
fn cookie_name(desk: &Desk) -> String {
    format!("session_{}", desk.issuer.rsplit(':').next().unwrap_or_default())
}

fn session(desk: &Desk, headers: &HeaderMap) -> Option<String> {
    let name = cookie_name(desk);
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    let value = cookies.split(';').filter_map(|pair| pair.trim().split_once('=')).find(|(key, _)| *key == name)?.1;
    desk.book().sessions.get(value).cloned()
}
