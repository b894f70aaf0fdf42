//! What each service manager is told, as text: templates with the paths of this installation in them.

use std::path::{Path, PathBuf};

use super::{LABEL, SERVICE, SOCKETS, Supervisor};
use crate::folders::Folders;
use crate::local::Name;

const SYSTEMD_SERVICE: &str = include_str!("../../units/keybearer.service");
const SYSTEMD_SOCKET: &str = include_str!("../../units/keybearer.socket");
const LAUNCHD_AGENT: &str = include_str!("../../units/com.keybearer.core.plist");
const WINDOWS_TASK: &str = include_str!("../../units/keybearer-task.xml");

/// The sockets, in the order of their units.
const NAMES: [Name; 3] = [Name::Bridge, Name::Control, Name::Http];

/// A file for a service manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unit {
    /// Where it belongs.
    pub path: PathBuf,
    /// What is in it.
    pub text: String,
}

impl Supervisor {
    /// What it is told to start `executable`; nothing is written.
    pub fn texts(&self, executable: &Path, folders: &Folders) -> Vec<Unit> {
        let executable = executable.to_string_lossy();
        match self {
            Self::Systemd { units } => systemd(units, &executable, folders),
            Self::Launchd { agents, .. } => {
                let log = folders.state().join("core.log");
                let text = LAUNCHD_AGENT.replace("@LOG@", &xml(&log.to_string_lossy()));
                vec![Unit { path: plist(agents), text: text.replace("@EXECUTABLE@", &xml(&executable)) }]
            }
            Self::TaskScheduler { folder, account } => {
                let text = WINDOWS_TASK.replace("@ACCOUNT@", &xml(account));
                vec![Unit { path: task(folder), text: text.replace("@EXECUTABLE@", &xml(&executable)) }]
            }
            Self::None => Vec::new(),
        }
    }

    /// Whether its files can name this path.
    pub(super) fn can_name(&self, path: &Path) -> bool {
        // systemd starts no program with these in its path, however they are written.
        let refused = if let Self::Systemd { .. } = self { "\"'\\" } else { "" };
        path.to_str().is_some_and(|text| !text.contains(|letter: char| letter.is_control() || refused.contains(letter)))
    }

    /// The files that it is told in.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        match self {
            Self::Systemd { units } => SOCKETS.iter().chain([&SERVICE]).map(|name| units.join(name)).collect(),
            Self::Launchd { agents, .. } => vec![plist(agents)],
            Self::TaskScheduler { folder, .. } => vec![task(folder)],
            Self::None => Vec::new(),
        }
    }
}

/// The file of launchd's agent.
pub(super) fn plist(agents: &Path) -> PathBuf {
    agents.join(format!("{LABEL}.plist"))
}

/// The file that Windows' task scheduler reads.
pub(super) fn task(folder: &Path) -> PathBuf {
    folder.join("keybearer-task.xml")
}

/// Text as Windows' own programs write it.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

fn systemd(units: &Path, executable: &str, folders: &Folders) -> Vec<Unit> {
    let off = specifiers(&crate::switch::marker(folders).to_string_lossy());
    let socket = |(file, name): (&str, Name)| Unit {
        path: units.join(file),
        text: SYSTEMD_SOCKET.replace("@NAME@", name.as_str()).replace("@TURNED_OFF@", &off),
    };
    let mut all: Vec<Unit> = SOCKETS.into_iter().zip(NAMES).map(socket).collect();
    let text = SYSTEMD_SERVICE.replace("@TURNED_OFF@", &off).replace("@EXECUTABLE@", &systemd_word(executable));
    all.push(Unit { path: units.join(SERVICE), text });
    all
}

/// A program in a unit's command line. Its place is none for variables: `$` stands for itself.
fn systemd_word(text: &str) -> String {
    format!("\"{}\"", specifiers(text).replace('\\', "\\\\").replace('"', "\\\""))
}

/// Text in which systemd finds nothing to replace.
fn specifiers(text: &str) -> String {
    text.replace('%', "%%")
}

fn xml(text: &str) -> String {
    let escape = |character| match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        other => String::from(other),
    };
    text.chars().map(escape).collect()
}

#[cfg(all(test, unix))]
mod tests;
