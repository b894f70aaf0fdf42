//! SEC-63: a call is sent again only after a definite refusal, and nowhere but where its credential belongs.

use keybearer_model::url::Upstream;
use keybearer_stories::house::{ALLOW_ALL, App, House};
use keybearer_stories::raw_upstream::{RawUpstream, Reading, Saying};
use keybearer_testkit::upstream::{FakeUpstream, Reply};
use keybearer_testkit::world::World;
use serde_json::{Value, json};

use super::{Street, call};

const INTERRUPTED: i64 = -31_006;
const UNREACHABLE: i64 = -31_005;

fn result(id: usize) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#)
}

fn json_answer(id: usize) -> Vec<u8> {
    let body = result(id);
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    (head + &body).into_bytes()
}

fn stream_answer(id: usize) -> Vec<u8> {
    let event = format!("id: 1\ndata: {}\n\n", result(id));
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    format!("{head}{:x}\r\n{event}\r\n0\r\n\r\n", event.len()).into_bytes()
}

/// Ids that all have the same length, so that every answer has.
const FIRST: usize = 1000;

/// A house whose server answers call `n` with the first `n` bytes of its answer and hangs up.
fn cutting(answer: fn(usize) -> Vec<u8>) -> (House, RawUpstream, App) {
    let upstream = RawUpstream::start(Reading::Whole, move |number| {
        Saying::closing(&answer(FIRST + number)[..number.min(answer(FIRST).len())])
    });
    let (house, app) = house_at(&upstream.url());
    (house, upstream, app)
}

fn house_at(url: &str) -> (House, App) {
    let house = House::open(&format!("[servers.crm]\nurl = \"{url}\"\nauth = \"none\"\n{ALLOW_ALL}"));
    let app = house.client("chat-app", &[]);
    (house, app)
}

#[track_caller]
fn code(answer: &[u8]) -> Option<i64> {
    serde_json::from_slice::<Value>(answer).unwrap()["error"]["code"].as_i64()
}

fn check_cuts_over_http(answer: fn(usize) -> Vec<u8>) {
    let (mut house, upstream, app) = cutting(answer);
    let length = answer(FIRST).len();
    let head_length = answer(FIRST).windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    for cut in 0..=length {
        let id = FIRST + cut;
        let mut wire = app.wire();
        wire.send(app.post_bytes("crm", &[], call(id).as_bytes()));
        let (head, body) = wire.answer().unwrap_or_else(|| panic!("no answer after {cut} bytes"));
        assert_eq!(head.status(), 200, "after {cut} bytes");
        if cut < head_length {
            assert!(body.whole);
            assert_eq!(code(&body.bytes), Some(INTERRUPTED), "after {cut} bytes");
        } else {
            assert_eq!(body.whole, cut == length, "after {cut} bytes: {}", String::from_utf8_lossy(&body.bytes));
        }
        assert_eq!(upstream.requests().len(), cut + 1, "sent again after {cut} bytes");
    }
    let recorded = house.recorded_calls();
    assert_eq!(recorded.len(), length + 1);
    let interrupted = recorded.iter().filter(|record| record["outcome"] == "interrupted").count();
    assert_eq!(interrupted, length);
}

#[test]
fn sec_63_an_answer_cut_anywhere_is_not_asked_for_again_over_http() {
    check_cuts_over_http(json_answer);
}

#[test]
fn sec_63_a_stream_cut_anywhere_is_not_asked_for_again_over_http() {
    check_cuts_over_http(stream_answer);
}

fn check_cuts_over_stdio(answer: fn(usize) -> Vec<u8>) {
    let (house, upstream, _app) = cutting(answer);
    let mut bridge = house.bridge("crm");
    let length = answer(FIRST).len();
    let mut answered = 0;
    for cut in 0..=length {
        let id = FIRST + cut;
        bridge.send(call(id) + "\n");
        let line: Value = serde_json::from_slice(&bridge.line()).unwrap();
        assert_eq!(line["id"], id, "each call has one answer, and it comes before the next call");
        match line["error"]["code"].as_i64() {
            None => answered += 1,
            Some(code) => assert_eq!(code, INTERRUPTED, "after {cut} bytes"),
        }
        assert_eq!(upstream.requests().len(), cut + 1, "sent again after {cut} bytes");
    }
    assert!((1..=8).contains(&answered), "{answered} were answered");
    let (left, status, _) = bridge.end();
    assert_eq!((left.len(), status.code()), (0, Some(0)));
}

#[test]
fn sec_63_an_answer_cut_anywhere_is_one_error_over_stdio() {
    check_cuts_over_stdio(json_answer);
}

#[test]
fn sec_63_a_stream_cut_anywhere_is_one_answer_over_stdio() {
    check_cuts_over_stdio(stream_answer);
}

#[test]
fn sec_63_an_upstream_that_resets_instead_of_answering_is_not_asked_again() {
    // What it leaves unread makes its hanging up a reset.
    let upstream = RawUpstream::start(Reading::Head, |_| Saying::closing(""));
    let (_house, app) = house_at(&upstream.url());
    for round in 1..=10 {
        assert_eq!(code(&app.post("crm", call(round)).body), Some(INTERRUPTED));
        assert_eq!(upstream.requests().len(), round);
    }
}

