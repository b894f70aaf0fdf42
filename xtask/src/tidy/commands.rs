//! SEC-29: programs are started in few places, and never through a shell.

use anyhow::Result;

use super::{Problem, sites, tree::Tree};

const SHELLS: [&str; 6] = ["sh", "bash", "cmd", "cmd.exe", "powershell", "powershell.exe"];

pub(super) fn check(tree: &Tree) -> Result<Vec<Problem>> {
    let mut problems = sites::against(tree, "xtask/command-sites.txt", "Command::new(");
    for file in tree.shipped() {
        for (number, line) in file.shipped_lines() {
            problems.extend(shell(line).map(|shell| Problem::new(&file.path, number, format!("`{shell}` is a shell"))));
        }
    }
    Ok(problems)
}

fn shell(line: &str) -> Option<&'static str> {
    SHELLS.into_iter().find(|shell| line.contains(&format!("Command::new(\"{shell}\"")))
}

#[cfg(test)]
mod tests {
    use super::shell;

    #[test]
    fn shells_are_seen() {
        assert_eq!(shell(r#"Command::new("sh").arg("-c")"#), Some("sh"));
        assert_eq!(shell("Command::new(executable)"), None);
    }
}
