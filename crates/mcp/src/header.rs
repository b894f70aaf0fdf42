//! Which headers pass, by name, in either direction (SEC-62): what is not listed stays here.
//!
//! Absent on purpose: `Authorization`, `Cookie`, `Set-Cookie`, `WWW-Authenticate`, `Origin`, `Host`, everything that
//! belongs to one connection, and `Accept-Encoding`, which the forwarder sets itself.

use http::HeaderName;

const REQUEST: [&str; 7] =
    ["accept", "content-type", "last-event-id", "mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id"];

/// The prefix of the headers that mirror a tool's arguments (2026-07-28); unknown ones must be forwarded.
const PARAMETER: &str = "mcp-param-";

const RESPONSE: [&str; 8] = [
    "allow",
    "cache-control",
    "content-encoding",
    "content-type",
    "mcp-protocol-version",
    "mcp-session-id",
    "retry-after",
    "x-accel-buffering",
];

/// Whether a client's header goes on to the server.
pub fn request_passes(name: &HeaderName) -> bool {
    let name = name.as_str();
    REQUEST.contains(&name) || name.strip_prefix(PARAMETER).is_some_and(|parameter| !parameter.is_empty())
}

/// Whether a server's header goes on to the client.
pub fn response_passes(name: &HeaderName) -> bool {
    RESPONSE.contains(&name.as_str())
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
