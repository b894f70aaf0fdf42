//! What the machine has.

use std::path::{Path, PathBuf};

use crate::command::Run;

/// The program's path, if it is on `PATH`.
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    // Debian keeps daemons where an ordinary person's PATH does not look.
    let places = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    places.map(|place| place.join(program)).find(|candidate| candidate.is_file())
}

/// Whether `pkg-config` finds the development files of a library.
pub(crate) fn has_library(name: &str) -> bool {
    Run::new("pkg-config").args(["--exists", name]).succeeds()
}

/// Whether a directory has an entry whose name starts with `prefix` and which contains `inside`.
pub(crate) fn has_path(directory: &Path, prefix: &str, inside: &str) -> bool {
    let Ok(entries) = std::fs::read_dir(directory) else { return false };
    entries
        .flatten()
        .any(|entry| entry.file_name().to_string_lossy().starts_with(prefix) && entry.path().join(inside).exists())
}

/// How we may install system packages.
pub(crate) enum Privilege {
    Root,
    Sudo,
    None,
}

/// Root, sudo without a password, or neither.
pub(crate) fn privilege() -> Privilege {
    if Run::new("id").args(["-u"]).read().is_ok_and(|id| id.trim() == "0") {
        Privilege::Root
    } else if Run::new("sudo").args(["-n", "true"]).succeeds() {
        Privilege::Sudo
    } else {
        Privilege::None
    }
}
