use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::*;

fn scan(text: &str) -> Result<(), Refused> {
    let mut scanner = Scanner::new(text);
    scanner.value()?;
    scanner.end()
}

/// What we refuse beyond the grammar.
fn by_choice(refused: &Refused) -> bool {
    matches!(refused, Refused::TooDeep { .. } | Refused::DuplicateKey { .. } | Refused::HalfSurrogate { .. })
}

fn agrees(text: &str) {
    let theirs = serde_json::from_str::<IgnoredAny>(text);
    match scan(text) {
        Ok(()) => assert!(theirs.is_ok(), "we take {text:?}, serde_json does not"),
        Err(refused) if by_choice(&refused) => {}
        Err(refused) => assert!(theirs.is_err(), "serde_json takes {text:?}, we say {refused}"),
    }
}

#[test]
fn the_grammar_is_that_of_serde_json() {
    for text in [
        "",
        " ",
        "{}",
        "[]",
        "[1,]",
        "{,}",
        "01",
        "-",
        "-0",
        "1.",
        ".5",
        "1e",
        "1e+",
        "1E-5",
        "1e400",
        "tru",
        "nul",
        "\"\\u12\"",
        "\"\\x\"",
        "\"\t\"",
        "\"a",
        "{\"a\":1,}",
        "{\"a\" 1}",
        "{a:1}",
        "[1 2]",
        "\u{feff}{}",
        "1 1",
        "\"\\ud800\"",
        "[\"\\\\\"]",
        "123456789012345678901234567890",
        "\u{b}1",
        "{\"a\":{\"b\":[null,true,false,\"x\"]}}",
        "\u{0}",
    ] {
        agrees(text);
    }
}

#[test]
fn names_are_compared_unescaped_at_any_depth() {
    for text in [r#"{"a":1,"a":2}"#, r#"{"a":1,"\u0061":2}"#, r#"[{"x":{"k":0,"k":0}}]"#] {
        assert!(matches!(scan(text), Err(Refused::DuplicateKey { .. })), "{text}");
    }
    let many = (0..1000).map(|n| format!("\"k{n}\":0")).collect::<Vec<_>>().join(",");
    assert!(scan(&format!("{{{many}}}")).is_ok());
    for twice in ["k0", "k999"] {
        assert!(matches!(scan(&format!("{{{many},\"{twice}\":1}}")), Err(Refused::DuplicateKey { .. })), "{twice}");
    }
    assert!(matches!(scan(r#"{"\ud800":1}"#), Err(Refused::HalfSurrogate { .. })));
}

#[test]
fn sixty_four_levels_are_judged_and_no_more() {
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    assert!(scan(&nested(64)).is_ok());
    assert!(matches!(scan(&nested(65)), Err(Refused::TooDeep { .. })));
    assert!(matches!(scan(&"[".repeat(4 << 20)), Err(Refused::TooDeep { .. })));
}

proptest! {
    #[test]
    fn any_text_is_judged_as_serde_json_judges_it(text in r#"[\[\]{}:,"\\u0-9eE+.a-f \-\n]{0,40}"#) {
        agrees(&text);
    }

    #[test]
    fn a_valid_text_with_one_byte_changed_too(at in 0_usize..200, byte in 0_u8..128) {
        let mut bytes = br#"{"jsonrpc":"2.0","id":-1.5e+3,"method":"tools/call","params":{"name":"a\u00e9\n","arguments":{"b":[true,null,{"c":""}]}}}"#.to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        agrees(std::str::from_utf8(&bytes).unwrap());
    }
}
