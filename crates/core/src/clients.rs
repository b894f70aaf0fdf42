//! The registered clients as the way of a call reads them: an immutable snapshot, looked up by key or executable.
//!
//! Whether a program is a registered client is decided once for each connection, without reading a file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use arc_swap::ArcSwapOption;
use keybearer_model::caller::Caller;
use keybearer_model::name::{ClientName, ServerName};
use keybearer_model::program::{Changeable, Pin, Process, ProgramFile};
use keybearer_model::secret;
use keybearer_model::time::Timestamp;
use tokio::sync::watch;

use crate::carriers::is_carrier;
use crate::store::StoredClient;

/// What a client key begins with, so that a leaked one can be recognised.
pub const KEY_PREFIX: &str = "kb_";

/// A registered client.
#[derive(Debug)]
pub struct Registered {
    /// What is stored of it.
    pub stored: StoredClient,
    /// The caller that its key proves; made once, so that a call allocates none.
    pub caller: Arc<Caller>,
    revoked: watch::Sender<bool>,
    /// Milliseconds since the Unix epoch; 0 while it has not come since this core started.
    seen: AtomicI64,
    /// What its program is known by now: the stored hash, and the file that last had it.
    pin: ArcSwapOption<Pin>,
    changed: AtomicBool,
}

/// Whether a program is the one that was registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recognition {
    /// It is.
    Same,
    /// Another one is in its place.
    Changed,
    /// Its file is another one, whose hash is not known yet: until then it is not the client.
    Unsure,
}

impl Registered {
    fn new(stored: StoredClient) -> Arc<Self> {
        let caller = Arc::new(Caller::by_key(stored.name.clone()));
        let pin = ArcSwapOption::from_pointee(stored.pin);
        let (revoked, seen, changed) = (watch::Sender::new(false), AtomicI64::new(0), AtomicBool::new(false));
        Arc::new(Self { stored, caller, revoked, seen, pin, changed })
    }

    /// Whether `program`, which runs from the registered path, is the registered one. What only the system's
    /// administrator can change is, whatever its hash: that is how programs are updated.
    pub fn recognise(&self, program: &Process) -> Recognition {
        let Some(pin) = self.pin.load_full() else { return Recognition::Same };
        if program.changeable == Changeable::ByRootOnly {
            return Recognition::Same;
        }
        let Some(file) = &program.file else { return Recognition::Unsure };
        if *file.stamp() == pin.stamp { Recognition::Same } else { self.recognise_file(file) }
    }

    /// The same by the hash of a file, as far as that is known by now.
    pub(crate) fn recognise_file(&self, file: &ProgramFile) -> Recognition {
        match (self.pin.load_full(), file.digest()) {
            (Some(pin), Some(digest)) if pin.sha256 == digest => Recognition::Same,
            (Some(_), Some(_)) => Recognition::Changed,
            (Some(_), None) => Recognition::Unsure,
            (None, _) => Recognition::Same,
        }
    }

    /// Notes what its program is known by from now on.
    pub(crate) fn pin(&self, pin: Pin) {
        self.pin.store(Some(Arc::new(pin)));
        self.changed.store(false, Ordering::Relaxed);
    }

    /// Whether it is known by this very file.
    pub(crate) fn has_file(&self, file: &ProgramFile) -> bool {
        self.pin.load().as_ref().is_some_and(|pin| pin.stamp == *file.stamp())
    }

    /// Notes that another program is in its place; true if that is news.
    pub(crate) fn note_changed(&self) -> bool {
        !self.changed.swap(true, Ordering::Relaxed)
    }

    /// Whether another program was found in the place of the registered one.
    pub fn is_changed(&self) -> bool {
        self.changed.load(Ordering::Relaxed)
    }

    /// Whether it may use `server` at all.
    pub fn may_use(&self, server: &ServerName) -> bool {
        self.stored.servers.is_empty() || self.stored.servers.contains(server)
    }

    /// Whether it is revoked by now.
    pub fn is_revoked(&self) -> bool {
        *self.revoked.borrow()
    }

    /// Turns true when the client is revoked: open streams end with it (SEC-12).
    pub fn revoked(&self) -> watch::Receiver<bool> {
        self.revoked.subscribe()
    }

