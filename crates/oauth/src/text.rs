//! Other people's words, made fit to be shown.

/// The most that is shown of one text.
const LONGEST: usize = 160;

/// `text` on one line, without control, bidirectional and invisible characters, cut to a bearable length.
pub(crate) fn shown(text: &str) -> String {
    let mut clean = text.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).filter(|c| is_visible(*c));
    let mut line = clean.by_ref().take(LONGEST).collect::<String>();
    if clean.next().is_some() {
        line.push('…');
    }
    line
}

fn is_visible(c: char) -> bool {
    let hidden = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !hidden
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn shows_one_short_line_of_visible_characters() {
        assert_eq!(shown("a\nb\u{202e}c\u{200b}d\u{7}e"), "a bcde");
        assert_eq!(shown(&"x".repeat(500)).chars().count(), 161);
        assert_eq!(shown("Zugriff für Jörg"), "Zugriff für Jörg");
    }
}
