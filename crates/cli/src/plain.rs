//! Foreign text in quotation marks and on several lines; what may be seen of it at all, `keybearer_control::plain` says.
//!
//! Names, arguments and results come from programs and servers that may want to look like us. Pure.

pub(crate) use keybearer_control::plain::clean;

/// `text` cleaned, with its lines: their ends stay, and so does the indentation by tabs.
pub(crate) fn clean_lines(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\t', "    ").split('\n').map(clean).collect::<Vec<_>>().join("\n")
}

/// `text` cleaned, at most `longest` characters of it, in quotation marks that it cannot close.
pub(crate) fn quoted(text: &str, longest: usize) -> String {
    let escaped = shortened(&clean(text), longest).replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// The beginning of `text`, and how long the whole is, if it has more than `longest` characters.
pub(crate) fn shortened(text: &str, longest: usize) -> String {
    let total = text.chars().count();
    if total <= longest {
        return text.to_owned();
    }
    let beginning: String = text.chars().take(longest).collect();
    format!("{beginning}… ({total} characters)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(hostile: &str, shown: &str) {
        assert_eq!(clean(hostile), shown);
        assert_eq!(clean(shown), shown, "cleaning twice changes nothing");
    }

    #[test]
    fn text_that_plays_tricks_is_seen_to() {
        check("plain, ünï, 漢字 ✓", "plain, ünï, 漢字 ✓");
        check("two\nlines\tand\rmore", "two lines and more");
        check("\u{1b}[2Jgone\u{7}", "\u{FFFD}[2Jgone\u{FFFD}");
        check("\u{1b}]8;;https://evil.test\u{1b}\\link", "\u{FFFD}]8;;https://evil.test\u{FFFD}\\link");
        check("pay\u{202e}gnihton", "pay\u{FFFD}gnihton");
        check("a\u{200b}\u{200d}\u{2060}b", "a\u{FFFD}b");
        check("tag\u{e0041}\u{e0042}", "tag\u{FFFD}");
        check("x\u{fe0f}", "x\u{FFFD}");
        check("c1 \u{9b}31m", "c1 \u{FFFD}31m");
    }

    #[test]
    fn quotation_marks_cannot_be_closed_from_inside() {
        assert_eq!(quoted(r#"a" says the core: "yes"#, 80), r#""a\" says the core: \"yes""#);
        assert_eq!(quoted(r#"end\"#, 80), r#""end\\""#);
    }

    #[test]
    fn long_text_says_how_long_it_is() {
        assert_eq!(quoted(&"ä".repeat(500), 3), "\"äää… (500 characters)\"");
        assert_eq!(shortened("äää", 3), "äää");
    }

    #[test]
    fn several_lines_keep_their_ends_only() {
        assert_eq!(clean_lines("a\r\n\tb\u{1b}[0m\n"), "a\n    b\u{FFFD}[0m\n");
    }
}
