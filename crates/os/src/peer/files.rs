//! The files that processes run: which they are, who can change them, and in time their SHA-256.
//!
//! Hashing a large program takes longer than a handshake may. One thread does it, once for each file and state of it;
//! what was hashed is what runs, because it is read through the process's own handle on it, and the system lets nobody
//! write to a file that runs.

use std::collections::{HashMap, VecDeque};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use keybearer_model::program::{Changeable, Digest, ProgramFile, Stamp};
use sha2::{Digest as _, Sha256};

use super::ProgramError;

/// The most files that are remembered.
const MOST_KNOWN: usize = 256;

/// The most files that wait for being hashed; each is held open.
const MOST_WAITING: usize = 32;

/// How much is read at once.
const PIECE: usize = 64 * 1024;

/// Files are the same for everybody in this process, and so is what is known of them.
static KNOWN: LazyLock<Known> = LazyLock::new(Known::begin);

/// A file, and itself opened where its hash is not known yet.
pub(crate) struct Seen {
    pub(crate) file: Arc<ProgramFile>,
    opened: File,
}

impl Seen {
    /// The file behind `path`, which may be a process's own handle on what it runs.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        // A pipe without a writer must not keep us.
        let opened = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)?;
        let metadata = opened.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let file = KNOWN.remember(stamp(&metadata)?);
        Ok(Self { file, opened })
    }

    /// Has the file hashed once. Where that is too much at once its hash stays unknown, and who asks next is luckier.
    pub(crate) fn have_hashed(self) {
        let file = Arc::clone(&self.file);
        if !KNOWN.asks_first(file.stamp()) {
            return;
        }
        if KNOWN.work.as_ref().is_none_or(|work| work.try_send(self).is_err()) {
            KNOWN.forget(file.stamp());
            file.settle(None);
        }
    }

    /// Hashes the file here and now; blocks as long as that takes.
    pub(crate) fn hashed(mut self) -> Arc<ProgramFile> {
        if self.file.digest().is_none() {
            self.file.settle(digest(&mut self.opened, self.file.stamp()).ok());
        }
        self.file
    }
}

/// The program at `path`, hashed.
pub(super) fn program(path: &Path) -> Result<Arc<ProgramFile>, ProgramError> {
    let mut seen = Seen::at(path)?;
    let mut start = [0; 2];
    let script = seen.opened.read_exact(&mut start).is_ok() && start == *b"#!";
    seen.opened.rewind()?;
    if script { Err(ProgramError::Script) } else { Ok(seen.hashed()) }
}

/// Who can put another program in the place of `path`, which has no links in it.
///
/// For a core of root's own there is no difference: whoever is to be told apart runs as root too.
pub(crate) fn changeable(path: &Path) -> Changeable {
    let safe = !rustix::process::geteuid().is_root()
        && path.ancestors().all(|part| part.symlink_metadata().is_ok_and(|found| is_roots(found.uid(), found.mode())));
    if safe { Changeable::ByRootOnly } else { Changeable::ByUser }
}

/// Root owns it, and neither a group nor everybody may write. An access list shows in the group's bits.
fn is_roots(owner: u32, mode: u32) -> bool {
    owner == 0 && mode & 0o022 == 0
}

fn stamp(metadata: &std::fs::Metadata) -> io::Result<Stamp> {
    let nanoseconds = |seconds: i64, rest: i64| {
        let time = seconds.checked_mul(1_000_000_000).and_then(|whole| whole.checked_add(rest));
        time.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the file's time is out of reach"))
    };
    Ok(Stamp {
        device: metadata.dev(),
        inode: metadata.ino(),
        size: metadata.size(),
        modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec())?,
        changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec())?,
    })
}

/// What is known of files, and the way to the thread that finds out more.
struct Known {
    // A mutex rather than an owner task: it is held for a look into a map, by synchronous code.
    files: Mutex<Files>,
    /// Absent where no thread could be begun.
    work: Option<SyncSender<Seen>>,
}

#[derive(Default)]
struct Files {
    /// Each with whether it was asked to be hashed.
    by_stamp: HashMap<Stamp, (Arc<ProgramFile>, bool)>,
    in_order: VecDeque<Stamp>,
}

