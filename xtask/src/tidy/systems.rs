//! What differs between operating systems lives in `crates/os`, `crates/platform` and the shell alone.

use anyhow::Result;

use super::{Problem, tree::Tree};

const ALLOWED: [&str; 3] = ["crates/os/", "crates/platform/", "src-tauri/"];
const CONDITIONS: [&str; 4] = ["unix", "windows", "target_os", "target_family"];

pub(super) fn check(tree: &Tree) -> Result<Vec<Problem>> {
    let mut problems = Vec::new();
    for file in tree.shipped().filter(|file| !ALLOWED.iter().any(|folder| file.path.starts_with(folder))) {
        for (number, line) in file.shipped_lines() {
            let text = "code for one operating system belongs into crates/os or crates/platform";
            problems.extend(names_a_system(line).then(|| Problem::new(&file.path, number, text)));
        }
    }
    Ok(problems)
}

fn names_a_system(line: &str) -> bool {
    let Some(at) = ["#[cfg(", "#![cfg(", "cfg!(", "cfg_attr("].iter().find_map(|start| line.find(start)) else {
        return false;
    };
    let words = |character: char| !character.is_alphanumeric() && character != '_';
    line[at..].split(words).any(|word| CONDITIONS.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::names_a_system;

    #[test]
    fn conditions_on_the_system_are_seen() {
        assert!(names_a_system("#[cfg(unix)]"));
        assert!(names_a_system("    if cfg!(target_os = \"macos\") {"));
        assert!(names_a_system("#[cfg_attr(not(windows), expect(dead_code))]"));
    }

    #[test]
    fn other_conditions_pass() {
        assert!(!names_a_system("#[cfg(test)]"));
        assert!(!names_a_system("let windows = 3;"));
    }
}
