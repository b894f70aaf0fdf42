//! Each crate says what it is for, in its own header and in one line of the root manifest, and takes the common lints.

use anyhow::Result;

use super::{
    Problem,
    tree::{Source, Tree},
};

/// Crates that talk to the operating system and therefore set their own lints.
const OWN_LINTS: [&str; 2] = ["crates/os", "crates/platform"];

pub(super) fn check(tree: &Tree) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    let Some(root) = tree.file("Cargo.toml") else { return Ok(problems) };
    for (number, member, caption) in members(&root.text) {
        if caption.is_empty() {
            problems.push(Problem::new(&root.path, number, format!("`{member}` has no caption")));
        }
        let folder = if member == "." { "src-tauri" } else { member };
        let header = ["lib.rs", "main.rs"].iter().find_map(|file| tree.file(&format!("{folder}/src/{file}")));
        problems.extend(header.and_then(headless));
        let manifest = tree.file(&if member == "." { "Cargo.toml".to_owned() } else { format!("{member}/Cargo.toml") });
        problems.extend(manifest.filter(|_| !OWN_LINTS.contains(&member)).and_then(without_lints));
    }
    Ok(problems)
}

/// The members in the order of the manifest: line, path, caption.
fn members(manifest: &str) -> Vec<(usize, &str, &str)> {
    let lines = manifest.lines().enumerate().skip_while(|(_, line)| !line.starts_with("members"));
    lines
        .skip(1)
        .take_while(|(_, line)| !line.starts_with(']'))
        .filter_map(|(index, line)| {
            let (member, rest) = line.trim().strip_prefix('"')?.split_once('"')?;
            Some((index + 1, member, rest.split_once('#').map_or("", |(_, caption)| caption.trim())))
        })
        .collect()
}

fn headless(source: &Source) -> Option<Problem> {
    let header = source.text.lines().take_while(|line| line.starts_with("//!"));
    let sentences = header.filter(|line| line.trim() != "//!").count();
    let text = "the crate's header says in two lines or more what it is for and what is absent from it";
    (sentences < 2).then(|| Problem::new(&source.path, 1, text))
}

fn without_lints(source: &Source) -> Option<Problem> {
    let takes =
        source.text.split("[lints]").nth(1).is_some_and(|rest| rest.trim_start().starts_with("workspace = true"));
    (!takes).then(|| Problem::new(&source.path, 1, "the crate does not take the workspace's lints"))
}

#[cfg(test)]
mod tests {
    use super::{Source, headless, members, without_lints};

    #[test]
    fn members_come_with_their_captions() {
        let manifest = "[workspace]\nmembers = [\n    \"a\", # nouns\n    \"b\",\n]\ndefault-members = [\"c\"]\n";
        assert_eq!(members(manifest), [(3, "a", "nouns"), (4, "b", "")]);
    }

    #[test]
    fn a_header_has_two_lines() {
        assert!(headless(&Source::new("a", "//! Nouns.\n")).is_some());
        assert!(headless(&Source::new("a", "//! Nouns.\n//!\n//! No clock.\n")).is_none());
    }

    #[test]
    fn lints_are_taken() {
        assert!(without_lints(&Source::new("a", "[lints]\nworkspace = true\n")).is_none());
        assert!(without_lints(&Source::new("a", "[lints.rust]\nunsafe_code = \"allow\"\n")).is_some());
    }
}
