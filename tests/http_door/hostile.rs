//! SEC-02 to SEC-06: what does not look like a local MCP client is turned away with an empty answer.

use super::{CALL, Street, assert_tells_nothing};

const METHODS: [&str; 14] = [
    "GET", "POST", "DELETE", "HEAD", "OPTIONS", "PUT", "PATCH", "TRACE", "CONNECT", "PROPFIND", "BREW", "get", "Post",
    "M-SEARCH",
];

const PATHS: [&str; 32] = [
    "/",
    "/mcp",
    "/mcp/",
    "/mcp/crm",
    "/mcp/wiki",
    "/mcp/unknown",
    "/mcp/crm/",
    "/mcp//crm",
    "//mcp/crm",
    "/MCP/crm",
    "/mcp/CRM",
    "/mcp/crm?x=1",
    "/mcp/crm;x",
    "/mcp/%63rm",
    "/mcp/crm%00",
    "/mcp/../mcp/crm",
    "/mcp/./crm",
    "/./mcp/crm",
    "/%2e%2e/mcp/crm",
    "/sse",
    "/status",
    "/health",
    "/metrics",
    "/favicon.ico",
    "/robots.txt",
    "/.well-known/oauth-protected-resource",
    "/.well-known/oauth-protected-resource/mcp/crm",
    "/.well-known/oauth-authorization-server",
    "/.well-known/openid-configuration",
    "/register",
    "/callback?code=x&state=y",
    "/debug/pprof",
];

#[tokio::test(flavor = "multi_thread")]
async fn sec_02_without_a_key_every_path_and_method_gets_an_empty_refusal() {
    let street = Street::build().await;
    let door = &street.app.door;
    for path in PATHS.into_iter().chain(["*", &format!("http://{door}/mcp/crm")]) {
        for method in METHODS {
            for fields in ["", "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"] {
                let end = if fields.is_empty() { "\r\n" } else { "" };
                let answer = street
                    .knock(format!("{method} {path} HTTP/1.1\r\nHost: {door}\r\nConnection: close\r\n{fields}{end}"));
                let what = format!("{method} {path} {fields}");
                assert_tells_nothing(&what, &answer);
                let status = answer.0.status();
                assert!(matches!(status, 400 | 401 | 403 | 404 | 405 | 415), "{what}: {status}");
            }
        }
    }
    assert_eq!(street.arrived(), 0);
    street.assert_good_call();
}

/// A good request but for `method` and `host`, with these fields besides.
fn request(street: &Street, method: &str, host: &str, fields: &str) -> String {
    let key = &street.app.key;
    let length = CALL.len();
    format!(
        "{method} /mcp/crm HTTP/1.1\r\n{host}Connection: close\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n{fields}\r\n{CALL}"
    )
}

/// Sends each, which must be refused and reach nobody; returns how many there were.
fn check_refused(street: &Street, statuses: &[u16], requests: impl IntoIterator<Item = String>) -> usize {
    let mut count = 0;
    for bytes in requests {
        count += 1;
        let answer = street.knock(&bytes);
        assert_tells_nothing(&bytes, &answer);
        let status = answer.0.status();
        assert!(statuses.contains(&status), "{status} to {bytes}");
        assert_eq!(street.arrived(), 0, "{bytes} reached a server");
    }
    street.assert_good_call();
    count
}

