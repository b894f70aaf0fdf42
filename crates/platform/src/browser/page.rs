//! What the browser shows at the end of a sign-in: one small page, complete in itself, that repeats nothing it was sent.

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;

/// The style of the page; [`POLICY`] names its digest, and a test holds the two together.
const STYLE: &str = ":root{color-scheme:light dark;--ground:#fafaf8;--ink:#1d2126;--soft:#5a626b;--brass:#8a6516}\
@media(prefers-color-scheme:dark){:root{--ground:#17191c;--ink:#ecedee;--soft:#a2a9b1;--brass:#e3b75d}}\
body{margin:0;min-height:100vh;display:grid;place-items:center;background:var(--ground);color:var(--ink);\
font:15px/1.5 system-ui,sans-serif}\
main{padding:24px;text-align:center;max-width:26em}\
svg{width:40px;height:40px;fill:none;stroke:var(--brass);stroke-width:2}\
h1{margin:16px 0 4px;font-size:20px;font-weight:600}\
p{margin:0;color:var(--soft)}";

/// Nothing may be loaded, run, embedded or sent from the page.
const POLICY: &str = "default-src 'none'; style-src 'sha256-ajH4hU1sscEGV9PHSPfGYpsHpDU9+Z8/fr1PIrTOd7M='; \
base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How the page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    SignedIn,
    NotSignedIn,
    /// The redirect was not that of the sign-in that waits.
    Stray,
    /// The redirect arrived, and what follows takes long.
    Working,
}

impl Page {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::SignedIn => ("You are signed in", "You can close this page and go back to your app."),
            Self::NotSignedIn => ("You are not signed in", "Keybearer says why. You can close this page."),
            Self::Stray => ("Nothing to do here", "This page does not belong to a sign-in. You can close it."),
            Self::Working => ("Almost there", "Keybearer is still working on it. You can close this page."),
        }
    }

    fn status(self) -> StatusCode {
        match self {
            Self::SignedIn | Self::Working => StatusCode::OK,
            Self::NotSignedIn | Self::Stray => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn response(self) -> Response<Full<Bytes>> {
        let (title, text) = self.words();
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title} - Keybearer</title>\
             <style>{STYLE}</style></head><body><main>\
             <svg viewBox=\"0 0 24 24\" aria-hidden=\"true\"><circle cx=\"8\" cy=\"8\" r=\"5\"/>\
             <path d=\"M11.5 11.5 21 21M17 17l2.5-2.5M14 14l2-2\"/></svg>\
             <h1>{title}</h1><p>{text}</p></main></body></html>"
        );
        let mut response = bare(self.status());
        *response.body_mut() = Full::from(html);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
        response
    }
}

/// An answer without a page, for what a browser does not ask by itself.
pub(super) fn bare(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    let fixed = [
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if status == StatusCode::METHOD_NOT_ALLOWED {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_policy_allows_the_style_and_nothing_else() {
        let digest = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        assert!(POLICY.contains(&format!("style-src 'sha256-{digest}'")), "the digest is now {digest}");
        assert!(POLICY.starts_with("default-src 'none'"));
    }
}
