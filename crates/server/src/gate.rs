//! Stage 1 of a call at the HTTP and socket doors: what does not look like a local MCP client is turned away before any
//! byte of its body is read, with an empty answer that tells nothing.

use std::net::SocketAddr;

use http::header::{CONTENT_TYPE, HOST, HeaderMap, HeaderName, ORIGIN, UPGRADE};
use http::request::Parts;
use http::{Method, StatusCode};

/// What a request's path asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target<'a> {
    /// `/mcp/NAME`: a server, by its unparsed name.
    Server(&'a str),
    /// `/mcp/NAME/messages/ID`: the address for messages that a stream of a server of 2024-11-05 was given.
    Messages {
        /// The server, by its unparsed name.
        server: &'a str,
        id: &'a str,
    },
    /// `/mcp`: Keybearer's own MCP server.
    Own,
    /// `/health`, at the socket door alone.
    Health,
}

/// A request that passed the gate.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Passed<'a> {
    pub(crate) target: Target<'a>,
    /// The client key that was presented; a door of TCP lets nobody pass without one.
    pub(crate) key: Option<&'a str>,
    /// It comes from a container, as far as can be told: only keys that are meant for one let it in (SEC-17).
    pub(crate) from_container: bool,
}

/// Says that a page sends a request, and whose.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Asks for HTTP/2 on this connection.
const HTTP2_SETTINGS: HeaderName = HeaderName::from_static("http2-settings");

/// The name by which programs in containers reach the machine that they run on.
const CONTAINER_HOST: &str = "host.docker.internal";

/// What a door asks of a request's head.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Door {
    /// On TCP: one of these hosts, and a key.
    Tcp(Hosts),
    /// On TCP, at an address that containers reach.
    Container(Hosts),
    /// Where the system names the peer: a key only if the client has one.
    Socket,
}

/// The only values of `Host` that a door on TCP answers to; made once for each listener.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hosts {
    literal: String,
    localhost: String,
    container: String,
}

impl Hosts {
    /// The hosts of the door that listens on `address`.
    pub(crate) fn of(address: SocketAddr) -> Self {
        let named = |name: &str| format!("{name}:{}", address.port());
        Self { literal: address.to_string(), localhost: named("localhost"), container: named(CONTAINER_HOST) }
    }
}

impl Door {
    /// What it is called where things are counted.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Tcp(_) => "http",
            Self::Container(_) => "container",
            Self::Socket => "socket",
        }
    }

    fn answers_to(&self, host: &str) -> bool {
        match self {
            Self::Tcp(hosts) => [&hosts.literal, &hosts.localhost, &hosts.container].iter().any(|known| *known == host),
            Self::Container(hosts) => host == hosts.literal || host == hosts.container,
            Self::Socket => host.is_empty() || is_this_machine(host),
        }
    }
}

impl Door {
    /// Whether a request with this host comes from a container. Where containers share the machine's loopback, the name
    /// that they use tells them from programs of the machine.
    fn is_for_containers(&self, host: &[u8]) -> bool {
        match self {
            Self::Tcp(hosts) => host == hosts.container.as_bytes(),
            Self::Container(_) => true,
            Self::Socket => false,
        }
    }
}

/// What HTTP clients write where a socket has no host of its own: this machine's names, with or without a port.
fn is_this_machine(host: &str) -> bool {
    let names = ["localhost", "127.0.0.1", "[::1]"];
    let Some(rest) = names.iter().find_map(|name| host.strip_prefix(name)) else { return false };
    rest.is_empty() || rest.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Judges a request's head (SEC-02 to SEC-06, SEC-13). The first check is Host, because a page that rebinds its name to
/// this machine can forge everything else.
pub(crate) fn judge<'a>(head: &'a Parts, door: &Door) -> Result<Passed<'a>, StatusCode> {
    if !is_our_host(head, door) {
        return Err(StatusCode::FORBIDDEN);
    }
    if head.headers.contains_key(ORIGIN) || head.headers.get_all(SEC_FETCH_SITE).iter().any(|site| site != "none") {
        return Err(StatusCode::FORBIDDEN);
    }
    if head.headers.contains_key(UPGRADE) || head.headers.contains_key(HTTP2_SETTINGS) {
        return Err(StatusCode::BAD_REQUEST);
    }
    if !matches!(head.method, Method::POST | Method::GET | Method::DELETE) {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    // A key in a query would end up in logs and histories: a request that has one is not looked at further (SEC-13).
    if head.uri.query().is_some() {
        return Err(StatusCode::NOT_FOUND);
    }
    let target = target(head.uri.path(), door).ok_or(StatusCode::NOT_FOUND)?;
    let method = match target {
        Target::Health => Some(Method::GET),
        Target::Messages { .. } => Some(Method::POST),
        Target::Server(_) | Target::Own => None,
    };
    if method.is_some_and(|method| method != head.method) {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    if head.method == Method::POST && !is_json(&head.headers) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let key = bearer(&head.headers)?;
    if key.is_none() && *door != Door::Socket {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let from_container = head.headers.get(HOST).is_some_and(|host| door.is_for_containers(host.as_bytes()));
    Ok(Passed { target, key, from_container })
}

fn target<'a>(path: &'a str, door: &Door) -> Option<Target<'a>> {
    if path == "/health" && *door == Door::Socket {
        return Some(Target::Health);
    }
    let rest = path.strip_prefix("/mcp")?;
    if rest.is_empty() {
        return Some(Target::Own);
    }
    let mut parts = rest.strip_prefix('/')?.split('/');
    match (parts.next().filter(|name| !name.is_empty())?, parts.next(), parts.next(), parts.next()) {
        (name, None, _, _) => Some(Target::Server(name)),
        (server, Some("messages"), Some(id), None) if !id.is_empty() => Some(Target::Messages { server, id }),
        (_, Some(_), _, _) => None,
    }
}

