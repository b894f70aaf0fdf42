//! Whether the person has turned Keybearer off: a file says so to whoever would start a core.

use std::io;
use std::path::PathBuf;

use crate::folders::{Folders, FoldersError};
use crate::supervisor::Supervisor;

/// What stands in the file, for a person who finds it.
const TEXT: &str = "Keybearer is turned off. `keybearer start` turns it on again.\n";

/// Whether nobody but the person may start a core.
pub fn is_off(folders: &Folders) -> bool {
    marker(folders).symlink_metadata().is_ok()
}

/// Turns Keybearer off: whoever needs a core finds that it is not wanted. A core that runs is not ended by this.
pub fn turn_off(folders: &Folders) -> Result<(), SwitchError> {
    folders.prepare()?;
    let path = marker(folders);
    std::fs::write(&path, TEXT).map_err(|cause| SwitchError::NotWritten { path, cause })?;
    // A service manager that listens would start a core for whoever comes.
    if let Err(cause) = Supervisor::of_this_system(folders).rest() {
        tracing::warn!(%cause, "the service manager could not be kept from starting a core");
    }
    Ok(())
}

/// Turns Keybearer on again: whoever needs a core may start one.
pub fn turn_on(folders: &Folders) -> Result<(), SwitchError> {
    let path = marker(folders);
    match std::fs::remove_file(&path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(SwitchError::NotWritten { path, cause }),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Why it cannot be turned on or off.
#[derive(Debug, thiserror::Error)]
pub enum SwitchError {
    /// The folders cannot be used.
    #[error(transparent)]
    Folders(#[from] FoldersError),
    /// The file cannot be written or removed.
    #[error("`{path}` cannot be changed: {cause}")]
    NotWritten {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
}

/// The file that says it.
pub(crate) fn marker(folders: &Folders) -> PathBuf {
    folders.state().join("turned-off")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn off_stays_off_until_it_is_turned_on() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(home.path());
        assert!(!is_off(&folders));
        turn_on(&folders).unwrap();
        turn_off(&folders).unwrap();
        turn_off(&folders).unwrap();
        assert!(is_off(&folders));
        turn_on(&folders).unwrap();
        assert!(!is_off(&folders));
    }
}
