//! Words that open a door occur only where a committed list says so, as often as it says.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Problem, tree::Tree};

/// Secrets are shown by `expose()` alone (STYLE 3.4).
pub(super) fn check_expose(tree: &Tree) -> Result<Vec<Problem>> {
    Ok(against(tree, "xtask/expose-sites.txt", ".expose()"))
}

/// Compares where shipped code says `needle` with the list, in both directions.
pub(super) fn against(tree: &Tree, list: &str, needle: &str) -> Vec<Problem> {
    let mut found: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for file in tree.shipped() {
        for (number, line) in file.shipped_lines() {
            let code = line.split("//").next().unwrap_or_default();
            found.entry(&file.path).or_default().extend(code.matches(needle).map(|_| number));
        }
    }
    found.retain(|_, lines| !lines.is_empty());
    let text = tree.file(list).map_or("", |file| &file.text);
    compare(list, text, &found, needle)
}

fn compare(list: &str, text: &str, found: &BTreeMap<&str, Vec<usize>>, needle: &str) -> Vec<Problem> {
    let listed = parse(text);
    let mut problems = Vec::new();
    for (path, lines) in found {
        let allowed = listed.get(path).map_or(0, |(_, count)| *count);
        for line in lines.iter().skip(allowed) {
            problems.push(Problem::new(path, *line, format!("`{needle}` here is not in {list}")));
        }
    }
    for (path, (number, count)) in listed {
        let present = found.get(path).map_or(0, Vec::len);
        if present < count {
            let text = format!("`{path}` has `{needle}` {present} times, the list says {count}");
            problems.push(Problem::new(list, number, text));
        }
    }
    problems
}

/// Lines of `path count reason`; `#` starts a comment.
fn parse(text: &str) -> BTreeMap<&str, (usize, usize)> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.starts_with('#'));
    lines
        .filter_map(|(index, line)| {
            let mut words = line.split_whitespace();
            Some((words.next()?, (index + 1, words.next()?.parse().ok()?)))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::compare;

    const LIST: &str = "# file count reason\na.rs 1 the header of a call\n";

    fn count(found: &[(&str, &[usize])]) -> usize {
        let found: BTreeMap<_, _> = found.iter().map(|(path, lines)| (*path, lines.to_vec())).collect();
        compare("list", LIST, &found, "x").len()
    }

    #[test]
    fn the_list_is_the_whole_truth() {
        assert_eq!(count(&[("a.rs", &[7])]), 0);
        assert_eq!(count(&[("a.rs", &[7, 9])]), 1);
        assert_eq!(count(&[("a.rs", &[7]), ("b.rs", &[1])]), 1);
        assert_eq!(count(&[]), 1);
    }
}