impl Known {
    fn begin() -> Self {
        let (work, waiting) = sync_channel(MOST_WAITING);
        let begun = std::thread::Builder::new().name("hashes".to_owned()).spawn(move || hash_all(&waiting));
        Self { files: Mutex::default(), work: begun.is_ok().then_some(work) }
    }

    fn files(&self) -> std::sync::MutexGuard<'_, Files> {
        // What a panic leaves is at worst a file that is remembered twice.
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, stamp: Stamp) -> Arc<ProgramFile> {
        let mut files = self.files();
        if let Some((file, _)) = files.by_stamp.get(&stamp) {
            return Arc::clone(file);
        }
        if files.in_order.len() >= MOST_KNOWN
            && let Some(oldest) = files.in_order.pop_front()
        {
            files.by_stamp.remove(&oldest);
        }
        let file = Arc::new(ProgramFile::new(stamp));
        files.by_stamp.insert(stamp, (Arc::clone(&file), false));
        files.in_order.push_back(stamp);
        file
    }

    /// Whether nobody has asked for the hash of this file so far.
    fn asks_first(&self, stamp: &Stamp) -> bool {
        self.files().by_stamp.get_mut(stamp).is_none_or(|(_, asked)| !std::mem::replace(asked, true))
    }

    fn forget(&self, stamp: &Stamp) {
        let mut files = self.files();
        files.by_stamp.remove(stamp);
        files.in_order.retain(|other| other != stamp);
    }
}

fn hash_all(waiting: &Receiver<Seen>) {
    #[cfg(target_os = "linux")]
    {
        // Linux counts niceness by thread. Whatever else this process does comes first.
        let _ = rustix::process::setpriority_process(Some(rustix::thread::gettid()), 19);
    }
    for seen in waiting {
        seen.hashed();
    }
}

/// The hash of an open file, if it stayed in the state in which it was found.
fn digest(file: &mut File, found: &Stamp) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut piece = vec![0; PIECE];
    loop {
        match file.read(&mut piece) {
            Ok(0) => break,
            Ok(length) => hash.update(piece.get(..length).unwrap_or_default()),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    if stamp(&file.metadata()?)? != *found {
        return Err(io::Error::other("the file changed while it was read"));
    }
    Ok(Digest(hash.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_nobody_but_root_may_write_is_roots() {
        assert!(is_roots(0, 0o100_755) && is_roots(0, 0o040_755));
        assert!(!is_roots(1000, 0o100_755) && !is_roots(0, 0o100_775) && !is_roots(0, 0o041_777));
    }

    #[test]
    fn a_file_is_hashed_once_for_each_state_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, "one").unwrap();
        let (first, again) = (Seen::at(&path).unwrap(), Seen::at(&path).unwrap());
        assert!(Arc::ptr_eq(&first.file, &again.file));
        let file = Arc::clone(&first.file);
        assert_eq!(file.digest(), None);
        first.have_hashed();
        again.have_hashed();
        assert_eq!(file.wait_for_digest(), Some(Digest(Sha256::digest("one").into())));
        std::fs::write(&path, "two, and longer").unwrap();
        let other = Seen::at(&path).unwrap();
        assert_ne!(other.file.stamp(), file.stamp());
        let other_file = Arc::clone(&other.file);
        other.have_hashed();
        assert_eq!(other_file.wait_for_digest(), Some(Digest(Sha256::digest("two, and longer").into())));
    }

    #[test]
    fn what_changed_while_it_was_read_has_no_hash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        std::fs::write(&path, "one").unwrap();
        let seen = Seen::at(&path).unwrap();
        std::fs::write(&path, "other").unwrap();
        assert!(digest(&mut File::open(&path).unwrap(), seen.file.stamp()).is_err());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let known = Known::begin();
        let numbered = |inode| Stamp { device: 0, inode, size: 0, modified: 0, changed: 0 };
        for inode in 0..1000 {
            known.remember(numbered(inode));
        }
        let files = known.files();
        assert_eq!((files.by_stamp.len(), files.in_order.len()), (MOST_KNOWN, MOST_KNOWN));
        assert!(files.by_stamp.contains_key(&numbered(999)) && !files.by_stamp.contains_key(&numbered(0)));
    }

    #[test]
    fn a_folder_runs_nothing() {
        assert!(Seen::at(Path::new("/")).is_err());
    }
}
