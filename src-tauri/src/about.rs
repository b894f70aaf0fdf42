//! What this program is, and what it is made of.

use serde::{Deserialize, Serialize};

/// What the window says of itself.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct About {
    /// The shell's version.
    version: &'static str,
    /// The operating system and the processor.
    system: String,
    /// Whether the desktop shows our icon somewhere.
    tray: bool,
    /// Everything that is in it and in the core, with its licence.
    parts: Vec<Part>,
}

/// A library.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Part {
    name: String,
    version: String,
    licence: String,
}

/// This program.
pub(crate) fn about(tray: bool) -> About {
    About {
        version: env!("CARGO_PKG_VERSION"),
        system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
        tray,
        parts: serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/parts.json"))).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_are_those_of_core_shell_and_page_each_with_its_licence() {
        let parts = about(true).parts;
        let has = |name: &str| parts.iter().any(|part| part.name == name);
        for part in ["tauri", "keyring", "rustls", "svelte", "@lucide/svelte"] {
            assert!(has(part), "{part}");
        }
        for tool in ["expect-test", "vite", "resvg", "keybearer-core"] {
            assert!(!has(tool), "{tool}");
        }
        assert!(parts.iter().all(|part| !part.licence.is_empty()), "{parts:?}");
    }
}
