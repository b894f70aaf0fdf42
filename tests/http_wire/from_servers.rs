//! What a server answers, however it is framed and cut; and what is no answer.

use keybearer_stories::raw_upstream::{RawUpstream, Reading, Saying};
use serde_json::Value;

use super::{RESULT, Yard, call, chunked, plain};

const INTERRUPTED: i64 = -31_006;

/// The good answer in each framing that a server may use; the last one ends with its connection.
fn framings() -> [String; 6] {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    [
        plain(),
        plain().replacen("200 OK", "200 ", 1).replacen("Content-Length: ", "CONTENT-LENGTH:\t", 1),
        format!("{head}Transfer-Encoding: chunked\r\nTrailer: X-Trailing\r\n\r\n{}", chunked(RESULT, 9)),
        format!("{head}transfer-encoding: CHUNKED\r\n\r\n{}", chunked(RESULT, 1)),
        format!(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 199 \r\n\r\n{}",
            plain()
        ),
        format!("{head}Connection: close\r\n\r\n{RESULT}"),
    ]
}

#[test]
fn an_answer_cut_at_any_byte_is_one_answer() {
    for framing in framings() {
        let (length, closes) = (framing.len(), framing.contains("close"));
        let yard = Yard::with(move |number| {
            let saying = Saying::keeping(framing.as_str()).in_pieces_of(length - number % length);
            Saying { hangs_up: closes, ..saying }
        });
        let mut wire = yard.app.wire();
        for piece in (1..=length).rev().step_by(1 + length / 150) {
            wire.send(yard.app.post_bytes("crm", &[], call(piece).as_bytes()));
            let (head, body) = wire.answer().unwrap();
            assert_eq!((head.status(), body.whole), (200, true), "in pieces of {piece}");
            assert_eq!(String::from_utf8(body.bytes).unwrap(), RESULT, "in pieces of {piece}");
            let fields = head.fields();
            let strange = fields.iter().find(|(name, _)| matches!(name.as_str(), "trailer" | "x-trailing" | "link"));
            assert_eq!(strange, None, "in pieces of {piece}");
        }
        assert!(yard.upstream.requests().len() > 50);
    }
}

/// What a client is told, as a word, of answers that a server writes in this order.
fn told(wire_answers: &[(&str, &str)]) {
    let answers: Vec<String> = wire_answers.iter().map(|(answer, _)| (*answer).to_owned()).collect();
    let mut yard = Yard::with(move |number| match number % 2 {
        0 => Saying::keeping(answers[number / 2].as_str()),
        // Whatever was answered before, the next call is answered.
        _ => Saying::keeping(plain()),
    });
    let mut words = Vec::new();
    for (answer, expected) in wire_answers {
        let shown: String = answer.chars().take(200).collect();
        let mut wire = yard.app.wire();
        wire.send(yard.app.post_bytes("crm", &[], call(1).as_bytes()));
        let (head, body) = wire.answer().unwrap();
        let code = serde_json::from_slice::<Value>(&body.bytes).ok().and_then(|told| told["error"]["code"].as_i64());
        let word = match (head.status(), code, body.whole) {
            (200, Some(INTERRUPTED), true) => "told",
            (200, _, false) => "broken off",
            (_, None, true) => "passed on",
            other => panic!("{other:?} after {shown:?}"),
        };
        assert_eq!(word, *expected, "after {shown:?}");
        words.push(if word == "passed on" { "answered" } else { "interrupted" });
        let next = yard.app.post("crm", call(2));
        assert_eq!((next.status, next.text().as_str()), (200, RESULT), "after {shown:?}");
        words.push("answered");
    }
    assert_eq!(yard.upstream.requests().len(), 2 * wire_answers.len(), "something was sent twice, or not at all");
    assert_eq!(yard.outcomes(), words);
}

