//! Who is at the other end of a socket: the process, and the programs that started it.
//!
//! Linux: the kernel names the peer by a pidfd, and every link of the chain is checked while both of its processes live
//! (SEC-10); the file that each of them runs is known by the process's own handle on it, and who can change it by its
//! owner and modes. Windows: process handles do the same. Elsewhere the user is known and the programs are not: the chain is
//! empty, which policy treats as an unidentified program.

use std::io;
use std::path::Path;

use keybearer_model::program::Process;

use crate::local::Stream;

#[cfg(unix)]
mod files;
mod life;
#[cfg(target_os = "linux")]
#[path = "peer/linux.rs"]
mod system;
#[cfg(windows)]
#[path = "peer/windows.rs"]
mod system;
#[cfg(not(any(target_os = "linux", windows)))]
#[path = "peer/elsewhere.rs"]
mod system;

pub use life::{begun_at, ended};
#[cfg(windows)]
pub(crate) use system::same_user;

/// How far back a chain is followed.
const LONGEST: usize = 16;

/// The process at the other end, as the operating system tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// The process itself; for messages, never to look anything up by. Zero where the system does not tell.
    pub pid: u32,
    /// The same with its program. What comes through a bridge begins above it instead: the bridge is ours.
    pub itself: Process,
    /// The program that started the peer, the one that started that, and so on; the system's first process excluded.
    pub chain: Vec<Process>,
}

impl Peer {
    /// The chain of a program that has connected by itself: it comes first, then who started it, and so on.
    pub fn whole_chain(self) -> Vec<Process> {
        std::iter::once(self.itself).chain(self.chain).collect()
    }
}

/// Identifies the process at the other end of `stream`.
///
/// Reads a few small files of the system; asks nobody and waits for nothing.
pub fn identify(stream: &Stream) -> Result<Peer, PeerError> {
    system::identify(stream.socket())
}

/// What is known of the program at `path`, with its hash where the system tells one file from another.
///
/// Reads the whole file: not on the way of anything that somebody waits for.
///
/// # Errors
/// If it is not there or cannot be read, and if it is a script: a script is run by its interpreter, and that is what
/// the system names.
pub fn program(path: &Path) -> Result<Process, ProgramError> {
    #[cfg(unix)]
    let file = Some(files::program(path)?);
    #[cfg(not(unix))]
    let file = None;
    Ok(Process { file, ..look(path)? })
}

/// The same without reading the file: its hash is there only if it was computed before.
///
/// # Errors
/// If it is not there, or may not be read.
pub fn look(path: &Path) -> io::Result<Process> {
    #[cfg(unix)]
    let (file, changeable) = (Some(files::Seen::at(path)?.file), files::changeable(path));
    #[cfg(not(unix))]
    let (file, changeable) = (std::fs::metadata(path).map(|_| None)?, Process::default().changeable);
    Ok(Process { executable: Some(path.to_owned()), file, changeable, ..Process::default() })
}

/// Why a file cannot be known as a client's program.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Failed(#[from] io::Error),
    /// It is a script.
    #[error("it is a script, and the system names what runs it instead")]
    Script,
}

/// Why nobody can be named.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// It is not our user's process.
    #[error("the process belongs to another user")]
    Foreign,
    /// It ended, or one that started it did, while they were looked at: what was read may be about others.
    #[error("the process ended before it could be identified")]
    Gone,
    /// The system does not answer.
    #[error("the process cannot be identified: {0}")]
    Failed(#[from] io::Error),
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
