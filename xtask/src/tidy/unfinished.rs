//! Work that was left for later, and tests that are switched off.

use anyhow::Result;

use super::{Problem, tree::Tree};

const MARKS: [&str; 12] = [
    "todo!",
    "unimplemented!",
    "dbg!",
    "#[ignore",
    "FIXME",
    "XXX",
    "it.skip",
    "it.only",
    "test.skip",
    "test.only",
    "describe.skip",
    "describe.only",
];
const EXTENSIONS: [&str; 5] = ["rs", "ts", "svelte", "mjs", "py"];
/// This rule has to name what it looks for.
const HERE: &str = "xtask/src/tidy/unfinished.rs";

pub(super) fn check(tree: &Tree) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for file in tree.files.iter().filter(|file| file.has_extension(&EXTENSIONS) && file.path != HERE) {
        for (number, line) in file.lines() {
            problems.extend(mark(line).map(|mark| Problem::new(&file.path, number, format!("`{mark}` is left here"))));
        }
    }
    Ok(problems)
}

fn mark(line: &str) -> Option<&'static str> {
    MARKS.into_iter().find(|mark| {
        let before = |at: usize| line[..at].chars().next_back();
        line.find(mark)
            .is_some_and(|at| !before(at).is_some_and(|character| character.is_alphanumeric() || character == '_'))
    })
}

#[cfg(test)]
mod tests {
    use super::mark;

    #[test]
    fn unfinished_work_is_seen() {
        assert_eq!(mark("        todo!()"), Some("todo!"));
        assert_eq!(mark("#[ignore = \"slow\"]"), Some("#[ignore"));
        assert_eq!(mark("  it.only('x', () => {})"), Some("it.only"));
    }

    #[test]
    fn other_macros_pass() {
        assert_eq!(mark("my_todo!(); await.skip(1); submit.only()"), None);
    }
}
