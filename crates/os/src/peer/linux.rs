//! Linux: a pidfd from the socket, then upwards through `/proc`, each step proven while both processes live.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use interprocess::local_socket::tokio::Stream;
use keybearer_model::program::{Changeable, Process, ProcessId};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::process::{Pid, PidfdFlags, geteuid, pidfd_open};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::files::{self, Seen};
use super::{LONGEST, Peer, PeerError};

pub(super) fn identify(stream: &Stream) -> Result<Peer, PeerError> {
    let Stream::UdSocket(socket) = stream;
    let claimed = socket_peercred(socket).map_err(io::Error::from)?;
    if claimed.uid != geteuid() {
        return Err(PeerError::Foreign);
    }
    let peer = Held::of_socket(socket.as_fd(), claimed.pid)?;
    let itself = peer.described(if peer.is_ours() { Hash::Unwanted } else { Hash::Wanted })?;
    Ok(Peer { pid: itself.pid, itself, chain: ancestors(peer)? })
}

/// Waits until this very process has ended; one that cannot be watched has.
#[expect(unsafe_code, reason = "tokio has no safe call that takes a descriptor which is not its own")]
pub(super) async fn ended(process: ProcessId) {
    let Some(held) = Held::of_id(process) else { return };
    // SAFETY: the descriptor is owned, and the watch owns it until it is dropped; it always names the same descriptor.
    if let Ok(watched) = unsafe { AsyncFd::register_with_interest(held.pidfd, Interest::READABLE) } {
        // A pidfd becomes readable when its process ends.
        let _ = watched.readable().await;
    }
}

/// The time that is so many clock ticks after the system's start.
pub(super) fn time_of(begun: u64) -> Option<SystemTime> {
    let stat = fs::read_to_string("/proc/stat").ok()?;
    let started: u64 = stat.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    let ticks = rustix::param::clock_ticks_per_second();
    Some(
        UNIX_EPOCH + Duration::from_secs(started) + Duration::from_millis(begun.checked_mul(1000)?.checked_div(ticks)?),
    )
}

/// The programs above `child`, nearest first.
fn ancestors(mut child: Held) -> Result<Vec<Process>, PeerError> {
    let mut chain = Vec::new();
    while chain.len() < LONGEST {
        let Some(parent) = child.parent()? else { break };
        // Its hash is what the first one, which is the client, is known by; the others are known by their files.
        chain.push(parent.described(if chain.is_empty() { Hash::Wanted } else { Hash::Unwanted })?);
        child = parent;
    }
    Ok(chain)
}

/// A process that cannot be confused with a later one of the same number, because its pidfd is held.
struct Held {
    pid: Pid,
    pidfd: OwnedFd,
}

impl Held {
    fn of_socket(socket: BorrowedFd<'_>, pid: Pid) -> Result<Self, PeerError> {
        let pidfd = match peer_pidfd(socket) {
            // Kernels before 6.5 do not know the question: there the number is taken while the socket is open.
            Err(Errno::NOPROTOOPT) => pidfd_open(pid, PidfdFlags::empty()),
            answer => answer,
        };
        let held = Self { pid, pidfd: pidfd.map_err(gone_or_failed)? };
        if held.lives()? { Ok(held) } else { Err(PeerError::Gone) }
    }

    /// The process itself, and no later one of its number; `None` if it has ended.
    fn of_id(process: ProcessId) -> Option<Self> {
        let pid = Pid::from_raw(i32::try_from(process.pid).ok()?)?;
        let held = Self { pid, pidfd: pidfd_open(pid, PidfdFlags::NONBLOCK).ok()? };
        let same = held.stat().ok()?.begun == process.begun;
        (same && held.lives().ok()?).then_some(held)
    }

    /// The process that started this one; `None` at the top.
    fn parent(&self) -> Result<Option<Self>, PeerError> {
        let Some(pid) = self.parent_pid()? else { return Ok(None) };
        let pidfd = pidfd_open(pid, PidfdFlags::empty()).map_err(gone_or_failed)?;
        // A child whose parent ends is given another at once: if it still has this one, the pidfd is that parent's.
        if self.parent_pid()? != Some(pid) || !self.lives()? {
            return Err(PeerError::Gone);
        }
        Ok(Some(Self { pid, pidfd }))
    }

    /// Whether it runs the very file that we run: a bridge, which is no client.
    fn is_ours(&self) -> bool {
        let file = |link: &str| fs::metadata(link).map(|file| (file.dev(), file.ino())).ok();
        let ours = file("/proc/self/exe");
        ours.is_some() && ours == file(&format!("/proc/{}/exe", self.pid))
    }

