//! What is remembered of connections: a small file for each client in the state folder, and copies of the files that
//! were changed. A copy never holds what we wrote.

use std::io;
use std::path::{Path, PathBuf};

use keybearer_core::connect::plan::{FileRecord, Record};
use keybearer_model::time::Timestamp;
use keybearer_os::folders::Folders;
use keybearer_os::person_file::{PersonFile, PersonFileError, write_private};

/// The records of one installation.
#[derive(Clone, Debug)]
pub(super) struct Records {
    folder: PathBuf,
}

impl Records {
    pub(super) fn of(folders: &Folders) -> Self {
        Self { folder: folders.state().join("connections") }
    }

    /// What is remembered of a client. What does not parse was not written by us.
    pub(super) fn get(&self, client: &str) -> Option<Record> {
        let text = std::fs::read_to_string(self.path(client)).ok()?;
        serde_json::from_str(&text).ok()
    }

    pub(super) fn put(&self, record: &Record) -> Result<(), PersonFileError> {
        let text = serde_json::to_string_pretty(record).unwrap_or_default();
        PersonFile::look(&self.path(&record.client), &self.folder)?.replace(&text).map(|_| ())
    }

    /// Forgets a client, and the copies that its files do not need any more.
    pub(super) fn remove(&self, record: &Record, restored: &[&FileRecord]) {
        // A record that stays says that there is something to take back: the next try finds nothing of ours.
        let _ = std::fs::remove_file(self.path(&record.client));
        for backup in restored.iter().filter_map(|file| file.backup.as_ref()) {
            let _ = std::fs::remove_file(backup);
        }
    }

    /// Keeps a copy of a file as it was without us.
    pub(super) fn keep(&self, client: &str, path: &Path, text: &str, now: Timestamp) -> io::Result<PathBuf> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let stamp: String = now.to_string().chars().filter(char::is_ascii_alphanumeric).collect();
        std::fs::create_dir_all(&self.folder)?;
        for attempt in 0..100 {
            let suffix = if attempt == 0 { String::new() } else { format!("-{attempt}") };
            let backup = self.folder.join(format!("{client}-{stamp}{suffix}-{}", name.trim_start_matches('.')));
            match write_private(&backup, text) {
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {}
                other => return other.map(|()| backup),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }

    fn path(&self, client: &str) -> PathBuf {
        self.folder.join(format!("{client}.json"))
    }
}
