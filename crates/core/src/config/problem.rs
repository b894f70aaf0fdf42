//! What is wrong with the settings, for a person to mend.

use std::fmt;

/// One problem: where, what, and what to do. It never repeats the value of a setting that could be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1; absent where it is about the whole.
    pub line: Option<usize>,
    /// What is wrong: lower case, without a full stop.
    pub message: String,
    /// What to do, where there is something to say.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of the file as a whole.
    pub fn whole(message: impl Into<String>) -> Self {
        Self { line: None, message: message.into(), hint: None }
    }

    /// A problem of one line.
    pub fn at(line: usize, message: impl Into<String>) -> Self {
        Self { line: Some(line), message: message.into(), hint: None }
    }

    /// The same with what to do.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// `line 3: what is wrong`, without the hint.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

/// The one of `known` that was probably meant by `text`.
pub(super) fn nearest<'k>(text: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    let limit = (text.chars().count() / 3).clamp(1, 3);
    known
        .map(|word| (distance(text, word), word))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

/// How many letters to add, remove, change or swap with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    let right = right.chars().take(64).collect::<Vec<_>>();
    let mut above: Vec<usize> = Vec::new();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    let mut before = None;
    for (i, letter) in left.chars().take(64).enumerate() {
        let mut next = vec![i + 1];
        for (j, other) in right.iter().enumerate() {
            let at = |row: &[usize], index: usize| row.get(index).copied().unwrap_or(usize::MAX - 1);
            let mut best = (at(&row, j) + usize::from(letter != *other)).min(at(&row, j + 1) + 1).min(at(&next, j) + 1);
            let swapped = j > 0 && before == Some(*other) && right.get(j - 1) == Some(&letter);
            if swapped {
                best = best.min(at(&above, j - 1) + 1);
            }
            next.push(best);
        }
        above = std::mem::replace(&mut row, next);
        before = Some(letter);
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_is_guessed_only_where_it_is_near() {
        let known = || ["url", "auth", "header", "client_id", "scopes"].into_iter();
        for (text, want) in [
            ("ulr", Some("url")),
            ("clientid", Some("client_id")),
            ("scope", Some("scopes")),
            ("colour", None),
            ("", None),
        ] {
            assert_eq!(nearest(text, known()), want, "{text}");
        }
    }
}
