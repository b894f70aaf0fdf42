//! What a client sends, however it is framed and cut.

use keybearer_stories::raw_upstream::Saying;

use super::{Yard, call, chunked, plain};

/// A request of each framing that a client may use.
pub(crate) fn framings(yard: &Yard, body: &str) -> [Vec<u8>; 3] {
    let head = yard.app.post_head("crm", &["Transfer-Encoding: chunked", "TE: trailers"]);
    let lower = head.to_ascii_lowercase().replace(&yard.app.key.to_ascii_lowercase(), &yard.app.key);
    [
        yard.app.post_bytes("crm", &[], body.as_bytes()),
        (head + &chunked(body, 9)).into_bytes(),
        (lower.replacen("post /mcp/crm http/1.1", "POST /mcp/crm HTTP/1.1", 1) + &chunked(body, 1)).into_bytes(),
    ]
}

#[test]
fn a_request_cut_at_any_byte_is_one_request() {
    let yard = Yard::with(|_| Saying::keeping(plain()));
    let body = call(1);
    let mut sent = 0;
    for request in framings(&yard, &body) {
        let mut wire = yard.app.wire();
        for cut in 1..request.len() {
            wire.send(&request[..cut]);
            wire.send(&request[cut..]);
            assert_eq!(wire.answer().unwrap().0.status(), 200, "cut at {cut}");
            sent += 1;
        }
        let mut wire = yard.app.wire();
        request.iter().for_each(|byte| wire.send([*byte]));
        assert_eq!(wire.answer().unwrap().0.status(), 200, "byte by byte");
        sent += 1;
    }
    assert_eq!(yard.bodies(), vec![body; sent]);
}

#[test]
fn requests_in_a_row_are_answered_in_a_row_however_they_are_framed_and_cut() {
    let yard = Yard::with(|_| Saying::keeping(plain()));
    // The third is no message and is answered here; what comes after it is still served.
    let bodies: Vec<String> = (0..6).map(|id| if id == 2 { "[1".to_owned() } else { call(id) }).collect();
    let row: Vec<u8> = bodies.iter().enumerate().flat_map(|(id, body)| framings(&yard, body)[id % 3].clone()).collect();
    for size in [1, 7, 64, 1000, row.len()] {
        let before = yard.upstream.requests().len();
        let mut wire = yard.app.wire();
        row.chunks(size).for_each(|piece| wire.send(piece));
        let statuses: Vec<u16> = (0..6).map(|_| wire.answer().unwrap().0.status()).collect();
        assert_eq!(statuses, [200, 200, 400, 200, 200, 200], "in pieces of {size}");
        let arrived = yard.bodies().split_off(before);
        let expected: Vec<_> = bodies.iter().filter(|body| *body != "[1").cloned().collect();
        assert_eq!(arrived, expected, "in pieces of {size}");
    }
}

#[test]
fn requests_whose_length_can_be_read_in_two_ways_are_refused() {
    let yard = Yard::with(|_| Saying::keeping(plain()));
    let body = call(1);
    let (length, more) = (body.len(), body.len() + 1);
    for fields in [
        vec![format!("Content-Length: {length}"), format!("Content-Length: {more}")],
        vec![format!("Content-Length: {more}"), format!("Content-Length: {length}")],
        vec![format!("Content-Length: {length}, {more}")],
        vec![format!("Content-Length: {length}, {length}")],
        vec![format!("Content-Length: {length} {length}")],
        vec![format!("Content-Length: {length};")],
        vec!["Content-Length: 18446744073709551616".to_owned()],
        vec!["Content-Length: 18446744073709551615".to_owned()],
        vec!["Content-Length:".to_owned()],
        vec!["Transfer-Encoding: chunked, identity".to_owned()],
        vec!["Transfer-Encoding: chunked".to_owned(), "Transfer-Encoding: gzip".to_owned()],
        vec!["Transfer-Encoding:\x0bchunked".to_owned()],
    ] {
        let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
        let mut wire = yard.app.wire();
        wire.send(yard.app.post_head("crm", &fields) + &body);
        let (head, told) = wire.answer().unwrap_or_else(|| panic!("no answer to {fields:?}"));
        assert!(matches!(head.status(), 400 | 431), "{} to {fields:?}", head.status());
        assert!(told.bytes.is_empty(), "{fields:?}");
        assert!(wire.hangs_up(), "what follows {fields:?} would be read as a request");
    }
    assert_eq!(yard.bodies(), Vec::<String>::new());
}

