use proptest::prelude::*;

use super::*;

fn take(wire: &[u8], asked: &Method) -> Result<Option<(Head, Vec<u8>)>, Wrong> {
    let mut read = BytesMut::from(wire);
    Ok(Search::default().take(&mut read, asked)?.map(|head| (head, read.to_vec())))
}

/// What is told of the answer with these fields: its framing, and whether the connection is kept.
fn told(status: &str, fields: &str) -> Result<(Framing, bool), Wrong> {
    let wire = format!("HTTP/1.1 {status}\r\n{fields}\r\nbehind");
    let (head, rest) = take(wire.as_bytes(), &Method::POST)?.unwrap();
    assert_eq!(rest, b"behind");
    Ok((head.framing, head.keeps))
}

#[track_caller]
fn refused(wire: &str) {
    assert!(take(wire.as_bytes(), &Method::POST).is_err(), "{wire:?}");
}

#[test]
fn the_end_of_a_body_is_known_in_one_way() {
    let chunks = Framing::chunked();
    for (status, fields, framing, keeps) in [
        ("200 OK", "Content-Length: 5\r\n", Framing::Sized(5), true),
        ("200 ", "content-length:\t005 \r\n", Framing::Sized(5), true),
        ("200", "Content-Length: 0\r\n", Framing::NONE, true),
        ("500 x", "Content-Length: 18446744073709551615\r\n", Framing::Sized(u64::MAX), true),
        ("200 OK", "Transfer-Encoding: chunked\r\n", chunks, true),
        ("200 OK", "TRANSFER-ENCODING: ChunkeD\r\n", chunks, true),
        ("200 OK", "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", chunks, false),
        ("200 OK", "Transfer-Encoding: chunked\r\nConnection: x, Close\r\n", chunks, false),
        ("200 OK", "Content-Length: 5\r\nConnection: keep-alive\r\nConnection: close\r\n", Framing::Sized(5), false),
        ("200 OK", "", Framing::to_the_end(), false),
        ("204 No", "", Framing::NONE, true),
        ("204 No", "Content-Length: 0\r\n", Framing::NONE, true),
        ("204 No", "Content-Length: 5\r\n", Framing::NONE, false),
        ("204 No", "Transfer-Encoding: chunked\r\n", Framing::NONE, false),
        ("304 Not", "", Framing::NONE, true),
        ("100 Go", "", Framing::NONE, true),
    ] {
        assert_eq!(told(status, fields), Ok((framing, keeps)), "{status} {fields:?}");
    }
    let (head, _) = take(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", &Method::POST).unwrap().unwrap();
    assert_eq!((head.framing, head.keeps), (Framing::Sized(5), false), "HTTP/1.0 promises no second answer");
    let (head, _) = take(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", &Method::HEAD).unwrap().unwrap();
    assert_eq!((head.framing, head.keeps), (Framing::NONE, true));
}

#[test]
fn lengths_and_codings_that_two_readers_could_take_for_two_are_refused() {
    for fields in [
        "Content-Length: 5\r\nContent-Length: 6",
        "Content-Length: 5\r\nContent-Length: 5",
        "Content-Length: 5, 5",
        "Content-Length: 5,6",
        "Content-Length:",
        "Content-Length: +5",
        "Content-Length: -5",
        "Content-Length: 0x5",
        "Content-Length: 5 5",
        "Content-Length: 5.0",
        "Content-Length: ٥",
        "Content-Length: 18446744073709551616",
        "Content-Length: 99999999999999999999999999",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding: identity",
        "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked;q=1",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding:",
        "Transfer-Encoding: chunked\r\nContent-Length: x",
    ] {
        refused(&format!("HTTP/1.1 200 OK\r\n{fields}\r\n\r\n"));
        refused(&format!("HTTP/1.1 204 No\r\nX: y\r\n{fields}\r\nZ: z\r\n\r\n"));
    }
    refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    refused("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n");
}

#[test]
fn what_is_no_head_is_refused() {
    for wire in [
        "\r\nHTTP/1.1 200 OK\r\n\r\n",
        "\nHTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200 OK\nX: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\n\n",
        "HTTP/1.1 200 OK\r\nX: y\rZ: z\r\n\r\n",
        "HTTP/1.1 200 OK\rX: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\r\n\r\n",
        "HTTP/1.1 200 OK\r\n X: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\n folded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: y\r\n\tfolded\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX\t: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length : 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX y\r\n\r\n",
        "HTTP/1.1 200 OK\r\n: y\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX: a\x7fb\r\n\r\n",
        "HTTP/1.1 200 OK\r\nX\0: a\r\n\r\n",
        "HTTP/1.1  200 OK\r\n\r\n",
        "HTTP/1.1 20 OK\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n",
        "HTTP/1.1 099 OK\r\n\r\n",
        "HTTP/1.1 2x0 OK\r\n\r\n",
        "HTTP/2.0 200 OK\r\n\r\n",
        "HTTP/1.2 200 OK\r\n\r\n",
        "http/1.1 200 OK\r\n\r\n",
        "ICY 200 OK\r\n\r\n",
        "220 mail.example ESMTP\r\n\r\n",
    ] {
        refused(wire);
    }
}

#[test]
fn of_the_fields_those_are_kept_that_somebody_reads() {
    let fields = "Date: now\r\nContent-Type: a\r\nWWW-Authenticate: Bearer\r\nSet-Cookie: x=y\r\nWWW-Authenticate: DPoP\r\n\
                  Connection: keep-alive\r\nTransfer-Encoding: chunked\r\nMcp-Session-Id: 7\r\nLocation: /x\r\n";
    let (head, _) = take(format!("HTTP/1.1 401 No\r\n{fields}\r\n").as_bytes(), &Method::POST).unwrap().unwrap();
    let mut names: Vec<_> = head.headers.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["content-type", "location", "mcp-session-id", "www-authenticate", "www-authenticate"]);
}

#[test]
fn nobody_waits_for_the_rest_of_what_is_no_head() {
    for wire in ["H", "HTTP/1.", "HTTP/1.1 200 OK", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nX: y\r\nZ"] {
        assert!(take(wire.as_bytes(), &Method::POST).unwrap().is_none(), "{wire:?}");
    }
    for wire in ["h", "220 mail", "HTTP/2", "HTTP/1.1 20\r\n", "HTTP/1.1 200 OK\r\nX: y\r\n Z\r\n"] {
        refused(wire);
    }
}

#[test]
fn heads_are_bounded() {
    let fields = |count: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(count));
    assert!(take(fields(MOST_FIELDS).as_bytes(), &Method::POST).unwrap().is_some());
    refused(&fields(MOST_FIELDS + 1));
    let long = |length: usize| format!("HTTP/1.1 200 OK\r\nX: {}", "y".repeat(length));
    assert!(take(long(LARGEST / 2).as_bytes(), &Method::POST).unwrap().is_none(), "more may come");
    refused(&long(LARGEST));
    refused(&format!("{}\r\n\r\n", long(LARGEST)));
    refused(&format!("HTTP/1.1 200 {}", "O".repeat(LARGEST)));
}