#[test]
fn sec_63_a_used_connection_that_ends_instead_of_answering_is_not_asked_again() {
    let upstream = RawUpstream::start(Reading::Whole, |number| match number % 2 {
        0 => Saying::keeping(json_answer(1)),
        _ => Saying::closing(""),
    });
    let (_house, app) = house_at(&upstream.url());
    for round in 1..=10 {
        assert_eq!(code(&app.post("crm", call(1)).body), None);
        assert_eq!(code(&app.post("crm", call(1)).body), Some(INTERRUPTED));
        assert_eq!(upstream.requests().len(), 2 * round);
    }
}

#[test]
fn a_connection_that_the_upstream_has_let_go_costs_no_call() {
    let upstream = RawUpstream::start(Reading::Whole, |_| Saying::closing(json_answer(1)));
    let (_house, app) = house_at(&upstream.url());
    for round in 1..=20 {
        assert_eq!(code(&app.post("crm", call(1)).body), None, "call {round}, {} arrived", upstream.requests().len());
        upstream.has_hung_up();
        assert_eq!(upstream.requests().len(), round);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_63_a_refused_bearer_is_renewed_and_the_call_sent_once_more() {
    let world = World::that_allows_all().await;
    world.login("raw").await.unwrap();
    let client = world.client("chat-app").await;
    world.upstream.will(Reply::bearer_refused());
    let body = call(1);
    let answer = client.at("raw").post(body.as_str()).await.unwrap();
    assert_eq!(answer.text(), Some("done"), "{answer:?}");
    let requests = world.upstream.requests();
    let (first, second) = (&requests[requests.len() - 2], &requests[requests.len() - 1]);
    assert_eq!((first.body.as_slice(), second.body.as_slice()), (body.as_bytes(), body.as_bytes()));
    assert_ne!(first.header("authorization"), second.header("authorization"));
    let before = requests.len();
    // Refused again and again: it ends, and says so.
    for _ in 0..8 {
        world.upstream.will(Reply::bearer_refused());
    }
    let answer = client.at("raw").call("get_account", json!({})).await.unwrap();
    assert!(answer.error().is_some(), "{answer:?}");
    assert!(world.upstream.requests().len() - before <= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_session_is_the_client_s_to_open_again() {
    let street = Street::build().await;
    street.upstream.will(Reply::session_gone());
    assert_eq!(street.app.post("crm", call(1)).status, 404);
    assert_eq!(street.upstream.requests().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_21_a_redirect_within_the_origin_is_followed_with_all_that_belongs_to_the_call() {
    let street = Street::build().await;
    for (status, place) in [(307, "/mcp/v2?x=1"), (308, "v3"), (307, "?y=2")] {
        street.upstream.will(Reply::status(status).header("Location", place));
        assert_eq!(street.app.post("crm", call(1)).status, 200, "{status} to `{place}`");
        let (first, second) = (street.upstream.next().await.unwrap(), street.upstream.next().await.unwrap());
        assert_eq!((&first.body, first.header("x-api-key")), (&second.body, second.header("x-api-key")));
        assert_ne!(first.target, second.target);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sec_21_a_redirect_to_another_place_is_refused_and_nothing_goes_there() {
    let street = Street::build().await;
    let other = FakeUpstream::open().await.unwrap();
    let elsewhere: Upstream = other.url().parse().unwrap();
    let port = elsewhere.as_url().port().unwrap();
    let own = street.upstream.url();
    let mut sent = 0;
    for place in [
        other.url(),
        other.url().replace("127.0.0.1", "localhost"),
        format!("//127.0.0.1:{port}/mcp"),
        own.replace("127.0.0.1", "localhost"),
        own.replace("http://", "https://"),
        own.replace("http://", "http://user:secret@"),
        own.replace("http://", "http:\\\\user@"),
        "ftp://127.0.0.1/".to_owned(),
        "http://".to_owned(),
        "javascript:1".to_owned(),
    ] {
        for status in [301, 302, 303, 307, 308] {
            street.upstream.will(Reply::status(status).header("Location", &place));
            sent += 1;
            let answer = street.app.post("crm", call(1));
            assert_eq!(code(&answer.body), Some(UNREACHABLE), "{status} to `{place}`");
            assert_eq!(answer.header("location"), None);
        }
    }
    // Those that would change the method, too, and those that say nothing.
    for reply in
        [Reply::status(302).header("Location", "/mcp/v2"), Reply::status(307), Reply::status(304), Reply::status(300)]
    {
        street.upstream.will(reply);
        sent += 1;
        assert_eq!(code(&street.app.post("crm", call(1)).body), Some(UNREACHABLE));
    }
    assert_eq!((street.upstream.requests().len(), other.requests().len()), (sent, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn redirects_in_a_circle_come_to_an_end() {
    let street = Street::build().await;
    for _ in 0..10 {
        street.upstream.will(Reply::status(307).header("Location", "/mcp"));
    }
    let answer = street.app.post("crm", call(1));
    assert!(code(&answer.body).is_some());
    assert!(street.upstream.requests().len() <= 3);
}
