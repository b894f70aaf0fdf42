//! One core per person and machine: who holds the lock is the core.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use crate::folders::{Folders, FoldersError};

/// The right to be the core of these folders. The system takes it back when the process ends, however it ends.
#[derive(Debug)]
pub struct CoreLock {
    folders: Folders,
    held: Held,
}

/// The locked file: shared with the sockets that were opened under the lock, so that it outlives them.
pub(crate) type Held = Arc<Locked>;

/// A locked file that is unlocked before it is closed. Closing alone does not suffice: a child that is being started
/// has every descriptor until it becomes its own program, and with it the lock.
#[derive(Debug)]
pub(crate) struct Locked(File);

impl Drop for Locked {
    fn drop(&mut self) {
        if let Err(cause) = self.0.unlock() {
            tracing::warn!(%cause, "the lock of the core could not be given back");
        }
    }
}

impl CoreLock {
    /// Prepares the folders and takes the lock, or says at once that somebody has it.
    pub fn acquire(folders: &Folders) -> Result<Self, LockError> {
        folders.prepare()?;
        let path = folders.runtime().join("core.lock");
        let failed = |cause| LockError::Failed { path: path.clone(), cause };
        let mut options = OpenOptions::new();
        options.create(true).truncate(false).write(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { folders: folders.clone(), held: Arc::new(Locked(file)) }),
            Err(TryLockError::WouldBlock) => Err(LockError::Taken),
            Err(TryLockError::Error(cause)) => Err(failed(cause)),
        }
    }

    /// The folders that the lock is for.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    pub(crate) fn held(&self) -> Held {
        Arc::clone(&self.held)
    }
}

/// Why this process cannot be the core.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process is.
    #[error("keybearer is already running")]
    Taken,
    /// The folders cannot be used.
    #[error(transparent)]
    Folders(#[from] FoldersError),
    /// The lock cannot be asked for.
    #[error("`{path}` cannot be locked: {cause}")]
    Failed {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_one_core_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(home.path());
        let first = CoreLock::acquire(&folders).unwrap();
        assert!(matches!(CoreLock::acquire(&folders), Err(LockError::Taken)));
        let elsewhere = tempfile::tempdir().unwrap();
        CoreLock::acquire(&Folders::at(elsewhere.path())).unwrap();
        drop(first);
        CoreLock::acquire(&folders).unwrap();
    }

    #[test]
    fn a_child_that_is_just_being_started_does_not_keep_the_lock() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(home.path());
        let first = CoreLock::acquire(&folders).unwrap();
        let inherited = first.held.0.try_clone().unwrap();
        drop(first);
        CoreLock::acquire(&folders).unwrap();
        drop(inherited);
    }
}
