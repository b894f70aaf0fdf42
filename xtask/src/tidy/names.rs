//! Names that say nothing.

use anyhow::Result;

use super::{Problem, tree::Tree};

const EMPTY_NOUNS: [&str; 6] = ["manager", "service", "helper", "util", "data", "info"];
const EMPTY_VERBS: [&str; 3] = ["handle", "process", "do"];
const NOUN_KEYWORDS: [&str; 6] = ["struct", "enum", "trait", "type", "mod", "union"];

pub(super) fn check(tree: &Tree) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|file| file.has_extension(&["rs"])) {
        for (number, line) in file.lines() {
            problems.extend(judge(line).map(|text| Problem::new(&file.path, number, text)));
        }
    }
    Ok(problems)
}

/// An identifier or a text in lower-case words: `EntraId` and `entra_id` are both `entra`, `id`.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before_is_lower = false;
    for character in text.chars() {
        let starts_word = before_is_lower && character.is_uppercase();
        if !character.is_alphanumeric() || starts_word {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| character.is_alphanumeric()) {
            word.extend(character.to_lowercase());
        }
        before_is_lower = character.is_lowercase() || character.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

fn judge(line: &str) -> Option<String> {
    let code = line.split("//").next().unwrap_or_default();
    if code.starts_with(' ') && code.trim_start().starts_with("type ") {
        return None; // an associated type has the name that its trait gave it
    }
    let tokens: Vec<&str> = code.split_whitespace().collect();
    let declared = |keyword: &str| {
        let at = tokens.iter().position(|token| *token == keyword)?;
        // Only what may stand before a declaration may stand before it.
        let is_declaration = tokens[..at].iter().all(|token| token.starts_with("pub") || QUALIFIERS.contains(token));
        let end = |character: char| !character.is_alphanumeric() && character != '_';
        is_declaration.then(|| tokens.get(at + 1)?.split(end).next()).flatten()
    };
    if let Some(name) = NOUN_KEYWORDS.into_iter().find_map(declared) {
        let words = words(name);
        let empty = EMPTY_NOUNS
            .into_iter()
            .find(|noun| words.iter().any(|word| word == noun || *word == format!("{noun}s")))?;
        return Some(format!("`{name}`: `{empty}` says nothing; name what it is"));
    }
    let name = declared("fn")?;
    let verb = EMPTY_VERBS.into_iter().find(|verb| name == *verb || name.starts_with(&format!("{verb}_")))?;
    Some(format!("`{name}`: `{verb}` says nothing; name what it does"))
}

const QUALIFIERS: [&str; 8] = ["async", "const", "unsafe", "extern", "\"C\"", "in", "crate)", "super)"];

#[cfg(test)]
mod tests {
    use super::{judge, words};

    #[test]
    fn empty_names_are_seen_where_they_are_declared() {
        assert!(judge("pub(crate) struct TokenManager {").is_some());
        assert!(judge("mod utils;").is_some());
        assert!(judge("    pub async fn handle_request(&self) {").is_some());
        assert!(judge("fn do_it() {").is_some());
    }

    #[test]
    fn uses_and_other_words_pass() {
        assert_eq!(judge("let x: ServerInfo = info();"), None);
        assert_eq!(judge("use tower::Service;"), None);
        assert_eq!(judge("impl Service for Door {"), None);
        assert_eq!(judge("    type Data = Bytes;"), None);
        assert_eq!(judge("pub fn document() {}"), None);
        assert_eq!(judge("struct Database;"), None);
        assert_eq!(judge("/// a type Info of theirs"), None);
    }

    #[test]
    fn identifiers_fall_into_words() {
        assert_eq!(words("EntraId is_auth0 HTTPDoor"), ["entra", "id", "is", "auth0", "httpdoor"]);
    }
}
