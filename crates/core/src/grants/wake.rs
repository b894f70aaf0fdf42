//! Whether the machine has slept: then what was known of the network is of before.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use keybearer_model::time::BootTime;

/// Shorter naps change nothing.
const SHORTEST: Duration = Duration::from_secs(30);
/// For so long after sleep, what is not urgent is spread.
const SPREAD: Duration = Duration::from_secs(60);

/// By how much the clock that stands still in sleep lags behind the one that goes on.
#[derive(Default)]
pub(super) struct Wake(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    lag: Option<Duration>,
    woke_at: Option<BootTime>,
}

impl Wake {
    /// Whether the machine has slept since the last time that this was asked: of all who ask, one is told.
    pub(super) fn notice(&self, boot: BootTime, awake: Duration) -> bool {
        let lag = boot.since(BootTime::from_duration(awake));
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slept = seen.lag.is_some_and(|before| lag.saturating_sub(before) > SHORTEST);
        if slept {
            seen.woke_at = Some(boot);
        }
        seen.lag = Some(lag);
        slept
    }

    /// Whether it woke a short while ago.
    pub(super) fn is_recent(&self, boot: BootTime) -> bool {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.woke_at.is_some_and(|woke| boot.since(woke) < SPREAD)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_told_of_each_sleep() {
        let wake = Wake::default();
        let at = |boot: u64, awake: u64| {
            wake.notice(BootTime::from_duration(Duration::from_secs(boot)), Duration::from_secs(awake))
        };
        assert!(!at(1000, 400), "nothing is known of before");
        assert!(!at(1100, 500) && !at(1130, 505), "a nap");
        assert!(at(9000, 510) && !at(9000, 510), "one of two who ask at once");
        assert!(wake.is_recent(BootTime::from_duration(Duration::from_secs(9059))));
        assert!(!wake.is_recent(BootTime::from_duration(Duration::from_secs(9060))));
        assert!(!at(9100, 610) && at(9200, 610));
    }
}
