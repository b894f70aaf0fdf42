//! Client to server: the bytes that were judged are the bytes that arrive.

use keybearer_stories::house::{ALLOW_ALL, House};
use keybearer_stories::raw_upstream::{RawUpstream, Reading, Saying};

use super::{Street, call};

/// Everything that a parser would tidy up: white space, numbers that no float holds, unknown members, escapes, an
/// unpaired surrogate, non-characters, and members in an odd order.
const ODD: &str = concat!(
    "\t{  \"params\" :{\"arguments\":{\"huge\":1e400 ,\"tiny\":-0.0e-00,\"exact\":123456789012345678901234567890,",
    "\"t\\u00e4g\":\"\\/\\u0000\\ud83d\\ude00\\ud800 \\u2028é😀\u{202e}\u{fdd0}\",\"\":[ ],\"float\":1.10,\"plus\":1E+2},",
    "\"name\":\"get_\\u0061ccount\",\"later\":{\"_\":[null , true,{ }]}},\"unknown\":{\"a\":[1,2 , 3]},",
    " \"id\":123456789012345678901234567890,\"method\":\"tools\\/call\",\"jsonrpc\":\"2.\\u0030\" }  "
);

#[tokio::test(flavor = "multi_thread")]
async fn odd_bytes_arrive_over_http_as_they_were_sent() {
    let street = Street::build().await;
    let body = ODD.replace("  ", "\r\n\t ").replace(" }", "\n}");
    assert_ne!(body, ODD);
    for body in [ODD, &body] {
        assert_eq!(street.app.post("crm", body).status, 200);
        assert_eq!(text(&street.upstream.next().await.unwrap().body), body);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn odd_bytes_arrive_over_stdio_as_they_were_sent() {
    let street = Street::build().await;
    let mut bridge = street.house.bridge("crm");
    for end in ["\n", "\r\n"] {
        bridge.send(format!("{ODD}{end}"));
        let seen = street.upstream.next().await.unwrap();
        assert_eq!(text(&seen.body), ODD);
        assert_eq!(seen.header("content-type"), Some("application/json"));
        let answer = bridge.line();
        assert!(text(&answer).contains(r#""id":123456789012345678901234567890,"#), "{}", text(&answer));
    }
    assert_eq!(bridge.end().1.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_comes_in_chunks_arrives_as_one_body() {
    let street = Street::build().await;
    for size in [1, 2, 3, 7, ODD.len()] {
        let mut wire = street.app.wire();
        wire.send(street.app.post_head("crm", &["Transfer-Encoding: chunked"]));
        for piece in ODD.as_bytes().chunks(size) {
            wire.send([format!("{:X};odd=\"x\"\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat());
        }
        wire.send("0\r\nTrailing: field\r\n\r\n");
        assert_eq!(wire.answer().unwrap().0.status(), 200);
        let seen = street.upstream.next().await.unwrap();
        assert_eq!(text(&seen.body), ODD, "in chunks of {size}");
        assert!(!seen.mentions("Trailing"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn several_requests_on_one_connection_arrive_in_their_order() {
    let street = Street::build().await;
    let mut wire = street.app.wire();
    let all: Vec<u8> = (0..5).flat_map(|id| street.app.post_bytes("crm", &[], call(id).as_bytes())).collect();
    wire.send(all);
    for id in 0..5 {
        let (head, body) = wire.answer().unwrap();
        assert_eq!(head.status(), 200);
        assert!(text(&body.bytes).contains(&format!("\"id\":{id},")), "{}", text(&body.bytes));
        assert_eq!(text(&street.upstream.next().await.unwrap().body), call(id));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_asks_whether_to_go_on_is_told_to() {
    let street = Street::build().await;
    let mut wire = street.app.wire();
    let length = format!("Content-Length: {}", ODD.len());
    wire.send(street.app.post_head("crm", &[&length, "Expect: 100-continue"]));
    assert_eq!(wire.answer().unwrap().0.status(), 100);
    wire.send(ODD);
    assert_eq!(wire.answer().unwrap().0.status(), 200);
    let seen = street.upstream.next().await.unwrap();
    assert_eq!((text(&seen.body).as_str(), seen.header("expect")), (ODD, None));
}

#[test]
fn an_answer_that_comes_before_the_request_was_read_reaches_the_client() {
    let answer = b"HTTP/1.1 413 \r\nContent-Type: text/plain\r\nContent-Length: 8\r\n\r\ntoo much";
    let upstream = RawUpstream::start(Reading::Head, |_| Saying::keeping(answer.as_slice()));
    let house = House::open(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", upstream.url()));
    let app = house.client("chat-app", &[]);
    // Four times what a socket's buffers take: the upstream does not read it.
    let padding = "x".repeat(3 << 20);
    let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"a"}},"x":"{padding}"}}"#);
    let answer = app.post("crm", body);
    assert_eq!((answer.status, text(&answer.body).as_str()), (413, "too much"));
    assert_eq!(upstream.requests().len(), 1);
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