/// Exactly one Host, literally one that this door answers to; an absolute-form target must name the same.
fn is_our_host(head: &Parts, door: &Door) -> bool {
    let mut hosts = head.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    let in_target = head.uri.authority().is_none_or(|authority| authority.as_str().as_bytes() == host.as_bytes());
    in_target && host.to_str().is_ok_and(|host| door.answers_to(host))
}

fn is_json(headers: &HeaderMap) -> bool {
    let mut types = headers.get_all(CONTENT_TYPE).iter();
    let (Some(one), None) = (types.next(), types.next()) else { return false };
    let essence = one.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("application/json")
}

/// The one `Authorization: Bearer` of a request, if it has any `Authorization` at all.
fn bearer(headers: &HeaderMap) -> Result<Option<&str>, StatusCode> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let words = value.to_str().ok().and_then(|text| text.split_once(' '));
    match (words, values.next()) {
        (Some((scheme, key)), None) if scheme.eq_ignore_ascii_case("bearer") && !key.is_empty() => Ok(Some(key)),
        (Some(_) | None, _) => Err(StatusCode::UNAUTHORIZED),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOOR: &str = "127.0.0.1:4711";

    #[track_caller]
    fn check(request: &str, want: Result<&str, u16>) {
        check_at(&Door::Tcp(Hosts::of(DOOR.parse().unwrap())), request, want);
    }

    /// One request a line: the method and target, then header lines after `|`.
    #[track_caller]
    fn check_at(door: &Door, request: &str, want: Result<&str, u16>) {
        let mut lines = request.split(" | ");
        let (method, target) = lines.next().unwrap().split_once(' ').unwrap();
        let mut builder = http::Request::builder().method(method).uri(target);
        for line in lines {
            let (name, value) = line.split_once(": ").unwrap();
            builder = builder.header(name, value);
        }
        let head = builder.body(()).unwrap().into_parts().0;
        let got = judge(&head, door);
        let want = want.map(|name| match name {
            "" => Target::Own,
            "/health" => Target::Health,
            server => Target::Server(server),
        });
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

    #[test]
    fn at_the_socket_a_key_is_no_duty_and_all_else_is() {
        let json = "Content-Type: application/json";
        for host in ["localhost", "localhost:80", "127.0.0.1", "[::1]:4711", ""] {
            check_at(&Door::Socket, &format!("POST /mcp/crm | Host: {host} | {json}"), Ok("crm"));
        }
        check_at(&Door::Socket, &format!("POST /mcp/crm | Host: localhost | {GOOD}"), Ok("crm"));
        check_at(&Door::Socket, "GET /health | Host: localhost", Ok("/health"));
        check_at(&Door::Socket, &format!("POST /health | Host: localhost | {json}"), Err(405));
        check(&format!("GET /health | Host: {DOOR} | {GOOD}"), Err(404));
        for (header, status) in [
            ("Origin: http://localhost", 403),
            ("Sec-Fetch-Site: same-origin", 403),
            ("Upgrade: websocket", 400),
            ("Authorization: Basic a2I=", 401),
            ("Host: localhost", 403),
        ] {
            check_at(&Door::Socket, &format!("POST /mcp/crm | Host: localhost | {header} | {json}"), Err(status));
        }
        for host in ["evil.test", "localhost.evil.test", "localhost:x", "127.0.0.1.evil.test", "127.0.0.2"] {
            check_at(&Door::Socket, &format!("POST /mcp/crm | Host: {host} | {json}"), Err(403));
        }
        check_at(&Door::Socket, &format!("POST /mcp/crm | {json}"), Err(403));
        check_at(&Door::Socket, "POST /mcp/crm | Host: localhost | Content-Type: text/plain", Err(415));
        check_at(&Door::Socket, "OPTIONS /mcp/crm | Host: localhost", Err(405));
    }

    #[test]
    fn the_address_that_a_stream_was_given_takes_messages_alone() {
        let judged = |request: &str| {
            let (method, path) = request.split_once(' ').unwrap();
            let request = http::Request::builder().method(method).uri(path).header("Host", DOOR);
            let request = request.header("Authorization", "Bearer kb_x").header("Content-Type", "application/json");
            let head = request.body(()).unwrap().into_parts().0;
            let passed = judge(&head, &Door::Tcp(Hosts::of(DOOR.parse().unwrap())));
            passed.map(|passed| format!("{:?}", passed.target)).map_err(|status| status.as_u16())
        };
        let to = r#"Messages { server: "crm", id: "7f" }"#;
        assert_eq!(judged("POST /mcp/crm/messages/7f"), Ok(to.to_owned()));
        assert_eq!(judged("GET /mcp/crm/messages/7f"), Err(405));
        assert_eq!(judged("DELETE /mcp/crm/messages/7f"), Err(405));
        for path in
            ["/mcp/crm/messages", "/mcp/crm/messages/", "/mcp/crm/messages/a/b", "/mcp//messages/a", "/mcp/crm/x/a"]
        {
            assert_eq!(judged(&format!("POST {path}")), Err(404), "{path}");
        }
    }
}
