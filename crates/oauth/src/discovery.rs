//! Where metadata can be, in the order of the MCP specification, and what was wrong at each place.

use std::collections::VecDeque;

use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Request, Response, StatusCode};
use keybearer_model::url::{Issuer, Upstream};
use serde::de::DeserializeOwned;
use url::Url;

use crate::challenge::Challenge;
use crate::login::LoginError;
use crate::text::shown;

/// MCP 2025-03-26 §2.3.2: discovery says which revision the client speaks.
const PROTOCOL_VERSION: (&str, &str) = ("mcp-protocol-version", "2025-11-25");

/// Why the answer at one place is of no use.
#[derive(Debug)]
pub(crate) enum Unfit {
    /// There is no metadata.
    Absent,
    /// The place has a trouble of its own, and may have metadata at another time.
    Trouble(LoginError),
    /// There is metadata, and it must not be used.
    Rejected(LoginError),
}

/// Places still to be asked, and what the ones before had to say.
#[derive(Debug, Default)]
pub(crate) struct Search {
    places: VecDeque<Url>,
    current: Option<Url>,
    rejected: Option<LoginError>,
    trouble: Option<LoginError>,
}

impl Search {
    /// RFC 9728: the address from the challenge, the well-known one with the server's path, the one at its root.
    pub(crate) fn for_resource(server: &Upstream, challenge: Option<&Challenge>) -> Self {
        let mut places = VecDeque::new();
        let named = challenge.and_then(|challenge| challenge.resource_metadata.as_ref());
        places.extend(named.map(|endpoint| endpoint.as_url().clone()));
        places.retain(|place| server.may_lead_to(place));
        let path = server.as_url().path();
        if path != "/" {
            places.push_back(well_known(server.as_url(), &format!("/.well-known/oauth-protected-resource{path}")));
        }
        places.push_back(well_known(server.as_url(), "/.well-known/oauth-protected-resource"));
        Self::over(places)
    }

    /// RFC 8414 §3.1 and OpenID Connect Discovery §4, in the order that MCP prescribes.
    pub(crate) fn for_issuer(issuer: &Issuer) -> Self {
        let url = issuer.as_url();
        let path = url.path().trim_end_matches('/');
        let mut places = VecDeque::from([
            well_known(url, &format!("/.well-known/oauth-authorization-server{path}")),
            well_known(url, &format!("/.well-known/openid-configuration{path}")),
        ]);
        if !path.is_empty() {
            places.push_back(well_known(url, &format!("{path}/.well-known/openid-configuration")));
        }
        Self::over(places)
    }

    fn over(mut places: VecDeque<Url>) -> Self {
        let mut seen = Vec::new();
        places.retain(|place| {
            !seen.contains(place) && {
                seen.push(place.clone());
                true
            }
        });
        Self { places, ..Self::default() }
    }

    /// The next question, if there is a place left.
    pub(crate) fn next(&mut self) -> Option<Request<Vec<u8>>> {
        while let Some(place) = self.places.pop_front() {
            if let Some(request) = get(&place) {
                self.current = Some(place);
                return Some(request);
            }
        }
        None
    }

    /// Keeps why the last answer was of no use.
    pub(crate) fn note(&mut self, unfit: Unfit) {
        match unfit {
            Unfit::Absent => {}
            Unfit::Trouble(error) => drop(self.trouble.get_or_insert(error)),
            Unfit::Rejected(error) => drop(self.rejected.get_or_insert(error)),
        }
    }

    /// Nobody is there: the other places at the same host need not be asked.
    pub(crate) fn note_unreachable(&mut self, cause: &str) {
        if let Some(current) = &self.current {
            self.places.retain(|place| place.origin() != current.origin());
        }
        self.note(Unfit::Trouble(unreachable(self.host(), cause)));
    }

    /// The place that was asked last.
    pub(crate) fn host(&self) -> &str {
        self.current.as_ref().and_then(Url::host_str).unwrap_or_default()
    }

