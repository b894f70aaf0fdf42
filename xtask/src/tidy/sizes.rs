//! A file that nobody can hold in their head has a second idea in it.

use anyhow::Result;

use super::{Problem, tree::Tree};

const MOST: usize = 600;
const EXTENSIONS: [&str; 5] = ["rs", "ts", "svelte", "mjs", "py"];
const GENERATED: &str = "ui/src/bindings.ts";

pub(super) fn check(tree: &Tree) -> Result<Vec<Problem>> {
    let ours = tree.files.iter().filter(|file| file.has_extension(&EXTENSIONS) && file.path != GENERATED);
    Ok(ours.filter_map(|file| judge(&file.path, &file.text)).collect())
}

fn judge(path: &str, text: &str) -> Option<Problem> {
    let lines = text.lines().count();
    (lines > MOST).then(|| Problem::new(path, lines, format!("{lines} lines; {MOST} are the most")))
}

#[cfg(test)]
mod tests {
    use super::{MOST, judge};

    #[test]
    fn one_line_over_the_limit_is_too_long() {
        assert_eq!(judge("a.rs", &"x\n".repeat(MOST)), None);
        assert!(judge("a.rs", &"x\n".repeat(MOST + 1)).is_some());
    }
}
