//! Foreign text made safe to look at: no control, direction or invisible characters, no endless length.
//!
//! Accounts, errors and details come from servers and issuers that may want to look like us.

use icu_normalizer::ComposingNormalizerBorrowed;

/// Stands for one or more characters that were taken out, so that their absence can be seen.
const TAKEN_OUT: char = '\u{FFFD}';

/// `text` on one line and in Unicode's form NFC, without what moves the cursor, turns the direction or cannot be seen.
pub fn clean(text: &str) -> String {
    let text = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let mut cleaned = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => cleaned.push(' '),
            hidden if is_hidden(hidden) && cleaned.ends_with(TAKEN_OUT) => {}
            hidden if is_hidden(hidden) => cleaned.push(TAKEN_OUT),
            visible => cleaned.push(visible),
        }
    }
    cleaned
}

/// `text`, if longer than `longest` characters, with its middle left out: both ends of a name tell it from others.
pub fn middle(text: &str, longest: usize) -> String {
    let characters: Vec<char> = text.chars().collect();
    if characters.len() <= longest {
        return text.to_owned();
    }
    let kept = longest.saturating_sub(1);
    let (head, tail) = (kept - kept / 2, kept / 2);
    let end = &characters[characters.len() - tail..];
    characters[..head].iter().chain(&['…']).chain(end).collect()
}

/// A message of ours as a sentence: a capital at its beginning, a full stop at its end, quotation marks for backticks.
pub fn sentence(message: &str) -> String {
    let mut opens = true;
    let mut sentence = String::with_capacity(message.len() + 8);
    for character in clean(message.trim()).chars() {
        match character {
            '`' => {
                sentence.push(if opens { '“' } else { '”' });
                opens = !opens;
            }
            first if sentence.is_empty() => sentence.extend(first.to_uppercase()),
            other => sentence.push(other),
        }
    }
    if !sentence.is_empty() && !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
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

    #[test]
    fn text_that_plays_tricks_is_seen_to() {
        assert_eq!(clean("plain, ünï, 漢字 ✓"), "plain, ünï, 漢字 ✓");
        assert_eq!(clean("u\u{308}"), "ü", "one letter is one text");
        assert_eq!(clean("two\nlines"), "two lines");
        assert_eq!(clean("pay\u{202e}gnihton\u{200b}\u{2060}"), "pay\u{FFFD}gnihton\u{FFFD}");
        assert_eq!(clean("\u{1b}[2J"), "\u{FFFD}[2J");
    }

    #[test]
    fn a_long_name_keeps_both_ends() {
        assert_eq!(middle("quarterly-reports-archive", 18), "quarterly…-archive");
        assert_eq!(middle("crm", 3), "crm");
        assert_eq!(middle("äöüß", 3), "ä…ß");
    }

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence("`crm` cannot be reached"), "“crm” cannot be reached.");
        assert_eq!(sentence("your sign-in ended on Friday."), "Your sign-in ended on Friday.");
        assert_eq!(sentence(""), "");
    }
}
