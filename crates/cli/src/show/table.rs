//! Aligned columns. Pure: text in, lines out; colour is in the text, and the terminal's side decides whether it stays.

use unicode_width::UnicodeWidthStr as _;

use crate::show::tone::Tone;

/// Columns wider than this are cut in the middle, so that one long name does not push everything off the screen.
const WIDEST: usize = 36;

/// One cell: text that is clean already, and how it sounds.
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A cell in this tone.
    pub(crate) fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { text: text.into(), tone }
    }

    /// A cell in the ordinary tone.
    pub(crate) fn plain(text: impl Into<String>) -> Self {
        Self::new(Tone::Plain, text)
    }

    /// What is of second interest.
    pub(crate) fn soft(text: impl Into<String>) -> Self {
        Self::new(Tone::Soft, text)
    }
}

/// The rows, indented by two, each column as wide as its widest cell; the last column keeps its full length.
pub(crate) fn columns(rows: &[Vec<Cell>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let shown: Vec<Vec<String>> = rows.iter().map(|row| row.iter().enumerate().map(cut(row.len())).collect()).collect();
    let widths: Vec<usize> = (0..count)
        .map(|at| shown.iter().filter_map(|row| row.get(at)).map(|text| text.width()).max().unwrap_or(0))
        .collect();
    let mut lines = String::new();
    for (row, texts) in rows.iter().zip(&shown) {
        let mut line = String::from(" ");
        let mut padding = 1;
        for ((cell, text), width) in row.iter().zip(texts).zip(&widths) {
            if !text.is_empty() {
                line.push_str(&" ".repeat(padding));
                line.push_str(&cell.tone.paint(text));
                padding = 0;
            }
            padding += width - text.width() + if *width == 0 { 0 } else { 2 };
        }
        lines.push_str(&line);
        lines.push('\n');
    }
    lines
}

fn cut(count: usize) -> impl Fn((usize, &Cell)) -> String {
    move |(at, cell)| if at + 1 == count { cell.text.clone() } else { middle_cut(&cell.text, WIDEST) }
}

/// A text that is too wide loses its middle: beginnings and ends tell names apart.
pub(crate) fn middle_cut(text: &str, widest: usize) -> String {
    if text.width() <= widest {
        return text.to_owned();
    }
    let half = widest.saturating_sub(1) / 2;
    let head = take_width(text.chars(), half);
    let tail: String = take_width(text.chars().rev(), half).chars().rev().collect();
    format!("{head}…{tail}")
}

fn take_width(characters: impl Iterator<Item = char>, widest: usize) -> String {
    let mut taken = String::new();
    for character in characters {
        taken.push(character);
        if taken.width() > widest {
            taken.pop();
            break;
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn columns_line_up_by_what_is_seen() {
        let row = |a: &str, b: &str, c: &str| vec![Cell::plain(a), Cell::plain(b), Cell::plain(c)];
        let rows = [row("crm", "漢字", "last"), row("wiki-2", "", "no middle"), row("x", "accounts", "")];
        expect![[r"
            Rows
              crm     漢字      last
              wiki-2            no middle
              x       accounts
        "]]
        .assert_eq(&format!("Rows\n{}", columns(&rows)));
    }

    #[test]
    fn long_names_end_in_the_middle() {
        assert_eq!(middle_cut("quarterly-report-of-the-archive", 15), "quarter…archive");
        assert_eq!(middle_cut("short", 15), "short");
        assert_eq!(middle_cut("漢字漢字漢字", 7), "漢…字");
    }
}
