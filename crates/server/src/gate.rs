//! Stage 1 of a call at the HTTP door: what does not look like a local MCP client is turned away before any byte of its
//! body is read, with an empty answer that tells nothing.

use std::net::SocketAddr;

use http::header::{CONTENT_TYPE, HOST, HeaderMap, ORIGIN, UPGRADE};
use http::request::Parts;
use http::{Method, StatusCode};

/// What a request's path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// `/mcp/NAME`: a server, by its unparsed name.
    Server(&'a str),
    /// `/mcp`: Keybearer's own MCP server.
    Own,
}

/// A request that passed the gate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed<'a> {
    pub(crate) target: Target<'a>,
    /// The client key that was presented.
    pub(crate) key: &'a str,
}

/// The only values of `Host` that a door answers to; made once for each listener.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hosts {
    literal: String,
    localhost: String,
}

impl Hosts {
    /// The hosts of the door that listens on `address`.
    pub(crate) fn of(address: SocketAddr) -> Self {
        Self { literal: address.to_string(), localhost: format!("localhost:{}", address.port()) }
    }

    fn have(&self, host: &str) -> bool {
        host == self.literal || host == self.localhost
    }
}

/// Judges a request's head (SEC-02 to SEC-06, SEC-13). The first check is Host, because a page that rebinds its name to
/// this machine can forge everything else.
pub(crate) fn judge<'a>(head: &'a Parts, hosts: &Hosts) -> Result<Passed<'a>, StatusCode> {
    if !is_our_host(head, hosts) {
        return Err(StatusCode::FORBIDDEN);
    }
    if head.headers.contains_key(ORIGIN) || head.headers.get_all("sec-fetch-site").iter().any(|site| site != "none") {
        return Err(StatusCode::FORBIDDEN);
    }
    if head.headers.contains_key(UPGRADE) || head.headers.contains_key("http2-settings") {
        return Err(StatusCode::BAD_REQUEST);
    }
    if !matches!(head.method, Method::POST | Method::GET | Method::DELETE) {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    // A key in a query would end up in logs and histories: a request that has one is not looked at further (SEC-13).
    if head.uri.query().is_some() {
        return Err(StatusCode::NOT_FOUND);
    }
    let target = target(head.uri.path()).ok_or(StatusCode::NOT_FOUND)?;
    if head.method == Method::POST && !is_json(&head.headers) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let key = bearer(&head.headers).ok_or(StatusCode::UNAUTHORIZED)?;
    Ok(Passed { target, key })
}

fn target(path: &str) -> Option<Target<'_>> {
    match path.strip_prefix("/mcp")? {
        "" => Some(Target::Own),
        rest => rest.strip_prefix('/').filter(|name| !name.is_empty() && !name.contains('/')).map(Target::Server),
    }
}

