//! Secrets in memory only: they end with the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use keybearer_core::ports::{KeyStore, KeyStoreError, KeyStoreKind};
use keybearer_model::secret::Secret;

/// A key store that forgets everything when the process ends.
#[derive(Debug)]
pub struct MemoryKeys {
    kind: KeyStoreKind,
    // A task of its own would be worse: nothing is awaited while this is held.
    entries: Mutex<BTreeMap<String, Secret>>,
}

impl MemoryKeys {
    /// An empty store; `kind` says whether it was chosen or is there for want of a keychain.
    pub fn new(kind: KeyStoreKind) -> Self {
        Self { kind, entries: Mutex::default() }
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, Secret>) -> T) -> T {
        // A panic elsewhere cannot leave a map half changed.
        act(&mut self.entries.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[async_trait]
impl KeyStore for MemoryKeys {
    async fn get(&self, key: &str) -> Result<Option<Secret>, KeyStoreError> {
        Ok(self.with(|entries| entries.get(key).map(Secret::duplicate)))
    }

    async fn put(&self, key: &str, secret: &Secret) -> Result<(), KeyStoreError> {
        self.with(|entries| entries.insert(key.to_owned(), secret.duplicate()));
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KeyStoreError> {
        self.with(|entries| entries.remove(key));
        Ok(())
    }

    fn kind(&self) -> KeyStoreKind {
        self.kind
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keeps_replaces_and_forgets() {
        let keys = MemoryKeys::new(KeyStoreKind::MemoryByChoice);
        assert!(keys.get("a").await.unwrap().is_none());
        for value in ["cAnArY-1", "cAnArY-2"] {
            keys.put("a", &Secret::new(value.into())).await.unwrap();
            assert!(keys.get("a").await.unwrap().unwrap().matches(value));
        }
        keys.delete("a").await.unwrap();
        keys.delete("a").await.unwrap();
        assert!(keys.get("a").await.unwrap().is_none());
        assert_eq!(keys.kind(), KeyStoreKind::MemoryByChoice);
    }
}
