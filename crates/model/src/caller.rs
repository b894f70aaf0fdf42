//! Who knocked at a door, as far as it could be verified.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::name::ClientName;

/// One process of a caller's chain, as the operating system names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    /// Process id at the time of the check; never used to look anything up later.
    pub pid: u32,
    /// The executable's path; absent where the system would not tell.
    pub executable: Option<PathBuf>,
}

/// The verified identity of what knocked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Identity {
    /// It presented this client's key.
    Key,
    /// The operating system named the process at the other end of the socket, and those that started it.
    ///
    /// The first is the program that started the bridge; each next one started the one before.
    Chain(Arc<[Process]>),
}

/// A caller: the registered name, if it has one, and what proves it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The name under which a person or IT registered it.
    pub client: Option<ClientName>,
    /// What the name rests on.
    pub identity: Identity,
}

impl Caller {
    /// A caller that presented the key of `client`.
    pub fn by_key(client: ClientName) -> Self {
        Self { client: Some(client), identity: Identity::Key }
    }

    /// The executable of the program itself, where the operating system told it.
    pub fn executable(&self) -> Option<&PathBuf> {
        match &self.identity {
            Identity::Key => None,
            Identity::Chain(chain) => chain.first().and_then(|process| process.executable.as_ref()),
        }
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
