//! Nothing in the tree names a place: no path of somebody's machine, no registry that only one network reaches.

use anyhow::Result;

use super::{
    Problem,
    tree::{Source, Tree},
};

/// Folders of machines that people and builds work in.
const MACHINE_FOLDERS: [&str; 3] = ["work", "root", "farm"];
/// Hosts of registries, written so that this file does not name them.
const REGISTRIES: [&str; 6] = [
    concat!("registry.", "npmjs.org"),
    concat!("files.", "pythonhosted.org"),
    concat!("pypi.", "org"),
    concat!("static.", "crates.io"),
    concat!("index.", "crates.io"),
    concat!("deb.", "debian.org"),
];
/// What cargo writes for the public registry, whatever mirror it was fetched from.
const CANONICAL: &str = "source = \"registry+https://github.com/rust-lang/crates.io-index\"";

pub(super) fn check(tree: &Tree) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for file in &tree.files {
        let foreign = if is_lock(file) { foreign_source } else { |_: &str| None };
        for (number, line) in file.lines() {
            let found = machine_path(line).or_else(|| registry(line)).or_else(|| foreign(line));
            problems.extend(found.map(|text| Problem::new(&file.path, number, text)));
        }
    }
    Ok(problems)
}

fn is_lock(file: &Source) -> bool {
    file.path.ends_with("package-lock.json") || file.path.ends_with("Cargo.lock")
}

fn machine_path(line: &str) -> Option<String> {
    MACHINE_FOLDERS.into_iter().find_map(|folder| {
        let path = format!("/{folder}/");
        let starts = |at: usize| {
            let before = line[..at].chars().next_back();
            !before.is_some_and(|character| character.is_alphanumeric() || "_.-/}{)$".contains(character))
        };
        line.match_indices(&path).any(|(at, _)| starts(at)).then(|| format!("`{path}` is a path of one machine"))
    })
}

fn registry(line: &str) -> Option<String> {
    REGISTRIES.into_iter().find(|host| line.contains(host)).map(|host| format!("`{host}` is a registry's host"))
}

fn foreign_source(line: &str) -> Option<String> {
    let line = line.trim();
    let foreign = (line.starts_with("source = ") && line != CANONICAL) || line.starts_with("\"resolved\": \"http");
    foreign.then(|| "a lock file names where a package came from".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{CANONICAL, foreign_source, machine_path, registry};

    #[test]
    fn paths_of_machines_are_seen() {
        for folder in ["work", "root"] {
            assert!(machine_path(&format!("open(\"/{folder}/main\")")).is_some());
        }
        assert_eq!(machine_path("https://example.test/a/work/b and src/root/x"), None);
    }

    #[test]
    fn registries_are_seen() {
        assert!(registry(&format!("https://{}.org/simple", "pypi")).is_some());
        assert_eq!(registry("a crate on crates.io"), None);
    }

    #[test]
    fn lock_files_name_no_mirror() {
        assert_eq!(foreign_source(CANONICAL), None);
        assert!(foreign_source("source = \"sparse+https://mirror.test/\"").is_some());
        assert!(foreign_source("  \"resolved\": \"https://mirror.test/x.tgz\",").is_some());
    }
}