/// RFC 9112 §6.3: the length counts for nothing then, and the connection is not used again.
#[test]
fn a_length_beside_chunks_counts_for_nothing_and_ends_the_connection() {
    let yard = Yard::with(|_| Saying::keeping(plain()));
    let smuggled = yard.app.post_bytes("crm", &[], call(2).as_bytes());
    for length in [0, 5, call(1).len(), 1000] {
        let (length, coding) = (format!("Content-Length: {length}"), "Transfer-Encoding: chunked".to_owned());
        for fields in [[&length, &coding], [&coding, &length]] {
            let mut wire = yard.app.wire();
            wire.send(yard.app.post_head("crm", &fields.map(String::as_str)) + &chunked(&call(1), 30));
            wire.send(&smuggled);
            assert_eq!(wire.answer().unwrap().0.status(), 200);
            assert!(wire.answer().is_none(), "{fields:?}: what follows was read as a request");
        }
    }
    assert_eq!(yard.bodies(), vec![call(1); 8]);
}

#[test]
fn chunks_that_are_none_are_refused() {
    let yard = Yard::with(|_| Saying::keeping(plain()));
    let (body, head) = (call(1), yard.app.post_head("crm", &["Transfer-Encoding: chunked"]));
    let size = format!("{:x}", body.len());
    for chunks in [
        format!("-{size}\r\n{body}\r\n0\r\n\r\n"),
        format!("+{size}\r\n{body}\r\n0\r\n\r\n"),
        format!("0x{size}\r\n{body}\r\n0\r\n\r\n"),
        format!("{size}g\r\n{body}\r\n0\r\n\r\n"),
        format!("\r\n{body}\r\n0\r\n\r\n"),
        format!(";x\r\n{body}\r\n0\r\n\r\n"),
        format!("1{:016x}\r\n{body}\r\n0\r\n\r\n", body.len()),
        format!("{size}\r\n{body}0\r\n\r\n"),
        format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len() - 1),
        format!("{size}\r\n{body}\r\nx\r\n\r\n"),
        format!("{size};{}\r\n{body}\r\n0\r\n\r\n", "x".repeat(1 << 20)),
        format!("{size}\r\n{body}\r\n0\r\n{}\r\n", "X: y\r\n".repeat(10_000)),
    ] {
        let mut wire = yard.app.wire();
        wire.send(head.clone() + &chunks);
        let shown: String = chunks.chars().take(60).collect();
        let status = wire.answer().map(|(head, _)| head.status());
        assert!(matches!(status, Some(400) | None), "{status:?} to {shown:?}");
        assert!(wire.hangs_up());
    }
    assert_eq!(yard.bodies(), Vec::<String>::new());
}

#[test]
fn a_client_that_says_goodbye_in_the_middle_of_a_request_is_not_answered_for_it() {
    let yard = Yard::with(|_| Saying::keeping(plain()));
    let request = yard.app.post_bytes("crm", &[], call(1).as_bytes());
    for cut in [1, request.len() / 2, request.len() - 1] {
        let mut wire = yard.app.wire();
        wire.send(&request[..cut]);
        wire.finish_sending();
        let status = wire.answer().map(|(head, _)| head.status());
        assert!(matches!(status, Some(400) | None), "{status:?} after {cut} bytes");
        assert!(wire.hangs_up());
    }
    assert_eq!(yard.bodies(), Vec::<String>::new());
}
