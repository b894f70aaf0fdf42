//! SEC-62: headers pass by list, in both directions, however they are written.

use keybearer_testkit::upstream::Reply;

use super::{Street, call};

/// What a client's header fields come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    /// The server sees the value.
    Passes,
    /// The call goes on without it.
    Dropped,
    /// The whole request is turned away.
    Refused,
}
use Fate::{Dropped, Passes, Refused};

/// Fields of a client beside a good `Authorization`; `|` separates several of one request.
const FROM_CLIENTS: &[(Fate, &str)] = &[
    (Passes, "Accept: smuggled/x"),
    (Passes, "ACCEPT: smuggled/x"),
    (Passes, "accept: application/json|aCCePT: smuggled/x"),
    (Passes, "Last-Event-ID: smuggled"),
    (Passes, "Mcp-Session-Id: smuggled"),
    (Passes, "mcp-session-id: smuggled"),
    (Passes, "MCP-Protocol-Version: smuggled"),
    (Passes, "Mcp-Method: smuggled"),
    (Passes, "Mcp-Name: smuggled"),
    (Passes, "Mcp-Param-Region: smuggled"),
    (Passes, "MCP-PARAM-x: smuggled"),
    (Passes, "Content-Type: application/json; charset=smuggled"),
    (Dropped, "Mcp-Param-: smuggled"),
    (Dropped, "Mcp-Secret: smuggled"),
    (Dropped, "Mcp_Session_Id: smuggled"),
    (Dropped, "X-Mcp-Session-Id: smuggled"),
    (Dropped, "X-API-Key: smuggled"),
    (Dropped, "x-api-key: smuggled|X-API-KEY: smuggled"),
    (Dropped, "X-Api-Key:smuggled|Connection: X-Api-Key"),
    (Dropped, "Cookie: a=smuggled"),
    (Dropped, "COOKIE: a=smuggled|cookie: b=smuggled"),
    (Dropped, "Cookie2: smuggled"),
    (Dropped, "Set-Cookie: a=smuggled"),
    (Dropped, "Proxy-Authorization: Basic smuggled"),
    (Dropped, "PROXY-AUTHORIZATION: smuggled"),
    (Dropped, "Proxy-Authenticate: smuggled"),
    (Dropped, "Proxy-Connection: smuggled"),
    (Dropped, "Proxy-Status: smuggled"),
    (Dropped, "Proxy-Smuggled: smuggled"),
    (Dropped, "Forwarded: for=smuggled"),
    (Dropped, "X-Forwarded-For: smuggled"),
    (Dropped, "X-Forwarded-Host: smuggled"),
    (Dropped, "X-Forwarded-Proto: smuggled"),
    (Dropped, "X-Real-IP: smuggled"),
    (Dropped, "X-Original-URL: /smuggled"),
    (Dropped, "X-Rewrite-URL: /smuggled"),
    (Dropped, "X-HTTP-Method-Override: smuggled"),
    (Dropped, "Via: 1.1 smuggled"),
    (Dropped, "Referer: http://smuggled.test/"),
    (Dropped, "User-Agent: smuggled"),
    (Dropped, "From: smuggled"),
    (Dropped, "Accept-Encoding: smuggled, gzip"),
    (Dropped, "Accept-Language: smuggled"),
    (Dropped, "Accept-Charset: smuggled"),
    (Dropped, "Range: smuggled"),
    (Dropped, "If-None-Match: \"smuggled\""),
    (Dropped, "If-Modified-Since: smuggled"),
    (Dropped, "Cache-Control: smuggled"),
    (Dropped, "Pragma: smuggled"),
    (Dropped, "TE: smuggled"),
    (Dropped, "Trailer: smuggled"),
    (Dropped, "Keep-Alive: smuggled"),
    (Dropped, "Connection: smuggled"),
    (Dropped, "Connection: keep-alive, smuggled|smuggled: smuggled"),
    (Dropped, "Content-Encoding: smuggled"),
    (Dropped, "Content-Language: smuggled"),
    (Dropped, "Content-Location: /smuggled"),
    (Dropped, "Content-Disposition: smuggled"),
    (Dropped, "Digest: smuggled"),
    (Dropped, "Signature: smuggled"),
    (Dropped, "DPoP: smuggled"),
    (Dropped, "WWW-Authenticate: smuggled"),
    (Dropped, "Authentication-Info: smuggled"),
    (Dropped, "X-Auth-Token: smuggled"),
    (Dropped, "X-CSRF-Token: smuggled"),
    (Dropped, "Authorization-Info: smuggled"),
    (Dropped, "Sec-Fetch-Mode: smuggled"),
    (Dropped, "Sec-WebSocket-Key: smuggled"),
    (Dropped, "Sec-CH-UA: smuggled"),
    (Dropped, "traceparent: smuggled"),
    (Dropped, "baggage: smuggled"),
    (Dropped, "Max-Forwards: smuggled"),
    (Dropped, "Priority: smuggled"),
    (Dropped, "Early-Data: smuggled"),
    (Dropped, "Location: http://smuggled.test/"),
    (Dropped, "Access-Control-Request-Headers: smuggled"),
    (Refused, "Authorization: Bearer smuggled"),
    (Refused, "authorization: smuggled"),
    (Refused, "AUTHORIZATION: Basic smuggled"),
    (Refused, "Host: smuggled.test"),
    (Refused, "hOST: 127.0.0.1"),
    (Refused, "Origin: http://smuggled.test"),
    (Refused, "ORIGIN: null"),
    (Refused, "Sec-Fetch-Site: cross-site"),
    (Refused, "Upgrade: smuggled"),
    (Refused, "HTTP2-Settings: smuggled"),
    (Refused, "Transfer-Encoding: smuggled"),
    (Refused, "Content-Length: 7"),
    (Refused, "Content-Type: application/json|content-type: text/smuggled"),
];

