//! Which programs run or say whatever they are given, so that their name is nobody's.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use keybearer_policy::pattern::Pattern;

/// The list, by what makes them so.
static LIST: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    // What is bundled parses: a test walks it.
    read(include_str!("../carriers.toml")).unwrap_or_default()
});

/// Whether the program at `executable` is such a one, by its file's name.
pub fn is_carrier(executable: &Path) -> bool {
    let Some(name) = executable.file_name() else { return true };
    let name = name.to_string_lossy().to_ascii_lowercase();
    let name = name.strip_suffix(".exe").unwrap_or(&name);
    LIST.iter().any(|pattern| pattern.matches(name))
}

fn read(text: &str) -> Option<Vec<Pattern>> {
    let groups: BTreeMap<String, Vec<String>> = toml::from_str(text).ok()?;
    groups.values().flatten().map(|name| name.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_that_is_bundled_is_sound() {
        let list = read(include_str!("../carriers.toml")).unwrap();
        assert!(list.len() > 100);
        for pattern in &list {
            let text = pattern.as_str();
            assert!(!pattern.is_path() && !text.starts_with('*') && text == text.to_ascii_lowercase(), "{text}");
        }
    }

    #[test]
    fn interpreters_shells_and_launchers_are_carriers_in_every_spelling() {
        for path in [
            "/usr/bin/node",
            "/usr/bin/python3.12",
            "/opt/node-v24/bin/node",
            "/bin/dash",
            "/bin/busybox",
            "/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            "/usr/bin/timeout",
            "/usr/lib/systemd/systemd",
            "/usr/bin/curl",
            "/usr/bin/keybearer",
            "/windows/Node.EXE",
            "/",
        ] {
            assert!(is_carrier(Path::new(path)), "{path}");
        }
    }

    #[test]
    fn a_client_is_none() {
        for path in ["/opt/Claude/claude", "/usr/share/code/code", "/usr/bin/goose", "/home/me/.local/bin/desk-app"] {
            assert!(!is_carrier(Path::new(path)), "{path}");
        }
    }
}
