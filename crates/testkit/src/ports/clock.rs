//! A clock that goes when it is told to.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use keybearer_core::ports::Clock;
use keybearer_model::time::{BootTime, Timestamp};

/// 2026-11-21, nine o'clock in the morning, UTC.
const MORNING: Timestamp = Timestamp::from_millis(1_795_251_600_000);
/// How long the machine has been running by then.
const UPTIME: Duration = Duration::from_secs(3 * 3600);

/// Stands still until a test advances it. Begins on 2026-11-21 at 09:00 UTC, three hours after the machine's start.
#[derive(Debug, Default)]
pub struct ManualClock {
    passed: Mutex<Passed>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Passed {
    by_the_wall: Duration,
    since_boot: Duration,
    awake: Duration,
}

impl ManualClock {
    /// Lets time pass, on the wall and since the start.
    pub fn advance(&self, span: Duration) {
        self.change(|passed| {
            passed.by_the_wall += span;
            passed.since_boot += span;
            passed.awake += span;
        });
    }

    /// The machine sleeps for so long.
    pub fn sleep(&self, span: Duration) {
        self.change(|passed| {
            passed.by_the_wall += span;
            passed.since_boot += span;
        });
    }

    /// Somebody sets the clock on the wall forward: no time passes.
    pub fn set_wall_forward(&self, span: Duration) {
        self.change(|passed| passed.by_the_wall += span);
    }

    fn change(&self, change: impl FnOnce(&mut Passed)) {
        change(&mut self.passed.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn passed(&self) -> Passed {
        *self.passed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        MORNING + self.passed().by_the_wall
    }

    fn boot(&self) -> BootTime {
        BootTime::from_duration(UPTIME + self.passed().since_boot)
    }

    /// Where time is UTC.
    fn midnight(&self) -> Timestamp {
        const DAY: i64 = 24 * 3_600_000;
        let now = self.now().as_millis();
        Timestamp::from_millis(now - now.rem_euclid(DAY) + DAY)
    }

    fn awake(&self) -> Duration {
        self.passed().awake
    }
}