#[tokio::test(flavor = "multi_thread")]
async fn sec_62_a_client_s_headers_pass_by_list() {
    assert!(FROM_CLIENTS.len() >= 60);
    let street = Street::build().await;
    street.open_session("smuggled");
    for &(fate, fields) in FROM_CLIENTS {
        let before = street.upstream.requests().len();
        let mut wire = street.app.wire();
        wire.send(street.app.post_bytes("crm", &fields.split('|').collect::<Vec<_>>(), call(1).as_bytes()));
        let status = wire.answer().map(|(head, _)| head.status());
        let arrived = street.upstream.requests().split_off(before);
        if fate == Refused {
            assert!(status.is_none_or(|status| (400..500).contains(&status)), "`{fields}`: {status:?}");
            assert!(arrived.is_empty(), "`{fields}` was forwarded");
            continue;
        }
        assert_eq!((status, arrived.len()), (Some(200), 1), "`{fields}`");
        let seen = &arrived[0];
        assert_eq!(seen.mentions("smuggled"), fate == Passes, "`{fields}`: {:?}", seen.headers);
        let count = |name: &str| seen.headers.iter().filter(|(found, _)| found.eq_ignore_ascii_case(name)).count();
        assert_eq!([count("x-api-key"), count("host"), count("accept-encoding")], [1, 1, 1], "{:?}", seen.headers);
        assert_eq!(seen.header("x-api-key"), Some(street.secret.as_str()));
        assert_eq!(seen.header("accept-encoding"), Some("identity"));
        assert!(street.upstream.url().contains(seen.header("host").unwrap()));
        assert!(!seen.mentions(&street.app.key), "the client's key arrived upstream with `{fields}`");
        assert_eq!(seen.header("authorization"), None);
    }
}

