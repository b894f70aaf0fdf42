//! The person can stop all access at once; it stays stopped over restarts until the person allows it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Broker, ChangeError, blocking};
use crate::audit::Event;
use crate::store::{Store, StoreError};

/// Under what name the state database remembers it.
const SETTING: &str = "access_stopped";

/// Whether calls are judged at all.
pub(super) struct Access {
    stopped: AtomicBool,
}

impl Access {
    /// As it was left.
    pub(super) fn load(store: &Store) -> Result<Self, StoreError> {
        let stopped = store.setting(SETTING)?.is_some_and(|value| value == "1");
        Ok(Self { stopped: AtomicBool::new(stopped) })
    }
}

impl Broker {
    /// Whether the person has stopped all access.
    pub fn is_stopped(&self) -> bool {
        self.0.access.stopped.load(Ordering::Acquire)
    }

    /// Refuses every call from now on, also those that wait for an answer or a sign-in.
    ///
    /// # Errors
    /// If it could not be saved; calls are refused all the same until this core ends.
    pub async fn stop_access(&self) -> Result<(), ChangeError> {
        self.0.access.stopped.store(true, Ordering::Release);
        self.access_changed(Event::AccessStopped);
        self.remember("1").await
    }

    /// Judges calls again as before.
    ///
    /// # Errors
    /// If it could not be saved; access stays stopped then.
    pub async fn resume_access(&self) -> Result<(), ChangeError> {
        self.remember("0").await?;
        self.0.access.stopped.store(false, Ordering::Release);
        self.access_changed(Event::AccessResumed);
        Ok(())
    }

    fn access_changed(&self, event: Event) {
        self.0.trail.event(event);
        self.touch();
    }

    async fn remember(&self, value: &'static str) -> Result<(), ChangeError> {
        let store = Arc::clone(&self.0.store);
        blocking(move || store.set(SETTING, value)).await
    }
}
