//! Who knocked at a door, as far as it could be verified.
//!
//! Everything about a caller is worked out once, when it connects; a call only reads it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::name::ClientName;
pub use crate::program::Process;
use crate::program::{Changeable, Stamp};

/// The verified identity of what knocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// It presented this client's key.
    Key,
    /// The operating system named the process at the other end of the socket, and those that started it.
    ///
    /// The first is the program that knocked, or that started the bridge; each next one started the one before.
    Chain(Arc<[Process]>),
}

/// A caller: the registered name, if it has one, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name under which a person or IT registered it.
    pub client: Option<ClientName>,
    /// What the name rests on.
    pub identity: Identity,
    attribution: Option<Attribution>,
    principal: Principal,
}

/// How far a program is known by its process chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Attribution {
    /// Hardly: it is unidentified, or a program that runs or says whatever it is given.
    Weak,
    /// A file that the user could change, known by its hash.
    Medium,
    /// A file that only the system's administrator can change.
    Strong,
}

/// Which client this is, as a key: two connections of one client have the same.
///
/// A registered client is its name. A program is the files of its whole chain; in the place of what is no good name
/// for anybody (an interpreter, a shell, what could not be identified) stands that very process.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Principal([u8; 32]);

impl Caller {
    /// A caller that presented the key of `client`.
    pub fn by_key(client: ClientName) -> Self {
        let principal = Principal::of_client(&client);
        Self { client: Some(client), identity: Identity::Key, attribution: None, principal }
    }

    /// A caller that the system named. `carries` tells of an executable whether it runs or says whatever it is given.
    pub fn by_chain(client: Option<ClientName>, chain: Vec<Process>, carries: impl Fn(&Path) -> bool) -> Self {
        let principal = client.as_ref().map_or_else(|| Principal::of_chain(&chain, &carries), Principal::of_client);
        let attribution = Some(Attribution::of(&chain, &carries));
        Self { client, identity: Identity::Chain(chain.into()), attribution, principal }
    }

    /// The executable of the program itself, where the operating system told it.
    pub fn executable(&self) -> Option<&PathBuf> {
        self.program().and_then(|process| process.executable.as_ref())
    }

    /// The program itself.
    pub fn program(&self) -> Option<&Process> {
        self.chain().first()
    }

    /// The program and what started it; empty for one that has shown a key.
    pub fn chain(&self) -> &[Process] {
        match &self.identity {
            Identity::Key => &[],
            Identity::Chain(chain) => chain,
        }
    }

    /// The process whose end is the program's: the topmost one of those that run the same file, because programs start
    /// themselves again for parts of their work. `None` where no process is known well enough to see its end.
    pub fn root(&self) -> Option<&Process> {
        let first = self.program().filter(|process| process.begun != 0)?;
        let same = |process: &&Process| process.executable.is_some() && process.executable == first.executable;
        self.chain().iter().skip(1).take_while(same).last().or(Some(first))
    }

    /// How far the program is known; `None` for one that has shown a key.
    pub fn attribution(&self) -> Option<Attribution> {
        self.attribution
    }

    /// Which client this is, as a key for sessions, questions and consents.
    pub fn principal(&self) -> Principal {
        self.principal
    }
}

impl Principal {
    /// As it is stored.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// As it was stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// The shortest true name: the registered one, else the executable, else that it is unidentified.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.client, self.executable()) {
            (Some(client), _) => client.fmt(f),
            (None, Some(path)) => path.display().fmt(f),
            (None, None) => f.write_str("an unidentified program"),
        }
    }
}

impl Attribution {
    fn of(chain: &[Process], carries: &impl Fn(&Path) -> bool) -> Self {
        let Some(program) = chain.first() else { return Self::Weak };
        match (named(program, carries), program.changeable) {
            (None, _) => Self::Weak,
            (Some(_), Changeable::ByUser) => Self::Medium,
            (Some(_), Changeable::ByRootOnly) => Self::Strong,
        }
    }

    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Weak => "weak",
            Self::Medium => "medium",
            Self::Strong => "strong",
        }
    }
}

impl Principal {
    fn of_client(name: &ClientName) -> Self {
        let mut hash = Sha256::new();
        add(&mut hash, b"client");
        add(&mut hash, name.as_str().as_bytes());
        Self(hash.finalize().into())
    }

    fn of_chain(chain: &[Process], carries: &impl Fn(&Path) -> bool) -> Self {
        /// Where not even a process is known, nobody is the same as anybody else.
        static STRANGERS: AtomicU64 = AtomicU64::new(0);
        let mut hash = Sha256::new();
        add(&mut hash, b"chain");
        if chain.is_empty() {
            add(&mut hash, &STRANGERS.fetch_add(1, Ordering::Relaxed).to_le_bytes());
        }
        for process in chain {
            add(&mut hash, process.executable.as_deref().map_or(&[], |path| path.as_os_str().as_encoded_bytes()));
            match named(process, carries) {
                Some((_, stamp)) => add_stamp(&mut hash, stamp),
                None => {
                    add(&mut hash, &process.pid.to_le_bytes());
                    add(&mut hash, &process.begun.to_le_bytes());
                }
            }
        }
        Self(hash.finalize().into())
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Principal({a:02x}{b:02x}{c:02x}{d:02x}…)")
    }
}

/// The file that a process is known by, if its name says who it is.
fn named<'a>(process: &'a Process, carries: &impl Fn(&Path) -> bool) -> Option<(&'a Path, &'a Stamp)> {
    let path = process.executable.as_deref().filter(|path| !carries(path))?;
    Some((path, process.file.as_deref()?.stamp()))
}

/// Each part with its length before it: no two lists of parts are one text.
fn add(hash: &mut Sha256, part: &[u8]) {
    hash.update((part.len() as u64).to_le_bytes());
    hash.update(part);
}

fn add_stamp(hash: &mut Sha256, stamp: &Stamp) {
    let Stamp { device, inode, size, modified, changed } = stamp;
    [device, inode, size].iter().for_each(|part| hash.update(part.to_le_bytes()));
    [modified, changed].iter().for_each(|part| hash.update(part.to_le_bytes()));
}

#[cfg(test)]
mod tests;
