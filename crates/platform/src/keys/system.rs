//! The system's entries, one call each.

use keybearer_core::ports::KeyStoreError;
use keyring::Error;
use keyring_core::Entry;
use zeroize::Zeroizing;

use super::pieces::{Answer, Entries};

/// The name under which the keychain shows our entries to the person.
const SERVICE: &str = "com.keybearer.grant.v1";

/// The system's entries, by their bytes: the text calls of some stores are UTF-16 and hold half as much.
pub(super) struct System;

impl Entries for System {
    fn get(&self, name: &str) -> Answer<Option<Zeroizing<Vec<u8>>>> {
        match asked(name, Entry::get_secret) {
            Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
            Err(Error::NoEntry) => Ok(None),
            Err(other) => Err(translated(other)),
        }
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Answer<()> {
        asked(name, |entry| entry.set_secret(bytes)).map_err(translated)
    }

    fn delete(&self, name: &str) -> Answer<()> {
        match asked(name, Entry::delete_credential) {
            Ok(()) | Err(Error::NoEntry) => Ok(()),
            Err(other) => Err(translated(other)),
        }
    }
}

/// Does something with an entry. Where the keychain's own process has ended since it was last asked, and another one is
/// in its place, that one knows nothing of the session that was agreed with the first: it is asked anew, once.
fn asked<T>(name: &str, act: impl Fn(&Entry) -> Result<T, Error>) -> Result<T, Error> {
    let once = || act(&entry(name)?);
    match once() {
        Err(Error::PlatformFailure(_) | Error::NoDefaultStore) if connect() => once(),
        answer => answer,
    }
}

fn entry(name: &str) -> Result<Entry, Error> {
    // The first look chooses the store that this system has; why there is none is told by whoever looks again.
    let _ = keyring::Entry::store_status();
    Entry::new(SERVICE, name)
}

/// Agrees on a new session with the keychain; false where there is none, or none is needed.
#[cfg(target_os = "linux")]
fn connect() -> bool {
    match zbus_secret_service_keyring_store::Store::new() {
        Ok(store) => {
            keyring_core::set_default_store(store);
            true
        }
        Err(cause) => {
            tracing::debug!(%cause, "there is no keychain to connect to");
            false
        }
    }
}

#[cfg(not(target_os = "linux"))]
fn connect() -> bool {
    false
}

/// The texts of these errors name attributes and the system's causes, never the secret: bytes are only in their fields.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library adds variants; all but one are failures")]
fn translated(error: Error) -> KeyStoreError {
    match error {
        Error::NoStorageAccess(_) => KeyStoreError::Locked,
        // Why it could not be chosen is kept beside it and would else be lost.
        Error::NoDefaultStore => match keyring::Entry::store_status() {
            Err(cause) => KeyStoreError::Failed(cause.to_string()),
            Ok(()) => KeyStoreError::Failed(error.to_string()),
        },
        other => KeyStoreError::Failed(other.to_string()),
    }
}
