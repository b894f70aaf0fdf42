use bytes::{Bytes, BytesMut};
use proptest::prelude::*;

use super::*;

/// What a reader makes of `wire`, cut behind each of `cuts`, and of the connection's end behind it: the body, and what
/// is left of the bytes.
fn read_in(mut framing: Framing, wire: &[u8], cuts: &[usize]) -> Result<(Vec<u8>, Vec<u8>), Malformed> {
    let (mut read, mut body, mut done) = (BytesMut::new(), Vec::new(), 0);
    let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut % (wire.len() + 1)).chain([wire.len()]).collect();
    cuts.sort_unstable();
    for cut in cuts {
        read.extend_from_slice(&wire[done..cut]);
        done = cut;
        while let Some(piece) = framing.next(&mut read)? {
            assert!(!piece.is_empty(), "a piece of nothing");
            body.extend_from_slice(&piece);
        }
    }
    framing.ends()?;
    assert!(framing.is_over() && framing.next(&mut read) == Ok(None));
    Ok((body, read.to_vec()))
}

fn chunked(wire: &str) -> Result<(String, String), Malformed> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    read_in(Framing::chunked(), wire.as_bytes(), &[]).map(|(body, rest)| (text(body), text(rest)))
}

#[test]
fn chunks_are_read_with_what_may_stand_beside_them() {
    for wire in [
        "3\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n000\r\n\r\n",
        "0000000000000003\r\nabc\r\n0\r\n\r\n",
        "1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
        "3;a=b;c=\"d;\\\"\"\r\nabc\r\n0;last\r\n\r\n",
        "3 \t;a\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\r\nX-Sum: 1\r\nY:\t\r\n\r\n",
    ] {
        assert_eq!(chunked(wire), Ok(("abc".into(), String::new())), "{wire:?}");
        assert_eq!(chunked(&format!("{wire}HTTP/1.1")), Ok(("abc".into(), "HTTP/1.1".into())), "{wire:?}");
    }
    assert_eq!(chunked("A\r\n0123456789\r\nb\r\n0123456789a\r\n0\r\n\r\n").unwrap().0.len(), 21);
}

#[test]
fn what_is_no_chunk_breaks_the_body_off() {
    for wire in [
        "",
        "3",
        "3\r\n",
        "3\r\nab",
        "3\r\nabc",
        "3\r\nabc\r\n",
        "3\r\nabc\r\n0\r\n",
        "3\r\nabc\r\n0\r\n\r",
        "3\r\nabc\r\n0\r\nX: y\r\n",
        "\r\n3\r\nabc\r\n0\r\n\r\n",
        ";a\r\nabc\r\n0\r\n\r\n",
        " 3\r\nabc\r\n0\r\n\r\n",
        "+3\r\nabc\r\n0\r\n\r\n",
        "-3\r\nabc\r\n0\r\n\r\n",
        "0x3\r\nabc\r\n0\r\n\r\n",
        "3g\r\nabc\r\n0\r\n\r\n",
        "3 \r\nabc\r\n0\r\n\r\n",
        "3 3\r\nabc\r\n0\r\n\r\n",
        "3\nabc\r\n0\r\n\r\n",
        "3\rabc\r\n0\r\n\r\n",
        "3\r\r\nabc\r\n0\r\n\r\n",
        "3;a\nabc\r\n0\r\n\r\n",
        "3;a\rb\r\nabc\r\n0\r\n\r\n",
        "3;a\0\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc0\r\n\r\n",
        "3\r\nabc\n0\r\n\r\n",
        "3\r\nabc\r0\r\n\r\n",
        "3\r\nabcd\r\n0\r\n\r\n",
        "2\r\nabc\r\n0\r\n\r\n",
        "3\r\nabc\r\n0\n\r\n",
        "3\r\nabc\r\n0\r\n\n",
        "3\r\nabc\r\n0\r\nX: y\n\r\n",
        "3\r\nabc\r\n0\r\nX: y\rz\r\n\r\n",
        "3\r\nabc\r\n0\r\nX : y\r\n\r\n",
        "3\r\nabc\r\n0\r\nX\r\n\r\n",
        "3\r\nabc\r\n0\r\n: y\r\n\r\n",
        "3\r\nabc\r\n0\r\nX: y\r\n folded\r\n\r\n",
        "00000000000000003\r\nabc\r\n0\r\n\r\n",
        "10000000000000003\r\nabc\r\n0\r\n\r\n",
        "ffffffffffffffff\r\nabc\r\n0\r\n\r\n",
        "8000000000000000\r\nabc\r\n0\r\n\r\n",
    ] {
        assert_eq!(chunked(wire), Err(Malformed), "{wire:?}");
    }
}