#[test]
fn what_is_no_answer_is_told_as_such_and_not_asked_for_again() {
    let field = |field: &str| plain().replacen("Content-Type", &format!("{field}\r\nContent-Type"), 1);
    let length = RESULT.len();
    let lengths =
        |other: &str| plain().replacen("Content-Length", &format!("Content-Length: {other}\r\nContent-Length"), 1);
    told(&[
        ("\r\n\r\n\r\n\r\nHELLO\r\n\r\n", "told"),
        ("220 mail.example ESMTP\r\n", "told"),
        (&plain().replacen("HTTP/1.1", "HTTP/2.0", 1), "told"),
        (&plain().replacen("200 OK", "2000 OK", 1), "told"),
        (&plain().replacen("200 OK", "20", 1), "told"),
        (&plain().replacen("HTTP/1.1 200", "HTTP/1.1 101", 1), "told"),
        (&field(" folded: no"), "told"),
        (&field("X: a\0b"), "told"),
        (&field("Bad Name: x"), "told"),
        (&field(&"X: y\r\n".repeat(500)), "told"),
        (&field(&format!("X: {}", "y".repeat(1 << 20))), "told"),
        (&lengths(&(length + 1).to_string()), "told"),
        (&lengths(&(length - 1).to_string()), "told"),
        (&plain().replacen("Content-Length: ", "Content-Length: -", 1), "told"),
        (&plain().replacen("Content-Length: ", "Content-Length: 99999999999999999999", 1), "told"),
        (
            &plain().replacen("HTTP/1.1", "HTTP/1.0", 1).replacen(
                "Content-Length",
                "Transfer-Encoding: chunked\r\nX",
                1,
            ),
            "told",
        ),
    ]);
}

#[test]
fn framing_that_two_readers_could_take_for_two_is_no_answer() {
    let framed = |fields: &str| plain().replacen("Content-Length", &format!("{fields}\r\nX"), 1);
    let length = RESULT.len();
    let field = |field: &str| plain().replacen("Content-Type", &format!("{field}\r\nContent-Type"), 1);
    told(&[
        (&framed(&format!("Content-Length: {length}\r\nContent-Length: {length}")), "told"),
        (&framed(&format!("Content-Length: {length}, {length}")), "told"),
        (&framed(&format!("Content-Length: +{length}")), "told"),
        (&framed("Content-Length:"), "told"),
        (&framed("Transfer-Encoding: gzip, chunked"), "told"),
        (&framed("Transfer-Encoding: identity"), "told"),
        (&framed("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), "told"),
        (&framed(&format!("Content-Length : {length}")), "told"),
        (&field("X: y\nZ: z"), "told"),
        (&field("X: y\rZ: z"), "told"),
        (&plain().replace("\r\n", "\n"), "told"),
        (&format!("\r\n{}", plain()), "told"),
        (&format!("{}{}", "HTTP/1.1 100 Continue\r\n\r\n".repeat(1000), plain()), "told"),
    ]);
}

#[test]
fn an_answer_that_ends_early_is_never_whole_wherever_it_ends() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n";
    for framing in [plain(), format!("{head}Transfer-Encoding: chunked\r\n\r\n{}", chunked(RESULT, 30))] {
        let (ends, head) = (framing.len(), framing.find("\r\n\r\n").unwrap() + 4);
        let cuts: Vec<usize> = (0..ends).rev().step_by(3).collect();
        let saying = cuts.clone();
        let mut yard = Yard::with(move |number| Saying::closing(&framing.as_bytes()[..saying[number]]));
        for cut in &cuts {
            let mut wire = yard.app.wire();
            wire.send(yard.app.post_bytes("crm", &[], call(1).as_bytes()));
            let (answer, body) = wire.answer().unwrap();
            let told = String::from_utf8_lossy(&body.bytes).contains(&INTERRUPTED.to_string());
            assert_eq!((answer.status(), body.whole, told), (200, *cut < head, *cut < head), "cut behind {cut}");
        }
        assert_eq!(yard.upstream.requests().len(), cuts.len(), "something was sent twice");
        assert_eq!(yard.outcomes(), vec!["interrupted"; cuts.len()]);
    }
}

#[test]
fn chunks_that_are_none_break_the_answer_off() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let (size, less) = (format!("{:x}", RESULT.len()), format!("{:x}", RESULT.len() - 1));
    let bad = [
        format!("{head}-{size}\r\n{RESULT}\r\n0\r\n\r\n"),
        format!("{head}0x{size}\r\n{RESULT}\r\n0\r\n\r\n"),
        format!("{head}{size}g\r\n{RESULT}\r\n0\r\n\r\n"),
        format!("{head}{less}\r\n{RESULT}\r\n0\r\n\r\n"),
        format!("{head}{size}\r\n{RESULT}0\r\n\r\n"),
        format!("{head}{size}\r\n{RESULT}\r\nx\r\n\r\n"),
        format!("{head}1{:016x}\r\n{RESULT}\r\n0\r\n\r\n", RESULT.len()),
        format!("{head}{size}\r\n{RESULT}\r\n0\r\n{}\r\n", "X: y\r\n".repeat(10_000)),
    ];
    told(&bad.each_ref().map(|answer| (answer.as_str(), "broken off")));
}

