//! The file that this process was started from: where it lies, and what becomes of it while the process runs.
//!
//! An update puts another file in its place, and what was started before goes on with the old one, which has no name any
//! more. Linux says when that happens; elsewhere nobody is told, and the next start has the new file.

use std::io;
use std::path::PathBuf;

/// What has become of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Another one lies in its place.
    Replaced,
    /// Nothing lies there.
    Removed,
}

/// Where it lies, or lay before something else was put there.
///
/// # Errors
/// If the system does not tell.
pub fn path() -> io::Result<PathBuf> {
    let path = std::env::current_exe()?;
    Ok(before_it_was_unlinked(&path).unwrap_or(path))
}

/// Tells once what has become of the file, as soon as nothing more happens to it for a moment. Costs nothing until then.
///
/// # Errors
/// If the system cannot be asked for that.
pub fn watch(tell: impl FnOnce(Fate) + Send + 'static) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    return linux::watch(tell);
    #[cfg(not(target_os = "linux"))]
    {
        drop(tell);
        Ok(())
    }
}

/// Linux adds a word to the name of a file that has none any more.
#[cfg(target_os = "linux")]
fn before_it_was_unlinked(path: &std::path::Path) -> Option<PathBuf> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    if path.symlink_metadata().is_ok() {
        return None;
    }
    path.as_os_str().as_bytes().strip_suffix(linux::UNLINKED).map(|name| OsStr::from_bytes(name).into())
}

#[cfg(not(target_os = "linux"))]
fn before_it_was_unlinked(_path: &std::path::Path) -> Option<PathBuf> {
    None
}

#[cfg(target_os = "linux")]
mod linux {
    use std::fs::{Metadata, metadata};
    use std::io;
    use std::os::fd::OwnedFd;
    use std::os::unix::fs::MetadataExt as _;
    use std::path::Path;

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
    use rustix::io::Errno;

    use super::Fate;

    /// What follows the name of a file that was unlinked, in `/proc/PID/exe`.
    pub(super) const UNLINKED: &[u8] = b" (deleted)";

    /// A package is unpacked and a build is linked in several steps: it is over when nothing happens for so long.
    const QUIET: Timespec = Timespec { tv_sec: 1, tv_nsec: 0 };

    pub(super) fn watch(tell: impl FnOnce(Fate) + Send + 'static) -> io::Result<()> {
        let (path, ours) = (super::path()?, Which::of(&metadata("/proc/self/exe")?));
        let events = inotify::init(CreateFlags::CLOEXEC)?;
        // The file itself by its process's handle: a link more or less is an event, and so is a new name.
        let kinds = WatchFlags::ATTRIB | WatchFlags::MOVE_SELF | WatchFlags::DELETE_SELF;
        inotify::add_watch(&events, "/proc/self/exe", kinds)?;
        let waiting = move || {
            if let Some(fate) = fate(&events, &path, ours) {
                tell(fate);
            }
        };
        std::thread::Builder::new().name("own-file".to_owned()).spawn(waiting).map(drop)
    }

    /// Waits until the file has lost its place; `None`: the system tells no more.
    fn fate(events: &OwnedFd, path: &Path, ours: Which) -> Option<Fate> {
        loop {
            match judge(path, ours) {
                Some(fate) => return Some(fate),
                None => next(events, None).then_some(())?,
            }
            while next(events, Some(&QUIET)) {}
        }
    }

    /// What lies at the path now.
    pub(super) fn judge(path: &Path, ours: Which) -> Option<Fate> {
        match metadata(path) {
            Ok(there) if Which::of(&there) == ours => None,
            Ok(_) => Some(Fate::Replaced),
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => Some(Fate::Removed),
            Err(_) => None,
        }
    }

    /// Whether something happens to the file in that time.
    fn next(events: &OwnedFd, longest: Option<&Timespec>) -> bool {
        loop {
            match poll(&mut [PollFd::new(events, PollFlags::IN)], longest) {
                Ok(0) => return false,
                // What happened does not matter: the path is looked at afterwards.
                Ok(_) => return rustix::io::read(events, &mut [0_u8; 4096][..]).is_ok(),
                Err(Errno::INTR) => {}
                Err(_) => return false,
            }
        }
    }

    /// Which file it is, whatever its name.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct Which {
        device: u64,
        inode: u64,
    }

    impl Which {
        pub(super) fn of(file: &Metadata) -> Self {
            Self { device: file.dev(), inode: file.ino() }
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::linux::{Which, judge};
    use super::*;

    #[test]
    fn what_lies_at_the_path_tells_the_fate() {
        let folder = tempfile::tempdir().unwrap();
        let (path, next) = (folder.path().join("program"), folder.path().join("program.new"));
        fs::write(&path, "one").unwrap();
        fs::write(&next, "two").unwrap();
        let ours = Which::of(&fs::metadata(&path).unwrap());
        assert_eq!(judge(&path, ours), None);
        fs::rename(&next, &path).unwrap();
        assert_eq!(judge(&path, ours), Some(Fate::Replaced));
        fs::remove_file(&path).unwrap();
        assert_eq!(judge(&path, ours), Some(Fate::Removed));
    }

    #[test]
    fn a_file_that_was_unlinked_is_known_by_the_name_that_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("odd (deleted)");
        assert_eq!(before_it_was_unlinked(&odd), Some(folder.path().join("odd")));
        fs::write(&odd, "").unwrap();
        assert_eq!(before_it_was_unlinked(&odd), None);
        assert_eq!(before_it_was_unlinked(Path::new("/usr/bin/gone")), None);
        assert_eq!(path().unwrap(), std::env::current_exe().unwrap());
    }
}
