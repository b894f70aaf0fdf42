//! Foreign text made safe to look at: one line, no control, direction or invisible characters, no endless length.
//!
//! Names, arguments and results come from programs and servers that may want to look like us. Pure.

/// Stands for one or more characters that were taken out, so that their absence can be seen.
const TAKEN_OUT: char = '\u{FFFD}';

/// `text` on one line, without characters that move the cursor, turn the direction or cannot be seen.
pub(crate) fn clean(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        push_clean(&mut cleaned, character);
    }
    cleaned
}

/// The same for text that may have several lines: line ends stay, and so does the indentation by tabs.
pub(crate) fn clean_lines(text: &str) -> String {
    let mut cleaned = String::with_capacity(text.len());
    for character in text.replace("\r\n", "\n").chars() {
        match character {
            '\n' => cleaned.push('\n'),
            '\t' => cleaned.push_str("    "),
            other => push_clean(&mut cleaned, other),
        }
    }
    cleaned
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

fn push_clean(cleaned: &mut String, character: char) {
    match character {
        '\n' | '\r' | '\t' => cleaned.push(' '),
        // The one everyday use of an invisible character: a sign shown as an emoji.
        '\u{FE0E}' | '\u{FE0F}' if cleaned.chars().next_back().is_some_and(|before| before > '\u{2000}') => {}
        hidden if is_hidden(hidden) => {
            if !cleaned.ends_with(TAKEN_OUT) {
                cleaned.push(TAKEN_OUT);
            }
        }
        visible => cleaned.push(visible),
    }
}

/// Whether a character moves the cursor, turns the writing direction, or shows nothing (Unicode: control, default
/// ignorable, and the fillers that look like blanks).
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0x00AD
                | 0x034F
                | 0x061C
                | 0x115F..=0x1160
                | 0x17B4..=0x17B5
                | 0x180B..=0x180F
                | 0x200B..=0x200F
                | 0x2028..=0x202E
                | 0x2060..=0x206F
                | 0x2800
                | 0x3164
                | 0xFE00..=0xFE0F
                | 0xFEFF
                | 0xFFA0
                | 0xFFF0..=0xFFFB
                | 0x1BCA0..=0x1BCA3
                | 0x1D173..=0x1D17A
                | 0xE0000..=0xE0FFF
        )
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
        check("gear ⚙\u{fe0f} on", "gear ⚙ on");
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