/// Fields of a server, and whether the client sees the value.
const FROM_SERVERS: &[(bool, &str, &str)] = &[
    (true, "Allow", "smuggled"),
    (true, "Cache-Control", "smuggled"),
    (true, "CACHE-CONTROL", "smuggled"),
    (true, "Mcp-Session-Id", "smuggled"),
    (true, "MCP-SESSION-ID", "smuggled"),
    (true, "MCP-Protocol-Version", "smuggled"),
    (true, "Retry-After", "smuggled"),
    (true, "X-Accel-Buffering", "smuggled"),
    (false, "Set-Cookie", "session=smuggled"),
    (false, "SET-COOKIE", "session=smuggled"),
    (false, "set-cookie2", "session=smuggled"),
    (false, "WWW-Authenticate", "Bearer resource_metadata=\"http://smuggled.test/\""),
    (false, "www-authenticate", "Basic realm=smuggled"),
    (false, "Proxy-Authenticate", "Basic smuggled"),
    (false, "Proxy-Authentication-Info", "smuggled"),
    (false, "Authentication-Info", "smuggled"),
    (false, "Authorization", "Bearer smuggled"),
    (false, "X-API-Key", "smuggled"),
    (false, "Location", "http://smuggled.test/"),
    (false, "Content-Location", "/smuggled"),
    (false, "Refresh", "0; url=http://smuggled.test/"),
    (false, "Link", "<http://smuggled.test/>; rel=preload"),
    (false, "Alt-Svc", "h3=\"smuggled.test:443\""),
    (false, "Server", "smuggled"),
    (false, "Via", "1.1 smuggled"),
    (false, "X-Powered-By", "smuggled"),
    (false, "X-Request-Id", "smuggled"),
    (false, "Access-Control-Allow-Origin", "http://smuggled.test"),
    (false, "access-control-allow-credentials", "smuggled"),
    (false, "Access-Control-Allow-Private-Network", "smuggled"),
    (false, "Access-Control-Expose-Headers", "smuggled"),
    (false, "Cross-Origin-Resource-Policy", "smuggled"),
    (false, "Timing-Allow-Origin", "smuggled"),
    (false, "Strict-Transport-Security", "max-age=1; smuggled"),
    (false, "Public-Key-Pins", "smuggled"),
    (false, "Content-Security-Policy", "smuggled"),
    (false, "Clear-Site-Data", "\"smuggled\""),
    (false, "Service-Worker-Allowed", "/smuggled"),
    (false, "SourceMap", "/smuggled"),
    (false, "Report-To", "smuggled"),
    (false, "NEL", "smuggled"),
    (false, "Content-Disposition", "attachment; filename=smuggled"),
    (false, "ETag", "\"smuggled\""),
    (false, "Last-Modified", "smuggled"),
    (false, "Expires", "smuggled"),
    (false, "Vary", "smuggled"),
    (false, "Upgrade", "smuggled"),
    (false, "Trailer", "smuggled"),
    (false, "Keep-Alive", "smuggled"),
    (false, "Proxy-Connection", "smuggled"),
    (false, "DPoP-Nonce", "smuggled"),
    (false, "X-Smuggled", "smuggled"),
];

#[tokio::test(flavor = "multi_thread")]
async fn sec_62_a_server_s_headers_pass_by_list() {
    let street = Street::build().await;
    for &(passes, name, value) in FROM_SERVERS {
        let json = r#"{"jsonrpc":"2.0","id":1,"result":{}}"#;
        for status in [200, 404, 500] {
            street
                .upstream
                .will(Reply::with_body(status, "application/json", json).header(name, value).header(name, value));
            let answer = street.app.post("crm", call(1));
            assert_eq!((answer.status, answer.body.as_slice()), (status, json.as_bytes()), "{name}");
            assert_eq!(answer.head.contains("smuggled"), passes, "{}", answer.head);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_shows_the_client_nothing_of_the_challenge() {
    let street = Street::build().await;
    for name in ["WWW-Authenticate", "www-authenticate", "WWW-AUTHENTICATE"] {
        let refusal = Reply::with_body(401, "text/html", "smuggled").header(name, "Bearer realm=\"smuggled\"");
        street.upstream.will(refusal.header("Set-Cookie", "a=smuggled"));
        let answer = street.app.post("crm", call(1));
        let told = String::from_utf8_lossy(&answer.body);
        assert!(!answer.head.contains("smuggled") && !told.contains("smuggled"), "{} {told}", answer.head);
        assert!(told.contains("-31007"), "{told}");
    }
    // The header is the only credential there is: asking again with it would ask the same.
    assert_eq!(street.upstream.requests().len(), 3);
}