/// Exactly one Host, literally this door's address; an absolute-form target must name the same.
fn is_our_host(head: &Parts, ours: &Hosts) -> bool {
    let mut hosts = head.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let in_target = head.uri.authority().is_none_or(|authority| authority.as_str().as_bytes() == host.as_bytes());
    in_target && host.to_str().is_ok_and(|host| ours.have(host))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let essence = one.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// The one `Authorization: Bearer` of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, key) = value.to_str().ok()?.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !key.is_empty()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOOR: &str = "127.0.0.1:4711";

    /// One request a line: the method and target, then header lines after `|`.
    #[track_caller]
    fn check(request: &str, want: Result<&str, u16>) {
        let mut lines = request.split(" | ");
        let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
        let mut builder = http::Request::builder().method(method).uri(target);
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            builder = builder.header(name, value);
        }
        let head = builder.body(()).unwrap().into_parts().0;
        let hosts = Hosts::of(DOOR.parse().unwrap());
        let got = judge(&head, &hosts);
        let want = want.map(|server| if server.is_empty() { Target::Own } else { Target::Server(server) });
        assert_eq!(got.map(|passed| passed.target).map_err(|status| status.as_u16()), want, "{request}");
    }

    const GOOD: &str = "Authorization: Bearer kb_x | Content-Type: application/json";

    #[test]
    fn a_local_client_with_a_key_passes() {
        check(&format!("POST /mcp/crm | Host: 127.0.0.1:4711 | {GOOD}"), Ok("crm"));
        check(&format!("POST /mcp/crm | Host: localhost:4711 | {GOOD}; charset=utf-8"), Ok("crm"));
        check(&format!("POST /mcp | Host: 127.0.0.1:4711 | {GOOD}"), Ok(""));
        check(&format!("POST /mcp/ | Host: 127.0.0.1:4711 | {GOOD}"), Err(404));
        check(&format!("POST /mcpx | Host: 127.0.0.1:4711 | {GOOD}"), Err(404));
        check(&format!("POST http://127.0.0.1:4711/mcp/crm | Host: 127.0.0.1:4711 | {GOOD}"), Ok("crm"));
        check("GET /mcp/crm | Host: 127.0.0.1:4711 | Authorization: bearer kb_x | Sec-Fetch-Site: none", Ok("crm"));
    }

    #[test]
    fn sec_03_any_other_host_is_refused() {
        for host in [
            "127.0.0.1",
            "127.0.0.1:4712",
            "127.0.0.1:04711",
            "127.0.0.1:4711.",
            "evil.test:4711",
            "evil.test",
            "127.0.0.1:4711@evil.test",
            "localhost",
            "localhost:+4711",
            "localhost.evil.test:4711",
            "[::1]:4711",
            "0.0.0.0:4711",
            "127.1:4711",
            "2130706433:4711",
            "0x7f.1:4711",
            "LOCALHOST:4711 ",
            "",
        ] {
            check(&format!("POST /mcp/crm | Host: {host} | {GOOD}"), Err(403));
        }
        check(&format!("POST /mcp/crm | {GOOD}"), Err(403));
        check(&format!("POST /mcp/crm | Host: 127.0.0.1:4711 | Host: 127.0.0.1:4711 | {GOOD}"), Err(403));
        check(&format!("POST http://evil.test/mcp/crm | Host: 127.0.0.1:4711 | {GOOD}"), Err(403));
    }

    #[test]
    fn sec_04_pages_are_refused() {
        for header in [
            "Origin: http://127.0.0.1:4711",
            "Origin: null",
            "Origin: https://evil.test",
            "Sec-Fetch-Site: cross-site",
            "Sec-Fetch-Site: same-site",
            "Sec-Fetch-Site: same-origin",
        ] {
            check(&format!("POST /mcp/crm | Host: 127.0.0.1:4711 | {header} | {GOOD}"), Err(403));
        }
    }

    #[test]
    fn sec_05_and_06_nothing_but_plain_mcp_requests() {
        for method in ["OPTIONS", "PUT", "HEAD", "PATCH", "TRACE", "CONNECT", "BREW"] {
            let target = if method == "CONNECT" { "127.0.0.1:4711" } else { "/mcp/crm" };
            check(&format!("{method} {target} | Host: 127.0.0.1:4711 | {GOOD}"), Err(405));
        }
        check(&format!("GET /mcp/crm | Host: 127.0.0.1:4711 | Upgrade: websocket | {GOOD}"), Err(400));
        check(&format!("GET /mcp/crm | Host: 127.0.0.1:4711 | Upgrade: h2c | {GOOD}"), Err(400));
        check("POST /mcp/crm | Host: 127.0.0.1:4711 | Authorization: Bearer k | Content-Type: text/plain", Err(415));
        check("POST /mcp/crm | Host: 127.0.0.1:4711 | Authorization: Bearer k", Err(415));
    }

    #[test]
    fn sec_13_a_key_stands_in_its_header_alone() {
        let json = "Content-Type: application/json";
        check(&format!("POST /mcp/crm?key=kb_x | Host: 127.0.0.1:4711 | {json}"), Err(404));
        check(&format!("POST /mcp/crm | Host: 127.0.0.1:4711 | Cookie: key=kb_x | {json}"), Err(401));
        check(&format!("POST /mcp/crm/kb_x | Host: 127.0.0.1:4711 | {json}"), Err(404));
        check(&format!("POST /mcp/crm | Host: 127.0.0.1:4711 | X-Api-Key: kb_x | {json}"), Err(401));
        check(
            &format!(
                "POST /mcp/crm | Host: 127.0.0.1:4711 | {json} | Authorization: Bearer a | Authorization: Bearer b"
            ),
            Err(401),
        );
        check(&format!("POST /mcp/crm | Host: 127.0.0.1:4711 | {json} | Authorization: Basic a2I="), Err(401));
    }
}