    fn stat(&self) -> Result<Stat, PeerError> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.pid)).map_err(gone_or_unreadable)?;
        let unreadable = || io::Error::new(io::ErrorKind::InvalidData, "unknown format of `/proc/PID/stat`");
        Ok(Stat::parse(&text).ok_or_else(unreadable)?)
    }

    /// The parent's number; `None` for the system's first process and for one outside our view (a container's host).
    fn parent_pid(&self) -> Result<Option<Pid>, PeerError> {
        Ok(self.stat()?.parent.filter(|pid| !pid.is_init()))
    }

    /// What is known of it.
    fn described(&self, hash: Hash) -> Result<Process, PeerError> {
        let Stat { begun, .. } = self.stat()?;
        let executable = self.executable();
        let changeable = executable.as_deref().map_or(Changeable::ByUser, files::changeable);
        let seen = Seen::at(Path::new(&format!("/proc/{}/exe", self.pid))).ok();
        // What was read by number was about this process only if it still lives.
        if !self.lives()? {
            return Err(PeerError::Gone);
        }
        let file = seen.as_ref().map(|seen| Arc::clone(&seen.file));
        if let (Some(seen), Hash::Wanted) = (seen, hash) {
            seen.have_hashed();
        }
        Ok(Process { pid: number(self.pid), begun, executable, file, changeable })
    }

    /// The program's path, if it is the file that this process runs: one that runs in another mount namespace, or whose
    /// file was replaced, has a path that means something else to us.
    fn executable(&self) -> Option<PathBuf> {
        let link = format!("/proc/{}/exe", self.pid);
        let path = fs::read_link(&link).ok()?;
        let (runs, named) = (fs::metadata(&link).ok()?, path.symlink_metadata().ok()?);
        ((runs.dev(), runs.ino()) == (named.dev(), named.ino())).then_some(path)
    }

    /// A pidfd becomes readable when its process ends.
    fn lives(&self) -> Result<bool, PeerError> {
        let mut ends = [PollFd::new(&self.pidfd, PollFlags::IN)];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        loop {
            match poll(&mut ends, Some(&now)) {
                Ok(ended) => return Ok(ended == 0),
                Err(Errno::INTR) => {}
                Err(cause) => return Err(PeerError::Failed(cause.into())),
            }
        }
    }
}

/// Whether the hash of a program is asked for.
#[derive(Clone, Copy)]
enum Hash {
    Wanted,
    Unwanted,
}

/// What `/proc/PID/stat` tells of a process.
#[derive(Debug, PartialEq, Eq)]
struct Stat {
    parent: Option<Pid>,
    /// When it began, in clock ticks since the system did.
    begun: u64,
}

impl Stat {
    /// Fields 4 and 22; the second is the program's name in brackets and may hold anything, brackets too (proc(5)).
    fn parse(text: &str) -> Option<Self> {
        let (_, rest) = text.rsplit_once(')')?;
        let mut fields = rest.split_ascii_whitespace().skip(1);
        let parent = Pid::from_raw(fields.next()?.parse().ok()?);
        Some(Self { parent, begun: fields.nth(17)?.parse().ok()? })
    }
}

fn number(pid: Pid) -> u32 {
    pid.as_raw_nonzero().get().unsigned_abs()
}

fn gone_or_failed(cause: Errno) -> PeerError {
    match cause {
        // `INVAL` is what kernels of 6.5 to 6.15 say of a peer that was already waited for.
        Errno::SRCH | Errno::INVAL => PeerError::Gone,
        other => PeerError::Failed(other.into()),
    }
}

fn gone_or_unreadable(cause: io::Error) -> PeerError {
    let ended = cause.raw_os_error() == Some(Errno::SRCH.raw_os_error());
    if ended || cause.kind() == io::ErrorKind::NotFound { PeerError::Gone } else { PeerError::Failed(cause) }
}

/// `SO_PEERPIDFD`: the process that connected, even if its number has been given to another since.
#[expect(unsafe_code, reason = "rustix has no call for this socket option")]
fn peer_pidfd(socket: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    use std::os::fd::{AsRawFd as _, FromRawFd as _};
    let mut pidfd: libc::c_int = -1;
    let mut length = libc::socklen_t::try_from(size_of_val(&pidfd)).unwrap_or(0);
    // SAFETY: `pidfd` and `length` outlive the call, `length` is the size of `pidfd`, and the socket is open.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERPIDFD,
            std::ptr::from_mut(&mut pidfd).cast(),
            &raw mut length,
        )
    };
    if answer != 0 || pidfd < 0 {
        return Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO));
    }
    // SAFETY: the call succeeded, so that `pidfd` is a new descriptor that nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(pidfd) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_programs_name_cannot_forge_its_parent() {
        let rest = "7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 815 9";
        let parsed = |start: &str| Stat::parse(&format!("{start} {rest}"));
        let of_five = Some(Stat { parent: Pid::from_raw(5), begun: 815 });
        assert_eq!(parsed("7 (sh) S 5"), of_five);
        assert_eq!(parsed("7 (a) S 1 () b) S 5"), of_five);
        assert_eq!(parsed("7 (sh) S 0"), Some(Stat { parent: None, begun: 815 }));
        assert_eq!(parsed("7 sh"), None);
        let this = Stat::parse(&fs::read_to_string("/proc/self/stat").unwrap()).unwrap();
        assert_eq!(this.parent, rustix::process::getppid());
    }

    #[test]
    fn a_replaced_file_is_not_named() {
        let place = tempfile::tempdir().unwrap();
        let program = place.path().join("program");
        fs::copy("/bin/sleep", &program).unwrap();
        let mut child = loop {
            match std::process::Command::new(&program).arg("60").spawn() {
                // A process that another test has just begun holds our copy open for writing until it executes.
                Err(cause) if cause.kind() == io::ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                begun => break begun.unwrap(),
            }
        };
        let pid = Pid::from_child(&child);
        let held = Held { pid, pidfd: pidfd_open(pid, PidfdFlags::empty()).unwrap() };
        assert_eq!(held.executable().as_ref(), Some(&program));
        fs::remove_file(&program).unwrap();
        assert_eq!(held.executable(), None);
        fs::copy("/bin/true", &program).unwrap();
        assert_eq!(held.executable(), None);
        child.kill().unwrap();
        assert!(!held.lives().unwrap() || child.wait().is_ok());
    }
}
