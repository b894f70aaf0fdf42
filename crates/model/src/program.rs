//! What is known of the program that a process runs: which file it is, who can change that, and in time its hash.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

/// One process of a caller's chain, as the operating system names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Process id at the time of the check; never used to look anything up later.
    pub pid: u32,
    /// When it began, in the system's own unit: with `pid` it is this process and no later one. 0 where unknown.
    pub begun: u64,
    /// The executable's path, without links; absent where the system would not tell, or where the path now leads to
    /// another file than the one that runs.
    pub executable: Option<PathBuf>,
    /// The file that it runs, where the system lets it be opened.
    pub file: Option<Arc<ProgramFile>>,
    /// Who can put another program in its place.
    pub changeable: Changeable,
}

/// One process and no later one of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessId {
    /// Its number.
    pub pid: u32,
    /// When it began, in the system's own unit.
    pub begun: u64,
}

impl Process {
    /// This process and no later one.
    pub fn id(&self) -> ProcessId {
        ProcessId { pid: self.pid, begun: self.begun }
    }
}

/// Who can change a program, or put another one in its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Changeable {
    /// The system's administrator alone: file and folders are theirs, and no one else may write there.
    ByRootOnly,
    /// The user too, or it is not known.
    #[default]
    ByUser,
}

/// A file that a process runs. The same file is the same value for every process that runs it.
#[derive(Debug)]
pub struct ProgramFile {
    stamp: Stamp,
    digest: OnceLock<Option<Digest>>,
}

/// Which file, in which state: none of its user can change the content and leave all five as they are, except on a
/// file system that the user himself provides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Stamp {
    /// The device that it lies on.
    pub device: u64,
    /// Its number there.
    pub inode: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When its content last changed, in nanoseconds since the Unix epoch; anybody who may write to it can set this.
    pub modified: i64,
    /// When anything about it last changed; only the system sets this.
    pub changed: i64,
}

/// What a client's program is known by: its content, and the file that had it, which says so without being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pin {
    /// The SHA-256 of the program.
    pub sha256: Digest,
    /// A file that is known to have it.
    pub stamp: Stamp,
}

/// SHA-256 of a program file.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Digest(pub [u8; 32]);

impl ProgramFile {
    /// A file whose hash is not known yet.
    pub fn new(stamp: Stamp) -> Self {
        Self { stamp, digest: OnceLock::new() }
    }

    /// Which file, in which state.
    pub fn stamp(&self) -> &Stamp {
        &self.stamp
    }

    /// Its SHA-256, if that has been computed by now.
    pub fn digest(&self) -> Option<Digest> {
        self.digest.get().copied().flatten()
    }

    /// Waits until its SHA-256 is known, or known to be out of reach. Blocks: never on the way of a call.
    pub fn wait_for_digest(&self) -> Option<Digest> {
        *self.digest.wait()
    }

    /// Sets what its SHA-256 is; `None` where it cannot be told. The first word counts.
    pub fn settle(&self, digest: Option<Digest>) {
        let _ = self.digest.set(digest);
    }
}

/// Not 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SHA-256 has 64 hexadecimal digits")]
pub struct InvalidDigest;

impl FromStr for Digest {
    type Err = InvalidDigest;
    fn from_str(text: &str) -> Result<Self, InvalidDigest> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(InvalidDigest);
        }
        for (place, byte) in bytes.iter_mut().enumerate() {
            let pair = text.get(place * 2..place * 2 + 2).ok_or(InvalidDigest)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| InvalidDigest)?;
        }
        Ok(Self(bytes))
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

impl PartialEq for ProgramFile {
    fn eq(&self, other: &Self) -> bool {
        self.stamp == other.stamp
    }
}

impl Eq for ProgramFile {}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_survives_being_written_down() {
        let stamp = Stamp { device: 1, inode: 2, size: 3, modified: -4, changed: 5 };
        let pin = Pin { sha256: Digest([0xa7; 32]), stamp };
        let text = serde_json::to_string(&pin).unwrap();
        assert!(text.contains(&"a7".repeat(32)));
        assert_eq!(serde_json::from_str::<Pin>(&text).unwrap(), pin);
        for wrong in ["", "a7", &"+f".repeat(32), &"é".repeat(32)] {
            assert_eq!(wrong.parse::<Digest>(), Err(InvalidDigest));
        }
    }
}
