//! What Keybearer has left of a person on this machine, file by file, and how it is removed.
//!
//! Nothing is removed that is not ours: a folder that holds something else stays, with that in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

use crate::folders::Folders;

/// The name under which the window's engine keeps what pages leave behind.
const WINDOW: &str = "com.keybearer.app";

/// A kind of what is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `config.toml`.
    Settings,
    /// The audit trail.
    Audit,
    /// What Keybearer remembers, and its log.
    State,
    /// Sockets and locks.
    Runtime,
    /// What the window's engine keeps.
    Window,
}

/// A file or a folder that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub path: PathBuf,
}

/// What is there of these folders. The audit trail is named for itself, though it lies in the state's folder.
pub fn of(folders: &Folders) -> Vec<Trace> {
    let mut all = vec![
        Trace { kind: Kind::Settings, path: folders.config_file() },
        Trace { kind: Kind::Audit, path: folders.audit() },
        Trace { kind: Kind::State, path: folders.state() },
        Trace { kind: Kind::Runtime, path: folders.runtime() },
    ];
    // The engine knows nothing of moved folders, and its folder belongs to what was not moved.
    if let (None, Some(base)) = (folders.variable(), BaseDirs::new()) {
        let places = [base.data_local_dir().join(WINDOW), base.cache_dir().join(WINDOW)];
        // The cache is where macOS has the sockets.
        let places = places.into_iter().filter(|path| *path != folders.runtime());
        all.extend(places.map(|path| Trace { kind: Kind::Window, path }));
    }
    all.retain(|trace| trace.path.symlink_metadata().is_ok());
    all
}

/// Removes what is there, but for the kinds that are to stay, and the folders that are empty then.
///
/// # Errors
/// What could not be removed first, and why.
pub fn remove(folders: &Folders, stays: &[Kind]) -> Result<(), (PathBuf, io::Error)> {
    for Trace { kind, path } in of(folders) {
        if stays.contains(&kind) {
            continue;
        }
        let removed = match kind {
            Kind::State if stays.contains(&Kind::Audit) => all_but(&path, &folders.audit()),
            Kind::Settings | Kind::Audit | Kind::State | Kind::Runtime | Kind::Window => whole(&path),
        };
        removed.map_err(|cause| (path, cause))?;
    }
    if let Some(folder) = folders.config_file().parent() {
        // It stays where it holds what is not ours.
        let _ = fs::remove_dir(folder);
    }
    Ok(())
}

/// Removes a file, a link or a folder with all that is in it; what a link leads to stays.
fn whole(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(cause) => Err(cause),
    };
    match removed {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn all_but(folder: &Path, stays: &Path) -> io::Result<()> {
    if folder.symlink_metadata()?.is_symlink() {
        return fs::remove_file(folder);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path != stays {
            whole(&path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lived_in() -> (tempfile::TempDir, Folders) {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(&home.path().join("kb"));
        folders.prepare().unwrap();
        fs::write(folders.config_file(), "").unwrap();
        fs::write(folders.state().join("state.db"), "").unwrap();
        fs::write(folders.audit().join("audit.jsonl"), "").unwrap();
        (home, folders)
    }

    fn kinds(folders: &Folders) -> Vec<Kind> {
        of(folders).into_iter().map(|trace| trace.kind).collect()
    }

    #[test]
    fn sec_70_nothing_is_left() {
        let (home, folders) = lived_in();
        assert_eq!(kinds(&folders), [Kind::Settings, Kind::Audit, Kind::State, Kind::Runtime]);
        remove(&folders, &[]).unwrap();
        assert_eq!(kinds(&folders), []);
        assert!(!home.path().join("kb").exists());
        remove(&folders, &[]).unwrap();
    }

    #[test]
    fn sec_70_what_is_to_stay_stays_and_what_is_not_ours_too() {
        let (home, folders) = lived_in();
        fs::write(home.path().join("kb/notes.txt"), "the person's").unwrap();
        remove(&folders, &[Kind::Audit]).unwrap();
        assert_eq!(kinds(&folders), [Kind::Audit, Kind::State]);
        assert!(folders.audit().join("audit.jsonl").is_file() && !folders.state().join("state.db").exists());
        assert!(home.path().join("kb/notes.txt").is_file());
    }

    #[cfg(unix)]
    #[test]
    fn sec_70_a_link_is_removed_and_not_what_it_leads_to() {
        let (home, folders) = lived_in();
        let elsewhere = home.path().join("elsewhere");
        fs::rename(folders.state(), &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, folders.state()).unwrap();
        remove(&folders, &[Kind::Settings]).unwrap();
        assert!(folders.state().symlink_metadata().is_err() && elsewhere.join("state.db").is_file());
    }
}
