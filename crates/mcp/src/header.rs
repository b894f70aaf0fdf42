//! Which headers pass, by name, in either direction (SEC-62): what is not listed stays here.
//!
//! Absent on purpose: `Authorization`, `Cookie`, `Set-Cookie`, `WWW-Authenticate`, `Origin`, `Host`, everything that
//! belongs to one connection, and `Accept-Encoding`, which the forwarder sets itself.

use http::HeaderName;
use http::header::{ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};

/// Names the protocol's version.
pub const PROTOCOL_VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// Carries a session's id.
pub const SESSION_ID: HeaderName = HeaderName::from_static("mcp-session-id");

/// Mirrors a message's method (2026-07-28).
pub const METHOD: HeaderName = HeaderName::from_static("mcp-method");

/// Mirrors the name of what a message is about (2026-07-28).
pub const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// Says which event of a stream came last.
pub const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

// What most messages have stands first.
const REQUEST: [HeaderName; 7] = [ACCEPT, CONTENT_TYPE, PROTOCOL_VERSION, SESSION_ID, METHOD, NAME, LAST_EVENT_ID];

/// The prefix of the headers that mirror a tool's arguments (2026-07-28); unknown ones must be forwarded.
const PARAMETER: &str = "mcp-param-";

const RESPONSE: [HeaderName; 8] = [
    CONTENT_TYPE,
    CACHE_CONTROL,
    SESSION_ID,
    PROTOCOL_VERSION,
    HeaderName::from_static("x-accel-buffering"),
    CONTENT_ENCODING,
    RETRY_AFTER,
    ALLOW,
];

/// Whether a client's header goes on to the server.
pub fn request_passes(name: &HeaderName) -> bool {
    let is_parameter = |name: &str| name.strip_prefix(PARAMETER).is_some_and(|parameter| !parameter.is_empty());
    REQUEST.contains(name) || is_parameter(name.as_str())
}

/// Whether a server's header goes on to the client.
pub fn response_passes(name: &HeaderName) -> bool {
    RESPONSE.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS_ALONE: [&str; 34] = [
        "Authorization",
        "AUTHORIZATION",
        "Cookie",
        "cookie",
        "Set-Cookie",
        "Host",
        "hOST",
        "Origin",
        "Referer",
        "Connection",
        "Keep-Alive",
        "Proxy-Authorization",
        "Proxy-Authenticate",
        "Proxy-Connection",
        "TE",
        "Trailer",
        "Transfer-Encoding",
        "Upgrade",
        "Content-Length",
        "Accept-Encoding",
        "WWW-Authenticate",
        "Forwarded",
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Real-IP",
        "Sec-Fetch-Site",
        "User-Agent",
        "Expect",
        "X-API-Key",
        "X-Auth-Token",
        "mcp-param-",
        "Via",
        "Location",
        "DPoP",
    ];

    #[test]
    fn what_is_not_listed_does_not_pass_in_any_writing() {
        for text in OURS_ALONE {
            let name = HeaderName::from_bytes(text.as_bytes()).unwrap();
            assert!(!request_passes(&name) && !response_passes(&name), "{text} passes");
        }
    }

    #[test]
    fn what_the_protocol_needs_passes() {
        for text in
            ["Accept", "Content-Type", "Mcp-Session-Id", "MCP-Protocol-Version", "Last-Event-ID", "Mcp-Param-Region"]
        {
            assert!(request_passes(&HeaderName::from_bytes(text.as_bytes()).unwrap()), "{text} is held back");
        }
        for text in ["Content-Type", "Mcp-Session-Id", "Retry-After", "X-Accel-Buffering", "Content-Encoding"] {
            assert!(response_passes(&HeaderName::from_bytes(text.as_bytes()).unwrap()), "{text} is held back");
        }
    }
}
