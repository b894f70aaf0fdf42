//! Where a person's programs keep their files: patterns of the catalogue, filled in for one machine.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// An operating system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// Linux.
    Linux,
    /// macOS.
    Macos,
    /// Windows.
    Windows,
}

/// The folders of one person on one machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// Which system.
    pub system: System,
    /// The home folder.
    pub home: PathBuf,
    /// Settings: `~/.config`, `~/Library/Application Support`, `%APPDATA%`.
    pub config: PathBuf,
    /// What does not roam: the same, or `%LOCALAPPDATA%`.
    pub local: PathBuf,
}

/// Patterns for each system, the likeliest first. `*` stands for one name that differs from machine to machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PerSystem {
    /// On Linux.
    #[serde(default)]
    pub linux: Vec<String>,
    /// On macOS.
    #[serde(default)]
    pub macos: Vec<String>,
    /// On Windows.
    #[serde(default)]
    pub windows: Vec<String>,
}

impl PerSystem {
    /// The patterns of one system.
    pub fn of(&self, system: System) -> &[String] {
        match system {
            System::Linux => &self.linux,
            System::Macos => &self.macos,
            System::Windows => &self.windows,
        }
    }

    /// The paths on this machine; a `*` in them is still to be looked up.
    pub fn paths(&self, places: &Places) -> Vec<PathBuf> {
        self.of(places.system).iter().map(|pattern| places.fill(pattern)).collect()
    }
}

impl Places {
    fn fill(&self, pattern: &str) -> PathBuf {
        let roots = [("{home}", &self.home), ("{config}", &self.config), ("{local}", &self.local)];
        let rooted = roots.iter().find_map(|(root, folder)| Some((pattern.strip_prefix(root)?, folder)));
        let Some((rest, folder)) = rooted else { return PathBuf::from(pattern) };
        // With the separator of the system that it is for, so that a test tells the same everywhere.
        let separator = if self.system == System::Windows { "\\" } else { "/" };
        PathBuf::from(format!("{}{}", folder.display(), rest.replace('/', separator)))
    }
}
