//! The pages that a person sees: sign in, consent, refusal. No script, nothing from elsewhere.

use axum::response::{Html, IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};

use super::book::Asked;

const STYLE: &str = include_str!("page.css");

/// Which sign-in page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum SignIn {
    First,
    WrongPassword,
}

/// Asks for user name and password.
pub(super) fn sign_in(issuer: &str, ticket: &str, client: &str, which: SignIn) -> Response {
    let (client, ticket) = (text(client), text(ticket));
    let note = match which {
        SignIn::First => "",
        SignIn::WrongPassword => "<p class=\"note\" role=\"alert\">User name or password is wrong.</p>",
    };
    page(
        StatusCode::OK,
        issuer,
        "Sign in",
        &format!(
            "<p>to continue to <strong>{client}</strong></p>{note}\
             <form method=\"post\" action=\"/signin\">\
             <input type=\"hidden\" name=\"ticket\" value=\"{ticket}\">\
             <label for=\"user\">User name</label>\
             <input id=\"user\" name=\"user\" autocomplete=\"username\" autofocus required>\
             <label for=\"password\">Password</label>\
             <input id=\"password\" name=\"password\" type=\"password\" autocomplete=\"current-password\" required>\
             <button>Sign in</button></form>"
        ),
    )
}

/// Asks whether the app may act for the person.
pub(super) fn consent(issuer: &str, ticket: &str, client: &str, email: &str, asked: &Asked) -> Response {
    let scopes = asked.scopes.iter().map(|scope| format!("<li>{}</li>", text(scope))).collect::<String>();
    let (client, ticket, email, resource) = (text(client), text(ticket), text(email), text(&asked.resource));
    page(
        StatusCode::OK,
        issuer,
        "Allow access?",
        &format!(
            "<p><strong>{client}</strong> wants to use <code>{resource}</code> as <strong>{email}</strong>.</p>\
             <ul>{scopes}</ul>\
             <form method=\"post\" action=\"/consent\">\
             <input type=\"hidden\" name=\"ticket\" value=\"{ticket}\">\
             <button name=\"decision\" value=\"allow\">Allow</button>\
             <button name=\"decision\" value=\"deny\" class=\"plain\">Don’t allow</button></form>"
        ),
    )
}

/// Says why there is no sign-in.
pub(super) fn refusal(issuer: &str, why: &str) -> Response {
    page(StatusCode::BAD_REQUEST, issuer, "Not signed in", &format!("<p>{}</p>", text(why)))
}

fn page(status: StatusCode, issuer: &str, title: &str, body: &str) -> Response {
    let issuer = text(issuer);
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} · {issuer}</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><style>{STYLE}</style></head>\
         <body><main><p class=\"issuer\">{issuer}</p><h1>{title}</h1>{body}</main></body></html>"
    );
    let mut response = (status, Html(html)).into_response();
    let headers = response.headers_mut();
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Text as HTML, in content and in quoted attributes.
fn text(raw: &str) -> String {
    raw.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}