    /// Why the search ended with nothing; `None` if there simply is nothing.
    pub(crate) fn verdict(self) -> Option<LoginError> {
        self.rejected.or(self.trouble)
    }
}

/// That `host` was not reached; `cause` is the driver's whole sentence.
pub(crate) fn unreachable(host: &str, cause: &str) -> LoginError {
    let (host, cause) = (shown(host), shown(cause));
    let cause = if cause.is_empty() { format!("`{host}` cannot be reached") } else { cause };
    LoginError::Unreachable { host, cause }
}

/// That `host` was reached, and has a trouble of its own.
pub(crate) fn trouble(host: &str, status: StatusCode) -> LoginError {
    unreachable(host, &format!("`{host}` answered with status {}", status.as_u16()))
}

/// A status that says nothing about the question, and may be another one later.
pub(crate) fn is_trouble(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}

/// Reads a JSON document. A page is none, also with status 200: many hosts answer every path with their front page.
pub(crate) fn document<T: DeserializeOwned>(host: &str, reply: &Response<Vec<u8>>) -> Result<T, Unfit> {
    let status = reply.status();
    if is_trouble(status) {
        return Err(Unfit::Trouble(trouble(host, status)));
    }
    let kind = reply.headers().get(CONTENT_TYPE).map(|kind| kind.as_bytes().to_ascii_lowercase());
    if status != StatusCode::OK || kind.is_some_and(|kind| kind.starts_with(b"text/html")) {
        return Err(Unfit::Absent);
    }
    serde_json::from_slice(reply.body()).map_err(|_| Unfit::Absent)
}

/// A question for a document.
pub(crate) fn get(place: &Url) -> Option<Request<Vec<u8>>> {
    Request::get(place.as_str())
        .header(ACCEPT, "application/json")
        .header(PROTOCOL_VERSION.0, PROTOCOL_VERSION.1)
        .body(Vec::new())
        .ok()
}

fn well_known(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(path);
    url.set_query(None);
    url
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(mut search: Search, want: &Expect) {
        let mut asked = String::new();
        while let Some(request) = search.next() {
            asked.push_str(&format!("{}\n", request.uri()));
        }
        want.assert_eq(&asked);
    }

    #[test]
    fn c1_c4_asks_in_the_prescribed_order() {
        let challenge = |text: &str| Challenge { resource_metadata: text.parse().ok(), ..Challenge::default() };
        check(
            Search::for_resource(&"https://h/a/mcp?x=1".parse().unwrap(), Some(&challenge("https://m.test/meta?x"))),
            &expect![[r#"
                https://m.test/meta?x
                https://h/.well-known/oauth-protected-resource/a/mcp
                https://h/.well-known/oauth-protected-resource
            "#]],
        );
        check(
            Search::for_issuer(&"https://idp.test/t1/".parse().unwrap()),
            &expect![[r#"
                https://idp.test/.well-known/oauth-authorization-server/t1
                https://idp.test/.well-known/openid-configuration/t1
                https://idp.test/t1/.well-known/openid-configuration
            "#]],
        );
        check(
            Search::for_issuer(&"https://idp.test".parse().unwrap()),
            &expect![[r#"
                https://idp.test/.well-known/oauth-authorization-server
                https://idp.test/.well-known/openid-configuration
            "#]],
        );
    }

    #[test]
    fn asks_no_place_twice_and_none_that_is_nearer_than_the_server() {
        let challenge = |text: &str| Challenge { resource_metadata: text.parse().ok(), ..Challenge::default() };
        let root = "https://h.test/.well-known/oauth-protected-resource";
        for named in [root, "https://10.0.0.1/meta", "http://127.0.0.1/meta", "https://169.254.169.254/meta"] {
            check(
                Search::for_resource(&"https://h.test/".parse().unwrap(), Some(&challenge(named))),
                &expect![[r#"
                    https://h.test/.well-known/oauth-protected-resource
                "#]],
            );
        }
    }
}