proptest! {
    /// The same head, or none, wherever it is cut; and nothing behind it is touched.
    #[test]
    fn a_head_is_the_same_wherever_it_is_cut(
        fields in proptest::collection::vec("(content-length|transfer-encoding|connection|x): ?[ -~]{0,9}\r\n", 0..5),
        change in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..9),
    ) {
        let mut wire = format!("HTTP/1.1 200 OK\r\n{}\r\nbehind", fields.concat()).into_bytes();
        if let Some((at, byte)) = change {
            let at = at.index(wire.len());
            wire[at] = byte;
        }
        let shown = |result: Result<Option<(Head, Vec<u8>)>, Wrong>| {
            result.map(|taken| taken.map(|(head, rest)| (head.status, head.headers, head.framing, head.keeps, rest)))
        };
        let whole = shown(take(&wire, &Method::POST));
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(wire.len())).chain([wire.len()]).collect();
        cuts.sort_unstable();
        let (mut search, mut read, mut done) = (Search::default(), BytesMut::new(), 0);
        let mut in_pieces = Ok(None);
        for cut in cuts {
            read.extend_from_slice(&wire[done..cut]);
            done = cut;
            if !matches!(in_pieces, Ok(None)) {
                continue;
            }
            in_pieces = search.take(&mut read, &Method::POST);
        }
        let in_pieces = in_pieces.map(|taken| taken.map(|head| (head, read.to_vec())));
        // What is none may be told sooner or later.
        prop_assert_eq!(shown(in_pieces).ok().flatten(), whole.ok().flatten());
    }

    #[test]
    fn no_bytes_are_too_strange(wire in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = take(&wire, &Method::POST);
        let _ = take(&[&b"HTTP/1.1 200 OK\r\n"[..], &wire, b"\r\n\r\n"].concat(), &Method::POST);
    }
}
