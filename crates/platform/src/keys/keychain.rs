//! The operating system's keychain: Secret Service, Credential Manager, Keychain Services.
//!
//! One thread of our own talks to it, one call after the other: some stores do not keep the order of parallel calls, and
//! a store that hangs (a prompt that nobody answers) must hold up neither the executor nor the end of the process.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use keybearer_core::ports::{KeyStore, KeyStoreError, KeyStoreKind};
use keybearer_model::secret::Secret;
use tokio::sync::oneshot;
use zeroize::Zeroizing;

use super::pieces::{Answer, Pieces};
use super::system::System;

/// How long one call may take, its waiting for its turn included.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much one entry may hold: the Credential Manager takes 2,560 bytes, the others what they are given.
const LARGEST: usize = if cfg!(windows) { 2_400 } else { usize::MAX };
/// The text of the entry that [`Keychain::probe`] writes.
const PROBE: &str = "keybearer looks whether this keychain works";

/// The operating system's keychain.
#[derive(Debug)]
pub struct Keychain {
    calls: mpsc::Sender<Call>,
}

/// What the thread is asked to do. A caller that no longer waits has dropped its end of the answer.
enum Call {
    Get(String, oneshot::Sender<Answer<Option<Secret>>>),
    Put(String, Secret, oneshot::Sender<Answer<()>>),
    Delete(String, oneshot::Sender<Answer<()>>),
}

impl Keychain {
    /// Makes the keychain ready for calls. Nothing is asked of it yet.
    pub fn open() -> Self {
        let (calls, waiting) = mpsc::channel::<Call>();
        let work = move || {
            for call in waiting {
                answer(call);
            }
        };
        // Without the thread every call fails with its reason, which is what a missing keychain looks like anyway.
        if let Err(cause) = thread::Builder::new().name("keychain".into()).spawn(work) {
            tracing::warn!(%cause, "no thread for the keychain");
        }
        Self { calls }
    }

    /// Whether the keychain works, by writing, reading and deleting an entry: only that tells a locked or absent one.
    pub async fn probe(&self) -> Result<(), KeyStoreError> {
        let key = format!("probe/{}", std::process::id());
        self.put(&key, &Secret::new(PROBE.into())).await?;
        let back = self.get(&key).await?;
        self.delete(&key).await?;
        match back {
            Some(text) if text.matches(PROBE) => Ok(()),
            Some(_) | None => Err(KeyStoreError::Failed("what was stored did not come back".into())),
        }
    }

    async fn ask<T>(&self, call: impl FnOnce(oneshot::Sender<Answer<T>>) -> Call) -> Answer<T> {
        let (sender, receiver) = oneshot::channel();
        let gone = || KeyStoreError::Failed("its thread has ended".into());
        self.calls.send(call(sender)).map_err(|_| gone())?;
        match tokio::time::timeout(PATIENCE, receiver).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(gone())),
            Err(_) => Err(KeyStoreError::Timeout),
        }
    }
}

/// Whether this machine has a keychain that works: writes, reads and deletes an entry.
pub async fn probe() -> Result<(), KeyStoreError> {
    Keychain::open().probe().await
}

#[async_trait]
impl KeyStore for Keychain {
    async fn get(&self, key: &str) -> Result<Option<Secret>, KeyStoreError> {
        self.ask(|answer| Call::Get(key.to_owned(), answer)).await
    }

    async fn put(&self, key: &str, secret: &Secret) -> Result<(), KeyStoreError> {
        self.ask(|answer| Call::Put(key.to_owned(), secret.duplicate(), answer)).await
    }

    async fn delete(&self, key: &str) -> Result<(), KeyStoreError> {
        self.ask(|answer| Call::Delete(key.to_owned(), answer)).await
    }

    fn kind(&self) -> KeyStoreKind {
        KeyStoreKind::System
    }
}

/// Does what was asked, unless nobody waits for it any more: a write that was given up must not happen later.
fn answer(call: Call) {
    let keys = Pieces { entries: System, largest: LARGEST };
    match call {
        Call::Get(_, answer) if answer.is_closed() => {}
        Call::Put(_, _, answer) | Call::Delete(_, answer) if answer.is_closed() => {}
        Call::Get(key, answer) => drop(answer.send(keys.get(&key).and_then(text))),
        Call::Put(key, secret, answer) => drop(answer.send(keys.put(&key, secret.expose().as_bytes()))),
        Call::Delete(key, answer) => drop(answer.send(keys.delete(&key))),
    }
}

fn text(bytes: Option<Zeroizing<Vec<u8>>>) -> Answer<Option<Secret>> {
    let Some(bytes) = bytes else { return Ok(None) };
    let text = std::str::from_utf8(&bytes).map_err(|_| KeyStoreError::Torn)?;
    Ok(Some(Secret::new(text.to_owned())))
}
