//! Whether a modern request's headers say what its body says (2026-07-28).
//!
//! A call is judged by its body. A server may go by the headers: where they differ, what was judged is not what happens.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};

use crate::header::{METHOD, NAME, PROTOCOL_VERSION};
use crate::modern::FIRST_MODERN;
use crate::peek::{Kind, Peeked};

/// JSON-RPC's code for it (`HeaderMismatch`).
pub const HEADER_MISMATCH: i64 = -32_020;

/// Whether these headers are of the modern era: it has no sessions.
pub fn is_modern(headers: &HeaderMap) -> bool {
    let is_modern = |version: &[u8]| {
        let is_dated = version.len() == FIRST_MODERN.len() && version[0].is_ascii_digit();
        is_dated && version >= FIRST_MODERN.as_bytes()
    };
    headers.get(PROTOCOL_VERSION).is_some_and(|version| is_modern(version.as_bytes()))
}

/// The header that contradicts the message, if one does. What is not there contradicts nothing: the server asks for it.
pub fn contradicted(headers: &HeaderMap, message: &Peeked<'_>) -> Option<HeaderName> {
    let asks = matches!(message.kind, Kind::Request { .. } | Kind::Notification);
    if !asks || !(is_modern(headers) || crate::modern::is_modern(message)) {
        return None;
    }
    let mirrored = [(PROTOCOL_VERSION, &message.protocol_version), (METHOD, &message.method), (NAME, &message.subject)];
    mirrored.into_iter().find(|(name, said)| !agree(headers, name, said.as_deref())).map(|(name, _)| name)
}

fn agree(headers: &HeaderMap, name: &HeaderName, said: Option<&str>) -> bool {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next(), said) {
        (None, _, _) => true,
        (Some(value), None, Some(said)) => unwrapped(value.as_bytes()).is_some_and(|value| *value == *said.as_bytes()),
        // A body that says nothing of it leaves it to the server, which cannot be misled about it.
        (Some(_), None, None) => *name != METHOD,
        (Some(_), Some(_), _) => false,
    }
}

/// A header's value without the form that texts are wrapped in which a header cannot carry.
fn unwrapped(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    match value.strip_prefix(b"=?base64?").and_then(|rest| rest.strip_suffix(b"?=")) {
        Some(wrapped) => STANDARD.decode(wrapped).ok().map(Cow::Owned),
        None => Some(Cow::Borrowed(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peek::peek;

    const CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}"#;
    const OLD_CALL: &str = r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find"}}"#;

    #[track_caller]
    fn check(body: &str, fields: &[(&str, &str)], want: Option<&str>) {
        let headers = fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            all.append::<HeaderName>(name, value);
        }
        let got = contradicted(&all, &peek(body.as_bytes()).unwrap());
        assert_eq!(got.as_ref().map(HeaderName::as_str), want, "{fields:?}");
    }

    const VERSION: (&str, &str) = ("mcp-protocol-version", "2026-07-28");

    #[test]
    fn headers_that_say_what_the_body_says_pass_and_so_do_absent_ones() {
        check(CALL, &[VERSION, ("mcp-method", "tools/call"), ("mcp-name", "find")], None);
        check(CALL, &[VERSION, ("mcp-method", "tools/call"), ("mcp-name", "=?base64?ZmluZA==?=")], None);
        check(CALL, &[VERSION], None);
        check(CALL, &[], None);
        check(OLD_CALL, &[VERSION, ("mcp-method", "tools/call")], None);
    }

    #[test]
    fn headers_that_say_something_else_are_named() {
        check(CALL, &[VERSION, ("mcp-method", "tools/list")], Some("mcp-method"));
        check(CALL, &[VERSION, ("mcp-method", "TOOLS/CALL")], Some("mcp-method"));
        check(CALL, &[VERSION, ("mcp-name", "delete")], Some("mcp-name"));
        check(CALL, &[VERSION, ("mcp-name", "=?base64?ZGVsZXRl?=")], Some("mcp-name"));
        check(CALL, &[VERSION, ("mcp-name", "=?base64?%?=")], Some("mcp-name"));
        check(CALL, &[VERSION, ("mcp-name", "find"), ("mcp-name", "delete")], Some("mcp-name"));
        check(CALL, &[("mcp-protocol-version", "2025-11-25")], Some("mcp-protocol-version"));
        check(CALL, &[("mcp-protocol-version", "2027-01-01")], Some("mcp-protocol-version"));
    }

    #[test]
    fn only_a_date_tells_an_era() {
        for (version, modern) in
            [("2026-07-28", true), ("2027-01-01", true), ("2025-11-25", false), ("smuggled", false), ("", false)]
        {
            let headers = [("mcp-protocol-version".parse().unwrap(), version.parse().unwrap())].into_iter().collect();
            assert_eq!(is_modern(&headers), modern, "{version}");
        }
    }

    #[test]
    fn older_eras_know_no_such_headers() {
        check(OLD_CALL, &[("mcp-protocol-version", "2025-11-25"), ("mcp-method", "tools/list")], None);
        check(OLD_CALL, &[("mcp-name", "delete")], None);
        check(r#"{"jsonrpc":"2.0","id":1,"result":{}}"#, &[VERSION, ("mcp-method", "tools/list")], None);
    }
}
