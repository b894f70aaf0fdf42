//! Secrets in the key store: grants, static headers, client secrets, under names that tell nothing.

mod slots;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use keybearer_model::grant::Grant;
use keybearer_model::name::{GrantId, ServerName};
use keybearer_model::secret::Secret;
use keybearer_model::url::Issuer;
use sha2::{Digest, Sha256};

pub use self::slots::Slot;
use self::slots::Slots;

use crate::ports::{KeyStore, KeyStoreError, KeyStoreKind};

/// The key store as the core uses it.
#[derive(Clone)]
pub struct Custody {
    keys: Arc<dyn KeyStore>,
    /// Names carry a hash of machine and home folder, so that two installations never rotate one grant under two locks:
    /// a keychain may travel with the person, and so may a home folder.
    namespace: Arc<str>,
}

impl Custody {
    /// Custody in `keys` for the installation whose state lies at `home` on the machine of this name.
    pub fn new(keys: Arc<dyn KeyStore>, home: &str, machine: &str) -> Self {
        let mut digest = Sha256::new();
        for part in [home, machine] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let namespace = digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { keys, namespace: namespace.into() }
    }

    /// What the key store is.
    pub fn kind(&self) -> KeyStoreKind {
        self.keys.kind()
    }

    fn name(&self, what: &str, which: &str) -> String {
        format!("{}/{what}/{which}", self.namespace)
    }

    fn slots(&self, id: &GrantId) -> Slots<'_> {
        Slots { keys: &*self.keys, name: self.name("grant", id.as_str()) }
    }

    /// The newest whole record of this grant.
    pub async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, KeyStoreError> {
        Ok(self.slots(id).head().await?.map(|kept| kept.grant))
    }

    /// Stores a grant beside the record that is there and reads it back: `Ok` means that the store gave the same bytes
    /// again (SEC-40). Where the store holds as high a generation already, the grant's becomes the next one after it.
    ///
    /// Returns where it lies now: the other record is to be removed, by [`Custody::tidy_grant`].
    pub async fn put_grant(&self, grant: &mut Grant) -> Result<Slot, KeyStoreError> {
        let id = grant.facts.id.clone();
        self.slots(&id).put(grant).await
    }

    /// Removes the record that `newest` has replaced.
    pub async fn tidy_grant(&self, id: &GrantId, newest: Slot) -> Result<(), KeyStoreError> {
        self.slots(id).remove(newest.other()).await
    }

    /// Deletes a grant unless a newer generation of it is kept, which is somebody else's (SEC-44).
    pub async fn delete_grant(&self, id: &GrantId, generation: u64) -> Result<(), KeyStoreError> {
        let slots = self.slots(id);
        match slots.head().await? {
            Some(kept) if kept.grant.generation > generation => Ok(()),
            Some(_) | None => slots.remove_both().await,
        }
    }

    /// The secret value of a server's static header.
    pub async fn header(&self, server: &ServerName) -> Result<Option<Secret>, KeyStoreError> {
        self.keys.get(&self.name("header", server.as_str())).await
    }

    /// Keeps the secret value of a server's static header.
    pub async fn put_header(&self, server: &ServerName, value: &Secret) -> Result<(), KeyStoreError> {
        self.keys.put(&self.name("header", server.as_str()), value).await
    }

    /// The secret of a pre-registered client.
    pub async fn client_secret(&self, server: &ServerName) -> Result<Option<Secret>, KeyStoreError> {
        self.keys.get(&self.name("client", server.as_str())).await
    }

    /// Keeps the secret of a pre-registered client.
    pub async fn put_client_secret(&self, server: &ServerName, value: &Secret) -> Result<(), KeyStoreError> {
        self.keys.put(&self.name("client", server.as_str()), value).await
    }

    /// The secret of a client that we registered at `issuer`.
    pub async fn registration_secret(&self, issuer: &Issuer, client: &str) -> Result<Option<Secret>, KeyStoreError> {
        self.keys.get(&self.name("registration", &registered(issuer, client))).await
    }

    /// Keeps the secret of a client that we registered at `issuer`.
    pub async fn put_registration_secret(
        &self,
        issuer: &Issuer,
        client: &str,
        value: &Secret,
    ) -> Result<(), KeyStoreError> {
        self.keys.put(&self.name("registration", &registered(issuer, client)), value).await
    }

    /// Forgets the secret of a client that we registered at `issuer`.
    pub async fn forget_registration(&self, issuer: &Issuer, client: &str) -> Result<(), KeyStoreError> {
        self.keys.delete(&self.name("registration", &registered(issuer, client))).await
    }

    /// Forgets what belongs to a server itself: its header and its client secret.
    pub async fn forget_server(&self, server: &ServerName) -> Result<(), KeyStoreError> {
        self.keys.delete(&self.name("header", server.as_str())).await?;
        self.keys.delete(&self.name("client", server.as_str())).await
    }
}

/// A name for a client at an issuer, as short as a key store wants it.
fn registered(issuer: &Issuer, client: &str) -> String {
    GrantId::derive(issuer.as_str(), client, "", "registration").as_str().to_owned()
}
