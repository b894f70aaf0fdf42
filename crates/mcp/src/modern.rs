//! The headers that a request of era 2026-07-28 must carry, made from its body for a door that has none.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue};

use crate::header::{METHOD, NAME, PROTOCOL_VERSION};
use crate::peek::{Kind, Peeked};

/// The first protocol version that asks for these headers.
pub const FIRST_MODERN: &str = "2026-07-28";

/// Whether the message says in `_meta` that it is of the modern, stateless era.
pub fn is_modern(message: &Peeked<'_>) -> bool {
    message.protocol_version.as_deref().is_some_and(|version| version >= FIRST_MODERN)
}

/// The headers of a modern request or notification; `None` for anything else.
pub fn headers_for(message: &Peeked<'_>) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let asks = matches!(message.kind, Kind::Request { .. } | Kind::Notification);
    if !(asks && is_modern(message)) {
        return None;
    }
    let named = [(PROTOCOL_VERSION, &message.protocol_version), (METHOD, &message.method), (NAME, &message.subject)];
    Some(named.into_iter().filter_map(|(name, text)| Some((name, value(text.as_deref()?)?))).collect())
}

/// A text as a header's value: as it is where it is plain, else `=?base64?…?=`.
///
/// What looks like that form already is wrapped too, so that unwrapping has one answer.
pub fn value(text: &str) -> Option<HeaderValue> {
    let plain = text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && text.trim() == text
        && !(text.starts_with("=?base64?") && text.ends_with("?="));
    let wrapped = if plain { text.to_owned() } else { format!("=?base64?{}?=", STANDARD.encode(text)) };
    HeaderValue::try_from(wrapped).ok()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::peek::peek;

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "so that a table row reads `expect![...]`")]
    fn check(version: &str, method: &str, params: &str, want: Expect) {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{params}"_meta":{{"io.modelcontextprotocol/protocolVersion":"{version}"}}}}}}"#
        );
        let peeked = peek(body.as_bytes()).unwrap();
        let told = headers_for(&peeked).map_or("none".to_owned(), |headers| {
            let lines = headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()));
            lines.collect::<Vec<_>>().join("\n")
        });
        want.assert_eq(&told);
    }

    #[test]
    fn headers_mirror_the_body() {
        check(
            FIRST_MODERN,
            "tools/call",
            r#""name":"find","#,
            expect![[r#"
            mcp-protocol-version: 2026-07-28
            mcp-method: tools/call
            mcp-name: find"#]],
        );
        check(
            FIRST_MODERN,
            "resources/read",
            r#""uri":"file:///a b","#,
            expect![[r#"
            mcp-protocol-version: 2026-07-28
            mcp-method: resources/read
            mcp-name: file:///a b"#]],
        );
        check(
            "2027-01-01",
            "tools/list",
            "",
            expect![[r#"
            mcp-protocol-version: 2027-01-01
            mcp-method: tools/list"#]],
        );
        check("2025-11-25", "tools/list", "", expect!["none"]);
    }

    #[test]
    fn what_a_header_cannot_carry_is_wrapped() {
        for (text, want) in [
            ("us-west1", "us-west1"),
            ("Hello, 世界", "=?base64?SGVsbG8sIOS4lueVjA==?="),
            (" padded ", "=?base64?IHBhZGRlZCA=?="),
            ("line1\nline2", "=?base64?bGluZTEKbGluZTI=?="),
            ("=?base64?literal?=", "=?base64?PT9iYXNlNjQ/bGl0ZXJhbD89?="),
        ] {
            assert_eq!(value(text).unwrap().to_str().unwrap(), want);
        }
    }

    #[test]
    fn a_response_has_none() {
        assert_eq!(headers_for(&peek(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#).unwrap()), None);
    }
}
