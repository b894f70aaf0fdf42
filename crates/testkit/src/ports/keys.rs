//! A key store in memory that can be locked, slow, dumb or broken.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use keybearer_core::ports::{KeyStore, KeyStoreError, KeyStoreKind};
use keybearer_model::secret::Secret;
use tokio::sync::watch;

/// Keeps secrets in memory and calls itself the system's keychain, unless told otherwise.
pub struct MemoryKeyStore {
    kept: Mutex<Kept>,
    held: watch::Sender<bool>,
    calls: watch::Sender<usize>,
}

struct Kept {
    entries: BTreeMap<String, Secret>,
    locked: bool,
    hanging: bool,
    failures: VecDeque<KeyStoreError>,
    kind: KeyStoreKind,
}

impl Default for MemoryKeyStore {
    fn default() -> Self {
        let kept = Kept {
            entries: BTreeMap::new(),
            locked: false,
            hanging: false,
            failures: VecDeque::new(),
            kind: KeyStoreKind::System,
        };
        Self { kept: Mutex::new(kept), held: watch::Sender::new(false), calls: watch::Sender::new(0) }
    }
}

impl MemoryKeyStore {
    /// It says that it is of this kind.
    pub fn of_kind(kind: KeyStoreKind) -> Self {
        let store = Self::default();
        store.kept().kind = kind;
        store
    }

    /// From now on it waits for somebody to unlock it.
    pub fn lock(&self) {
        self.kept().locked = true;
    }

    /// Somebody has unlocked it.
    pub fn unlock(&self) {
        self.kept().locked = false;
    }

    /// From now on it does not answer: each call ends as the port says, with a time-out, but without the waiting.
    pub fn hang(&self) {
        self.kept().hanging = true;
    }

    /// It answers again.
    pub fn recover(&self) {
        self.kept().hanging = false;
    }

    /// The next call fails so; calls before the last one in order.
    pub fn fail_next(&self, error: KeyStoreError) {
        self.kept().failures.push_back(error);
    }

    /// It is slow: calls wait until the returned value is dropped.
    pub fn hold(&self) -> HeldKeys<'_> {
        self.held.send_replace(true);
        HeldKeys { store: self }
    }

    /// The names of what is in it.
    pub fn names(&self) -> Vec<String> {
        self.kept().entries.keys().cloned().collect()
    }

    /// How often it was asked for anything.
    pub fn calls(&self) -> usize {
        *self.calls.borrow()
    }

    /// Waits until it was asked `count` times.
    pub async fn until_calls(&self, count: usize) {
        let _ = self.calls.subscribe().wait_for(|calls| *calls >= count).await;
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn admit(&self) -> Result<MutexGuard<'_, Kept>, KeyStoreError> {
        self.calls.send_modify(|calls| *calls += 1);
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        let mut kept = self.kept();
        match kept.failures.pop_front() {
            Some(error) => Err(error),
            None if kept.hanging => Err(KeyStoreError::Timeout),
            None if kept.locked => Err(KeyStoreError::Locked),
            None => Ok(kept),
        }
    }
}

#[async_trait]
impl KeyStore for MemoryKeyStore {
    async fn get(&self, key: &str) -> Result<Option<Secret>, KeyStoreError> {
        Ok(self.admit().await?.entries.get(key).map(Secret::duplicate))
    }

    async fn put(&self, key: &str, secret: &Secret) -> Result<(), KeyStoreError> {
        self.admit().await?.entries.insert(key.to_owned(), secret.duplicate());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KeyStoreError> {
        self.admit().await?.entries.remove(key);
        Ok(())
    }

    fn kind(&self) -> KeyStoreKind {
        self.kept().kind
    }
}

/// The store is slow while this value lives.
pub struct HeldKeys<'store> {
    store: &'store MemoryKeyStore,
}

impl Drop for HeldKeys<'_> {
    fn drop(&mut self) {
        self.store.held.send_replace(false);
    }
}