    /// Notes that it has come.
    pub(crate) fn see(&self, now: Timestamp) {
        self.seen.store(now.as_millis(), Ordering::Relaxed);
    }

    /// When it last came since this core started.
    pub fn last_seen(&self) -> Option<Timestamp> {
        let seen = self.seen.load(Ordering::Relaxed);
        (seen != 0).then(|| Timestamp::from_millis(seen))
    }

    /// When it was registered.
    pub fn since(&self) -> Timestamp {
        self.stored.since
    }
}

/// A snapshot of all registered clients.
#[derive(Debug, Default)]
pub struct Clients {
    by_name: HashMap<ClientName, Arc<Registered>>,
    by_key: HashMap<[u8; 32], Arc<Registered>>,
    by_program: HashMap<PathBuf, Arc<Registered>>,
}

impl Clients {
    /// The snapshot of what is stored.
    pub fn load(stored: Vec<StoredClient>) -> Self {
        stored.into_iter().map(Registered::new).fold(Self::default(), Self::insert)
    }

    fn insert(mut self, client: Arc<Registered>) -> Self {
        if let Some(digest) = client.stored.key_digest {
            self.by_key.insert(digest, Arc::clone(&client));
        }
        if let Some(program) = &client.stored.program {
            self.by_program.insert(program.into(), Arc::clone(&client));
        }
        self.by_name.insert(client.stored.name.clone(), client);
        self
    }

    /// The snapshot with one more client.
    pub fn with(&self, stored: StoredClient) -> Self {
        self.by_name.values().map(Arc::clone).fold(Self::default(), Self::insert).insert(Registered::new(stored))
    }

    /// The snapshot without a client; whoever still holds that one learns that it is revoked.
    pub fn without(&self, name: &ClientName) -> Self {
        if let Some(client) = self.by_name.get(name) {
            client.revoked.send_replace(true);
        }
        let others = self.by_name.values().filter(|client| client.stored.name != *name);
        others.map(Arc::clone).fold(Self::default(), Self::insert)
    }

    /// The client that holds this key. Keys have 256 bits of entropy and are looked up by their SHA-256, so that the
    /// time it takes tells nothing of a key.
    pub fn by_key(&self, presented: &str) -> Option<&Arc<Registered>> {
        self.by_key.get(&secret::digest(presented))
    }

    /// The client of this name.
    pub fn by_name(&self, name: &ClientName) -> Option<&Arc<Registered>> {
        self.by_name.get(name)
    }

    /// The client whose registered path this program runs from, and whether it is the one that was registered.
    pub fn by_program(&self, program: &Process) -> Option<(&Arc<Registered>, Recognition)> {
        let registered = self.by_program.get(program.executable.as_deref()?)?;
        Some((registered, registered.recognise(program)))
    }

    /// The caller that a verified process chain stands for, and its registration if it has one.
    pub fn by_chain(&self, chain: Vec<Process>) -> (Arc<Caller>, Option<Arc<Registered>>) {
        let registered = match chain.first().and_then(|program| self.by_program(program)) {
            Some((registered, Recognition::Same)) => Some(Arc::clone(registered)),
            Some((_, Recognition::Changed | Recognition::Unsure)) | None => None,
        };
        let client = registered.as_ref().map(|client| client.stored.name.clone());
        (Arc::new(Caller::by_chain(client, chain, is_carrier)), registered)
    }

    /// Those that are known by a program.
    pub fn programs(&self) -> impl Iterator<Item = (&Path, &Arc<Registered>)> {
        self.by_program.iter().map(|(path, client)| (path.as_path(), client))
    }

    /// Whether any client holds a key that is meant for a container, so that the container door is needed (SEC-17).
    pub fn any_for_containers(&self) -> bool {
        self.by_key.values().any(|client| client.stored.container)
    }

    /// Whether any client holds a key, so that the HTTP door is needed (SEC-01).
    pub fn any_key(&self) -> bool {
        !self.by_key.is_empty()
    }

    /// All of them, by name.
    pub fn sorted(&self) -> Vec<&Arc<Registered>> {
        let mut all: Vec<_> = self.by_name.values().collect();
        all.sort_by(|a, b| a.stored.name.cmp(&b.stored.name));
        all
    }
}

#[cfg(test)]
mod tests;