/// Hosts that a page can have in its address bar, and ways of writing ours that a page's resolver understands.
fn hostile_hosts(door: &str) -> Vec<String> {
    let port = door.rsplit(':').next().unwrap();
    let other = port.parse::<u16>().unwrap() ^ 1;
    let names = [
        "evil.test",
        "localhost.evil.test",
        "evil.localhost",
        "localhost.",
        "LOCALHOST",
        "Localhost",
        "localhost.localdomain",
        "127.0.0.1.evil.test",
        "127.0.0.1.nip.io",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "127.0.0.01",
        "127.000.000.001",
        "0127.0.0.1",
        "0x7f.0.0.1",
        "0x7f000001",
        "2130706433",
        "017700000001",
        "127.0.0.2",
        "127.0.0.1%00",
        "0.0.0.0",
        "0",
        "[::]",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[0:0:0:0:0:0:0:1]",
        "[::1%25lo]",
        "::1",
        "10.0.0.1",
        "192.168.0.1",
        "keybearer",
        "gateway.docker.internal",
        "host.docker.internal.evil.test",
        "xn--localhost",
        "loc\u{430}lhost",
        "127。0。0。1",
        "①27.0.0.1",
        "user@127.0.0.1",
        "127.0.0.1@evil.test",
        "127.0.0.1#evil.test",
        "127.0.0.1/evil",
        "127.0.0.1?evil",
        "\"127.0.0.1\"",
        "*",
        "",
    ];
    let mut hosts: Vec<String> = names.iter().map(|name| format!("{name}:{port}")).collect();
    hosts.extend(names.iter().map(|&name| name.to_owned()));
    for tail in [
        "",
        ":",
        ":0",
        ":80",
        ":443",
        &format!(":{other}"),
        &format!(":0{port}"),
        &format!(":+{port}"),
        &format!(":{port}:"),
        &format!(":{port}0"),
        &format!(":{port}, evil.test"),
        &format!(": {port}"),
        &format!(":{port}\tx"),
    ] {
        hosts.push(format!("127.0.0.1{tail}"));
        hosts.push(format!("localhost{tail}"));
    }
    hosts.push(format!("http://{door}"));
    hosts
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_03_a_host_that_is_not_literally_ours_is_refused() {
    let street = Street::build().await;
    let door = street.app.door.clone();
    let hosts = hostile_hosts(&door);
    let one = hosts.iter().flat_map(|host| ["POST", "GET"].map(|method| (method, format!("Host: {host}\r\n"))));
    let own = format!("Host: {door}\r\n");
    let odd = [
        String::new(),
        format!("{own}{own}"),
        format!("{own}Host: evil.test\r\n"),
        format!("Host: evil.test\r\n{own}"),
        format!("{own}hOST: localhost\r\n"),
        format!("X-Forwarded-Host: {door}\r\nHost: evil.test\r\n"),
        format!("Forwarded: host={door}\r\n"),
        format!(":authority: {door}\r\n"),
    ];
    let all = one.chain(odd.into_iter().map(|fields| ("POST", fields)));
    let requests: Vec<String> = all.map(|(method, host)| request(&street, method, &host, "")).collect();
    let in_target = [
        "http://evil.test",
        "http://127.0.0.1",
        "https://127.0.0.1",
        "http://localhost.evil.test:80",
        "http://user@localhost",
    ];
    let targets =
        in_target.map(|origin| request(&street, "POST", &own, "").replacen("/mcp", &format!("{origin}/mcp"), 1));
    let old = request(&street, "POST", "", "").replacen("HTTP/1.1", "HTTP/1.0", 1);
    let count = check_refused(&street, &[400, 403], requests.into_iter().chain(targets).chain([old]));
    assert!(count >= 200, "{count} variants");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_04_what_a_page_sends_is_refused() {
    let street = Street::build().await;
    let door = street.app.door.clone();
    let own = format!("Host: {door}\r\n");
    let origins = [
        "http://evil.test",
        "https://evil.test",
        "null",
        "",
        "*",
        "file://",
        "http://localhost",
        "http://127.0.0.1",
        "vscode-webview://x",
        "chrome-extension://abcdefghijklmnop",
        "moz-extension://1",
        "tauri://localhost",
        "http://tauri.localhost",
        "app://.",
        "capacitor://localhost",
        "http://[::1]",
        "about:blank",
        "data:",
        "blob:null",
    ];
    let with_port = [
        format!("http://{door}"),
        format!("https://{door}"),
        format!("http://localhost:{}", door.rsplit(':').next().unwrap()),
    ];
    let origins = origins.iter().map(|&origin| origin.to_owned()).chain(with_port);
    let fields = origins.flat_map(|origin| {
        [
            format!("Origin: {origin}\r\n"),
            format!("ORIGIN:{origin}\r\n"),
            format!("origin: {origin}\r\nSec-Fetch-Site: none\r\n"),
        ]
    });
    let sites = [
        "cross-site",
        "same-site",
        "same-origin",
        "Cross-Site",
        "NONE",
        "none, cross-site",
        "",
        "x",
        "none\r\nSec-Fetch-Site: cross-site",
    ];
    let sites = sites.iter().map(|site| format!("Sec-Fetch-Site: {site}\r\n"));
    let methods = ["POST", "GET", "DELETE"];
    let all = fields.chain(sites).flat_map(|fields| methods.map(|method| request(&street, method, &own, &fields)));
    let requests: Vec<String> = all.collect();
    let count = check_refused(&street, &[403], requests);
    assert!(count >= 200, "{count} variants");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_05_no_page_is_ever_let_in_and_no_method_but_three() {
    let street = Street::build().await;
    let own = format!("Host: {}\r\n", street.app.door);
    let preflight = "Origin: https://evil.test\r\nAccess-Control-Request-Method: POST\r\nAccess-Control-Request-Private-Network: true\r\n";
    let methods = [
        "OPTIONS", "PUT", "HEAD", "PATCH", "TRACE", "PROPFIND", "MKCOL", "BREW", "QUERY", "LINK", "post", "Get",
        "DELETe",
    ];
    let requests: Vec<String> = methods.iter().map(|method| request(&street, method, &own, "")).collect();
    check_refused(&street, &[405], requests);
    let again = Street::build().await;
    let own = format!("Host: {}\r\n", again.app.door);
    let requests: Vec<String> = methods.iter().map(|method| request(&again, method, &own, preflight)).collect();
    check_refused(&again, &[403, 405], requests);
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "",
        "application/json, text/plain",
    ] {
        let request = request(&again, "POST", &own, "").replacen("application/json", kind, 1);
        assert_eq!(again.knock(&request).0.status(), 415, "{kind}");
    }
    assert_eq!(again.arrived(), 1, "the good call alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_06_nothing_is_upgraded_and_nothing_is_smuggled() {
    let street = Street::build().await;
    let door = street.app.door.clone();
    let own = format!("Host: {door}\r\n");
    let key = street.app.key.clone();
    let upgrades = ["websocket", "h2c", "HTTP/2.0", "TLS/1.3", "WebSocket, h2c", "x", ""];
    let upgrades = upgrades.iter().flat_map(|to| {
        let fields = [
            format!("Connection: Upgrade\r\nUpgrade: {to}\r\n"),
            format!("Connection: upgrade, HTTP2-Settings\r\nUpgrade: {to}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"),
            format!("Upgrade: {to}\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"),
        ];
        fields.into_iter().flat_map(|fields| ["GET", "POST"].map(|method| request(&street, method, &own, &fields)))
    });
    let good = request(&street, "POST", &own, "");
    let framing = [
        good.replacen("Content-Length: ", "Content-Length: +", 1),
        good.replacen("Content-Length: ", "Content-Length: 0x", 1),
        good.replacen("Content-Length: ", "Content-Length: -", 1),
        good.replacen("Content-Length: ", "Content-Length: 1\r\nContent-Length: ", 1),
        good.replacen("Content-Length: ", "Content-Length : ", 1),
        good.replacen("Content-Length: ", "Transfer-Encoding: identity\r\nX: ", 1),
        good.replacen("Content-Length: ", "Transfer-Encoding: gzip\r\nX: ", 1),
        good.replacen("Content-Length: ", "Transfer-Encoding: chunked, gzip\r\nX: ", 1),
        good.replacen("Content-Length: ", "Transfer-Encoding: xchunked\r\nX: ", 1),
        good.replacen("Content-Length: ", "Transfer-Encoding: chunked\r\nX: ", 1),
        good.replacen("Content-Length: ", "Transfer-Encoding: chunked\r\nContent-Length: ", 1),
        good.replacen("Authorization:", " folded\r\nAuthorization:", 1),
        good.replacen("Authorization:", "Authorization\r\n:", 1),
        good.replacen("Authorization:", "Authori zation:", 1),
        good.replacen("Authorization:", "X: a\0b\r\nAuthorization:", 1),
        good.replacen("Authorization:", "X: a\rb\r\nAuthorization:", 1),
        good.replacen("HTTP/1.1", "HTTP/2.0", 1),
        good.replacen("HTTP/1.1", "HTTP/1.2", 1),
        good.replacen("HTTP/1.1", "HTTP/0.9", 1),
        good.replacen("HTTP/1.1", "http/1.1", 1),
        good.replacen(" HTTP/1.1", "", 1),
        good.replacen("POST ", "POST  ", 1),
        good.replacen("POST /", "POST ", 1),
        format!("GET /mcp/crm\r\nAuthorization: Bearer {key}\r\n\r\n"),
        format!("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n{good}"),
        format!("\u{16}\u{3}\u{1}{good}"),
        "\0".repeat(64),
        format!("GET /mcp/crm HTTP/1.1\r\n{own}Authorization: Bearer {key}\r\n{}\r\n", "X: y\r\n".repeat(200)),
        format!("GET /mcp/crm HTTP/1.1\r\n{own}Authorization: Bearer {key}\r\nX: {}\r\n\r\n", "y".repeat(1 << 20)),
        format!("GET /mcp/{} HTTP/1.1\r\n{own}Authorization: Bearer {key}\r\n\r\n", "y".repeat(1 << 17)),
    ];
    let upgrades: Vec<String> = upgrades.collect();
    for bytes in framing {
        // What is no request may get no answer.
        if let Some(answer) = street.babble(&bytes) {
            assert_tells_nothing(&bytes, &answer);
        }
        assert_eq!(street.arrived(), 0, "{bytes} reached a server");
    }
    check_refused(&street, &[400, 426], upgrades);
}