#[test]
fn what_stands_beside_chunks_is_bounded() {
    let (long, half) = ("x".repeat(16 << 10), "x".repeat(8 << 10));
    assert_eq!(chunked(&format!("3;{long}\r\nabc\r\n0\r\n\r\n")), Err(Malformed));
    assert_eq!(chunked(&format!("3\r\nabc\r\n0\r\nX: {long}\r\n\r\n")), Err(Malformed));
    assert_eq!(chunked(&format!("3\r\nabc\r\n0\r\n{}\r\n", "X: y\r\n".repeat(3000))), Err(Malformed));
    // Of each chunk, not of all of them.
    let many = format!("1;{half}\r\na\r\n1;{half}\r\nb\r\n1;{half}\r\nc\r\n0\r\n\r\n");
    assert_eq!(chunked(&many).unwrap().0, "abc");
}

#[test]
fn what_came_before_the_malformed_is_handed_on() {
    let (mut framing, mut read) = (Framing::chunked(), BytesMut::from("3\r\nabc\r\nX"));
    assert_eq!(framing.next(&mut read), Ok(Some(Bytes::from("abc"))));
    assert_eq!(framing.next(&mut read), Err(Malformed));
    assert_eq!(framing.next(&mut read), Err(Malformed), "it stays so");
    assert!(!framing.is_over() && framing.ends() == Err(Malformed));
}

#[test]
fn a_length_is_neither_more_nor_less() {
    let sized = |length, wire: &str| read_in(Framing::Sized(length), wire.as_bytes(), &[1]);
    assert_eq!(sized(3, "abcd"), Ok((b"abc".to_vec(), b"d".to_vec())));
    assert_eq!(sized(0, "d"), Ok((Vec::new(), b"d".to_vec())));
    assert_eq!(sized(3, "ab"), Err(Malformed));
    assert_eq!(sized(u64::MAX, "ab"), Err(Malformed));
    assert_eq!(Framing::Sized(7).size_hint().exact(), Some(7));
}

#[test]
fn without_a_length_the_end_of_the_connection_is_the_end() {
    assert_eq!(read_in(Framing::to_the_end(), b"abc", &[2]), Ok((b"abc".to_vec(), Vec::new())));
    assert!(!Framing::to_the_end().is_over() && Framing::to_the_end().size_hint().exact().is_none());
}

/// A chunked body with its pieces as they were framed.
fn framed() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
    let extension = prop_oneof![Just(String::new()), "(;[a-z]{1,3}(=[a-z0-9]{0,3})?){1,2}"];
    let piece = (proptest::collection::vec(any::<u8>(), 1..40), extension, any::<bool>());
    let trailers = proptest::collection::vec("[A-Za-z-]{1,8}:[ -~]{0,8}\r\n", 0..3);
    (proptest::collection::vec(piece, 0..8), trailers).prop_map(|(pieces, trailers)| {
        let (mut body, mut wire) = (Vec::new(), Vec::new());
        for (piece, extension, upper) in pieces {
            let size = if upper { format!("{:X}", piece.len()) } else { format!("0{:x}", piece.len()) };
            wire.extend_from_slice(format!("{size}{extension}\r\n").as_bytes());
            wire.extend_from_slice(&piece);
            wire.extend_from_slice(b"\r\n");
            body.extend_from_slice(&piece);
        }
        wire.extend_from_slice(format!("0\r\n{}\r\n", trailers.concat()).as_bytes());
        (body, wire)
    })
}

proptest! {
    #[test]
    fn a_chunked_body_is_the_same_wherever_it_is_cut(
        (body, wire) in framed(),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
        behind in proptest::collection::vec(any::<u8>(), 0..5),
    ) {
        let whole = [wire, behind.clone()].concat();
        prop_assert_eq!(read_in(Framing::chunked(), &whole, &cuts), Ok((body.clone(), behind.clone())));
        let byte_by_byte: Vec<usize> = (0..whole.len()).collect();
        prop_assert_eq!(read_in(Framing::chunked(), &whole, &byte_by_byte), Ok((body, behind)));
    }

    #[test]
    fn a_chunked_body_that_ends_early_is_never_whole((_, wire) in framed(), at in any::<proptest::sample::Index>()) {
        let cut = &wire[..at.index(wire.len())];
        prop_assert_eq!(read_in(Framing::chunked(), cut, &[]), Err(Malformed));
    }

    /// Where one byte is another, the reader either refuses or reads what is framed: it never takes what is behind the
    /// body for a part of it, nor loses its place between two cuts.
    #[test]
    fn a_changed_byte_reads_the_same_wherever_it_is_cut(
        (_, wire) in framed(),
        at in any::<proptest::sample::Index>(),
        byte in any::<u8>(),
        cuts in proptest::collection::vec(any::<usize>(), 0..20),
    ) {
        let mut wire = wire;
        let at = at.index(wire.len());
        wire[at] = byte;
        prop_assert_eq!(read_in(Framing::chunked(), &wire, &[]), read_in(Framing::chunked(), &wire, &cuts));
    }

    #[test]
    fn no_bytes_are_too_strange(wire in proptest::collection::vec(any::<u8>(), 0..200)) {
        let whole = read_in(Framing::chunked(), &wire, &[]);
        prop_assert_eq!(whole, read_in(Framing::chunked(), &wire, &[3, 5, 7, 11, 13]));
    }
}
