//! When a program began, and that it has ended.

#[cfg(any(test, not(target_os = "linux")))]
use std::time::Duration;
use std::time::SystemTime;

use keybearer_model::program::{Process, ProcessId};

use super::system;

/// How often a system that tells no end is asked for it.
#[cfg(not(target_os = "linux"))]
const LOOKING: Duration = Duration::from_secs(2);

/// Waits until this very process has ended. One that cannot be watched has.
pub async fn ended(process: ProcessId) {
    #[cfg(target_os = "linux")]
    system::ended(process).await;
    #[cfg(not(target_os = "linux"))]
    while system::lives(process) {
        tokio::time::sleep(LOOKING).await;
    }
}

/// When the program began, where the system tells it.
pub fn begun_at(process: &Process) -> Option<SystemTime> {
    (process.begun != 0).then(|| system::time_of(process.begun)).flatten()
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
