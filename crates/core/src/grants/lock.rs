//! One file a grant: locked while it is renewed, so that no two processes send one refresh token, and written before the
//! token goes out, so that whoever comes after a crash knows that an answer may be missing (SEC-41, SEC-43).
//!
//! It holds no secret. It need not be cleared durably: an intent counts only for the generation that it names.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use keybearer_model::name::GrantId;
use keybearer_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How often a lock that somebody else has is asked for.
const EVERY: Duration = Duration::from_millis(25);
/// How often in all: whoever renews is done in half a minute.
const TIMES: u32 = 1200;

/// The right to renew one grant, until it is dropped.
pub(super) struct Lock {
    file: Arc<File>,
    intent: Option<Intent>,
}

/// An attempt that was begun: the answer to it is missing as long as this stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) grant: GrantId,
    /// The generation whose refresh token was sent.
    pub(super) generation: u64,
    /// How often it was sent.
    pub(super) attempt: u32,
    /// When last.
    pub(super) at: Timestamp,
}

impl Lock {
    /// Waits for the lock of a grant, half a minute at most.
    pub(super) async fn take(folder: &Path, id: &GrantId) -> io::Result<Self> {
        let path = path(folder, id);
        let file = blocking(move || open(&path)).await?;
        for _ in 0..TIMES {
            match file.try_lock() {
                Ok(()) => {
                    let reader = Arc::clone(&file);
                    let intent = blocking(move || Ok(read(&reader))).await?;
                    return Ok(Self { file, intent });
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(EVERY).await,
                Err(TryLockError::Error(cause)) => return Err(cause),
            }
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "another Keybearer is renewing this sign-in"))
    }

    /// Whether an attempt with this generation has no answer yet.
    pub(super) async fn interrupted(folder: &Path, id: &GrantId, generation: u64) -> bool {
        match Self::take(folder, id).await {
            Ok(lock) => lock.intent(generation).is_some(),
            Err(_) => false,
        }
    }

    /// The attempt with this generation that has no answer.
    pub(super) fn intent(&self, generation: u64) -> Option<&Intent> {
        self.intent.as_ref().filter(|intent| intent.generation == generation)
    }

    /// Writes down that a refresh token goes out now. `Ok` means that it is on the disk.
    pub(super) async fn intend(&mut self, intent: Intent) -> io::Result<()> {
        let (file, text) = (Arc::clone(&self.file), serde_json::to_vec(&intent)?);
        self.intent = Some(intent);
        blocking(move || {
            write(&file, &text)?;
            file.sync_all()
        })
        .await
    }

    /// The answer is there, and kept; or nothing was sent.
    pub(super) async fn clear(&mut self) {
        self.intent = None;
        let file = Arc::clone(&self.file);
        if let Err(cause) = blocking(move || write(&file, b"")).await {
            tracing::warn!(%cause, "the note of a renewal could not be cleared");
        }
    }
}

fn path(folder: &Path, id: &GrantId) -> PathBuf {
    folder.join(format!("{id}.lock"))
}

fn open(path: &Path) -> io::Result<Arc<File>> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).truncate(false).read(true).write(true).open(path).map(Arc::new)
}

fn read(mut file: &File) -> Option<Intent> {
    let mut text = Vec::new();
    file.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn write(mut file: &File, text: &[u8]) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text)
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> GrantId {
        GrantId::derive("https://idp.test", "app", "dana", "https://crm.test/mcp")
    }

    #[tokio::test]
    async fn sec_41_one_renews_at_a_time_and_the_next_one_sees_what_was_left_open() {
        let folder = tempfile::tempdir().unwrap();
        let mut first = Lock::take(folder.path(), &id()).await.unwrap();
        let intent = Intent { grant: id(), generation: 4, attempt: 1, at: Timestamp::from_millis(7) };
        first.intend(intent.clone()).await.unwrap();
        let folder_of_second = folder.path().to_owned();
        let second = tokio::spawn(async move { Lock::take(&folder_of_second, &id()).await });
        tokio::task::yield_now().await;
        assert!(!second.is_finished(), "somebody else renews");
        drop(first);
        let mut second = second.await.unwrap().unwrap();
        assert_eq!((second.intent(4), second.intent(5)), (Some(&intent), None));
        second.clear().await;
        drop(second);
        assert!(!Lock::interrupted(folder.path(), &id(), 4).await);
    }

    #[tokio::test]
    async fn a_note_that_broke_off_says_nothing() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(path(folder.path(), &id()), "{\"grant\":\"00").unwrap();
        let lock = Lock::take(folder.path(), &id()).await.unwrap();
        assert_eq!(lock.intent, None);
    }
}