#[test]
fn answers_without_a_body_leave_the_connection_in_order() {
    told(&[
        ("HTTP/1.1 204 No Content\r\n\r\n", "passed on"),
        ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "passed on"),
        ("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", "passed on"),
        ("HTTP/1.1 202 Accepted\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "passed on"),
        ("HTTP/1.1 405 Method Not Allowed\r\nAllow: POST\r\nContent-Length: 0\r\n\r\n", "passed on"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 \r\n\r\n", "passed on"),
    ]);
}

/// RFC 9112 §6.3: the length counts for nothing then. It does not reach the client.
#[test]
fn a_length_beside_chunks_counts_for_nothing() {
    let framing = format!("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n{}", chunked(RESULT, 30));
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{framing}");
    let yard = Yard::with(move |_| Saying::keeping(answer.as_str()));
    for id in 1..5 {
        let answer = yard.app.post("crm", call(id));
        assert_eq!((answer.status, answer.text().as_str()), (200, RESULT));
        assert_eq!(answer.header("content-length"), None);
    }
    assert_eq!(yard.upstream.requests().len(), 4);
}

#[test]
fn what_a_server_says_unasked_is_nobody_s_answer() {
    // A second answer comes right behind the first.
    let forged = plain().replacen("\"id\":1", "\"id\":9", 1);
    let mut yard = Yard::with(move |_| Saying::keeping(plain() + &forged));
    for id in 1..20 {
        let answer = yard.app.post("crm", call(id));
        assert_eq!((answer.status, answer.text().as_str()), (200, RESULT), "call {id}");
    }
    assert_eq!(yard.upstream.requests().len(), 19);
    assert_eq!(yard.outcomes(), vec!["answered"; 19]);
}

#[test]
fn a_large_request_that_is_answered_before_it_was_read_costs_the_next_one_nothing() {
    let refusal = "HTTP/1.1 413 Too Much\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    let hasty = RawUpstream::start(Reading::Head, move |_| Saying::closing(refusal));
    let yard = Yard::with(|_| Saying::keeping(plain()));
    yard.house.server_with_header("large", &hasty.url());
    let body = call(1).replacen("get_account", &"x".repeat(3 << 20), 1);
    let told = |status: u16, text: String| status == 413 || text.contains(&INTERRUPTED.to_string());
    for round in 1..=5 {
        let answer = yard.app.post("large", &body);
        assert!(told(answer.status, answer.text()), "{} {}", answer.status, answer.text());
        assert_eq!(yard.app.post("crm", call(round)).text(), RESULT);
        assert_eq!(hasty.requests().len(), round, "it was sent again");
    }
}
