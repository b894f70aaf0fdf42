//! One grant in the key store: two slots, each a record with a generation and a digest of the rest (SEC-37).
//!
//! A record is written into the slot that does not hold the newest one, so that a write that breaks off leaves that
//! whole. Whoever reads takes the highest generation among the records that are whole.

use keybearer_model::grant::{Grant, GrantFacts};
use keybearer_model::secret::{self, Secret};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::ports::{KeyStore, KeyStoreError};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The one.
    A,
    /// The other.
    B,
}

impl Slot {
    pub(super) fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// The two slots of one grant.
pub(super) struct Slots<'custody> {
    pub(super) keys: &'custody dyn KeyStore,
    pub(super) name: String,
}

/// A whole record and where it lies.
pub(super) struct Kept {
    pub(super) slot: Slot,
    pub(super) grant: Grant,
}

/// What a record says, after its digest.
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

impl Slots<'_> {
    fn entry(&self, slot: Slot) -> String {
        format!("{}/{slot:?}", self.name)
    }

    /// The newest whole record. A record that is not whole counts as absent; a store that does not answer does not.
    pub(super) async fn head(&self) -> Result<Option<Kept>, KeyStoreError> {
        let mut head: Option<Kept> = None;
        for slot in [Slot::A, Slot::B] {
            let text = match self.keys.get(&self.entry(slot)).await {
                Ok(Some(text)) => text,
                Ok(None) | Err(KeyStoreError::Torn) => continue,
                Err(error @ (KeyStoreError::Locked | KeyStoreError::Timeout | KeyStoreError::Failed(_))) => {
                    return Err(error);
                }
            };
            let Some(grant) = read(&text) else { continue };
            if head.as_ref().is_none_or(|kept| kept.grant.generation < grant.generation) {
                head = Some(Kept { slot, grant });
            }
        }
        Ok(head)
    }

    /// Writes `grant` into the slot that does not hold the newest record, and reads it back.
    pub(super) async fn put(&self, grant: &mut Grant) -> Result<Slot, KeyStoreError> {
        let head = self.head().await?;
        let slot = head.as_ref().map_or(Slot::A, |kept| kept.slot.other());
        if let Some(kept) = head.filter(|kept| kept.grant.generation >= grant.generation) {
            grant.generation = kept.grant.generation + 1;
        }
        let (name, record) = (self.entry(slot), written(grant)?);
        self.keys.put(&name, &record).await?;
        match self.keys.get(&name).await? {
            Some(back) if back.matches(record.expose()) => Ok(slot),
            Some(_) | None => Err(KeyStoreError::Failed("what was stored did not come back".into())),
        }
    }

    pub(super) async fn remove(&self, slot: Slot) -> Result<(), KeyStoreError> {
        self.keys.delete(&self.entry(slot)).await
    }

    pub(super) async fn remove_both(&self) -> Result<(), KeyStoreError> {
        let one = self.remove(Slot::A).await;
        self.remove(Slot::B).await.and(one)
    }
}

/// A record as text: the digest of the rest, a space, the rest.
fn written(grant: &Grant) -> Result<Secret, KeyStoreError> {
    let reveal = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.expose().to_owned());
    let record = Record {
        v: 2,
        generation: grant.generation,
        facts: grant.facts.clone(),
        client_secret: reveal(&grant.client_secret),
        refresh_token: reveal(&grant.refresh_token),
    };
    let rest = serde_json::to_string(&record).map_err(|cause| KeyStoreError::Failed(cause.to_string()))?;
    let rest = Zeroizing::new(rest);
    Ok(Secret::new(format!("{} {}", digest(&rest), *rest)))
}

fn read(text: &Secret) -> Option<Grant> {
    let (claimed, rest) = text.expose().split_once(' ')?;
    let record = (claimed == digest(rest)).then(|| serde_json::from_str::<Record>(rest).ok())??;
    Some(Grant {
        facts: record.facts,
        client_secret: record.client_secret.map(Secret::new),
        refresh_token: record.refresh_token.map(Secret::new),
        generation: record.generation,
    })
}

fn digest(rest: &str) -> String {
    secret::digest(rest).iter().map(|byte| format!("{byte:02x}")).collect()
}
