//! The upstream keeps and sends bytes as they are.

use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{FakeUpstream, Reply};
use crate::http1;

fn post(upstream: &FakeUpstream, body: &str) -> http::Request<Vec<u8>> {
    http::Request::post(upstream.url()).body(body.as_bytes().to_vec()).unwrap()
}

#[tokio::test]
async fn odd_bytes_are_kept_as_they_came() {
    let upstream = FakeUpstream::open().await.unwrap();
    let body = "{ \"jsonrpc\":\"2.0\" ,\t\"id\": 1e2, \"method\":\"ping\",\r\n \"x\":1e400 }\n";
    let mut stream = tokio::net::TcpStream::connect(upstream.url().split('/').nth(2).unwrap()).await.unwrap();
    let (one, two) = body.split_at(20);
    let chunked = format!(
        "POST /mcp?q=%41 HTTP/1.1\r\nHost: x\r\nx-OdD:  y \r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
         {:x}\r\n{one}\r\n{:X};ext\r\n{two}\r\n0\r\n\r\n",
        one.len(),
        two.len()
    );
    stream.write_all(chunked.as_bytes()).await.unwrap();
    let mut answer = [0; 200];
    let length = stream.read(&mut answer).await.unwrap();
    assert!(std::str::from_utf8(&answer[..length]).unwrap().starts_with("HTTP/1.1 200 "));
    let seen = upstream.next().await.unwrap();
    assert_eq!((seen.target.as_str(), seen.body.as_slice()), ("/mcp?q=%41", body.as_bytes()));
    assert!(seen.headers.contains(&("x-OdD".to_owned(), "y".to_owned())));
    assert!(seen.mentions("1e400") && !seen.mentions("1e401"));
}

#[tokio::test]
async fn a_stream_comes_piece_by_piece_and_tells_when_the_client_has_left() {
    let upstream = FakeUpstream::open().await.unwrap();
    let (reply, mut stream) = Reply::sse();
    upstream.will(reply);
    let mut answer = http1::send(post(&upstream, "{}")).await.unwrap();
    for piece in ["retry: 5\n", ": a comment\n\ndata:\n\n"] {
        stream.send(piece);
        let frame = answer.frame().await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), piece);
    }
    drop(answer);
    stream.client_left().await;
}

#[tokio::test]
async fn answers_can_break_off() {
    let upstream = FakeUpstream::open().await.unwrap();
    upstream.will(Reply::json("{\"long\":\"answer\"}").cut_after(5));
    assert!(http1::fetch(post(&upstream, "{}")).await.is_err());
    let (reply, stream) = Reply::sse();
    upstream.will(reply);
    let answer = http1::send(post(&upstream, "{}")).await.unwrap();
    stream.send("data: 1\n\n");
    stream.cut();
    assert!(answer.into_body().collect().await.is_err());
}

#[tokio::test]
async fn a_held_answer_waits_for_its_release() {
    let upstream = FakeUpstream::open().await.unwrap();
    let (reply, release) = Reply::status(503).held();
    upstream.will(reply);
    let asked = tokio::spawn(http1::fetch(post(&upstream, "{}")));
    upstream.next().await.unwrap();
    assert!(!asked.is_finished());
    release.now();
    assert_eq!(asked.await.unwrap().unwrap().status(), 503);
}

#[tokio::test]
async fn a_header_is_wanted_and_a_bearer_is_judged() {
    let secret = crate::idp::mint::secret("key").unwrap();
    let upstream = FakeUpstream::wanting_header("X-API-Key", &secret).await.unwrap();
    assert_eq!(http1::fetch(post(&upstream, "{}")).await.unwrap().status(), 401);
    let mut good = post(&upstream, r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#);
    good.headers_mut().insert("x-api-key", secret.parse().unwrap());
    assert_eq!(http1::fetch(good).await.unwrap().status(), 200);
    assert_eq!(upstream.requests().iter().map(|seen| seen.turned_away).collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn a_protected_upstream_says_where_tokens_come_from() {
    let clock = std::sync::Arc::new(crate::ports::ManualClock::default());
    let idp = crate::idp::FakeIdp::start("Test sign-in", clock).await.unwrap();
    let upstream = FakeUpstream::protected_by(&idp, &["a"]).await.unwrap();
    let refused = http1::fetch(post(&upstream, "{}")).await.unwrap();
    let challenge = refused.headers()["www-authenticate"].to_str().unwrap();
    let metadata = challenge.split_once("resource_metadata=\"").unwrap().1.trim_end_matches('"');
    let document = http1::fetch(http1::get(metadata).unwrap()).await.unwrap();
    let document: serde_json::Value = serde_json::from_slice(document.body()).unwrap();
    assert_eq!(document["resource"], upstream.url());
    assert_eq!(document["authorization_servers"][0], idp.issuer());
}
