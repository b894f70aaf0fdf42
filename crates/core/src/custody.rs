//! Secrets in the key store: grants, static headers, client secrets. One entry each, under a name that tells nothing.

use std::sync::Arc;

use keybearer_model::grant::{Grant, GrantFacts};
use keybearer_model::name::{GrantId, ServerName};
use keybearer_model::secret::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::ports::{KeyStore, KeyStoreError, KeyStoreKind};

/// The key store as the core uses it.
#[derive(Clone)]
pub struct Custody {
    keys: Arc<dyn KeyStore>,
    /// Names carry a hash of the home folder, so that two installations never rotate one grant under two locks.
    namespace: Arc<str>,
}

/// A grant as the key store holds it.
#[derive(Serialize, Deserialize)]
struct Record {
    v: u32,
    generation: u64,
    facts: GrantFacts,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
}

impl Custody {
    /// Custody in `keys` for the installation whose state lies at `home`.
    pub fn new(keys: Arc<dyn KeyStore>, home: &str) -> Self {
        let digest = Sha256::digest(home.as_bytes());
        let namespace = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect::<String>();
        Self { keys, namespace: namespace.into() }
    }

    /// What the key store is.
    pub fn kind(&self) -> KeyStoreKind {
        self.keys.kind()
    }

    fn name(&self, what: &str, which: &str) -> String {
        format!("{}/{what}/{which}", self.namespace)
    }

    /// The grant of this id. A record that does not parse counts as absent: it can serve nobody.
    pub async fn grant(&self, id: &GrantId) -> Result<Option<Grant>, KeyStoreError> {
        let Some(text) = self.keys.get(&self.name("grant", id.as_str())).await? else { return Ok(None) };
        let Ok(record) = serde_json::from_str::<Record>(text.expose()) else { return Ok(None) };
        Ok(Some(Grant {
            facts: record.facts,
            client_secret: record.client_secret.map(Secret::new),
            refresh_token: record.refresh_token.map(Secret::new),
            generation: record.generation,
        }))
    }

    /// Stores a grant and reads it back: `Ok` means that the store gave the same bytes again (SEC-40).
    pub async fn put_grant(&self, grant: &Grant) -> Result<(), KeyStoreError> {
        let reveal = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
        let record = Record {
            v: 1,
            generation: grant.generation,
            facts: grant.facts.clone(),
            client_secret: reveal(&grant.client_secret),
            refresh_token: reveal(&grant.refresh_token),
        };
        let text = serde_json::to_string(&record).map_err(|cause| KeyStoreError::Failed(cause.to_string()))?;
        let (name, secret) = (self.name("grant", grant.facts.id.as_str()), Secret::new(text));
        self.keys.put(&name, &secret).await?;
        match self.keys.get(&name).await? {
            Some(back) if back.matches(secret.expose()) => Ok(()),
            Some(_) | None => Err(KeyStoreError::Failed("what was stored did not come back".into())),
        }
    }

    /// Deletes a grant if it is still of `generation`: a newer one is somebody else's (SEC-44).
    pub async fn delete_grant(&self, id: &GrantId, generation: u64) -> Result<(), KeyStoreError> {
        match self.grant(id).await? {
            Some(kept) if kept.generation != generation => Ok(()),
            Some(_) | None => self.keys.delete(&self.name("grant", id.as_str())).await,
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

    /// Forgets what belongs to a server itself: its header and its client secret.
    pub async fn forget_server(&self, server: &ServerName) -> Result<(), KeyStoreError> {
        self.keys.delete(&self.name("header", server.as_str())).await?;
        self.keys.delete(&self.name("client", server.as_str())).await
    }
}
