//! The clock of the machine.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keybearer_core::ports::Clock;
use keybearer_model::time::{BootTime, Timestamp};

/// The machine's own clock: wall time, and the time since its start with sleep included.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        })
    }

    fn boot(&self) -> BootTime {
        BootTime::from_duration(since_boot())
    }

    fn midnight(&self) -> Timestamp {
        let now = jiff::Zoned::now();
        let next = now.tomorrow().and_then(|tomorrow| tomorrow.start_of_day());
        Timestamp::from_millis(next.map_or_else(|_| now.timestamp(), |next| next.timestamp()).as_millisecond())
    }

    fn awake(&self) -> Duration {
        awake()
    }
}

/// `CLOCK_BOOTTIME` on Linux; on macOS `CLOCK_MONOTONIC`, which there goes on while the machine sleeps.
#[cfg(unix)]
fn since_boot() -> Duration {
    use rustix::time::{ClockId, clock_gettime};
    #[cfg(target_os = "linux")]
    let time = clock_gettime(ClockId::Boottime);
    #[cfg(not(target_os = "linux"))]
    let time = clock_gettime(ClockId::Monotonic);
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// The tick count includes sleep; its 16 ms are fine enough for lifetimes of minutes.
#[cfg(windows)]
#[expect(unsafe_code, reason = "the system is asked by its C interface")]
fn since_boot() -> Duration {
    // SAFETY: the call has no conditions.
    Duration::from_millis(unsafe { windows_sys::Win32::System::SystemInformation::GetTickCount64() })
}

/// `CLOCK_MONOTONIC` on Linux stands still while the machine sleeps; on macOS that is `CLOCK_UPTIME_RAW`, by which its
/// `Instant` goes.
#[cfg(unix)]
fn awake() -> Duration {
    use std::sync::OnceLock;
    use std::time::Instant;
    static BEGINNING: OnceLock<Instant> = OnceLock::new();
    BEGINNING.get_or_init(Instant::now).elapsed()
}

/// Interrupt time without sleep, in steps of 100 ns.
#[cfg(windows)]
#[expect(unsafe_code, reason = "the system is asked by its C interface")]
fn awake() -> Duration {
    let mut time = 0;
    // SAFETY: `time` is a valid place for the answer; the call has no other conditions.
    unsafe { windows_sys::Win32::System::WindowsProgramming::QueryUnbiasedInterruptTime(&raw mut time) };
    Duration::from_nanos(time.saturating_mul(100))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_ends_within_a_day_and_an_hour_of_summer_time() {
        let left = SystemClock.midnight().since(SystemClock.now());
        assert!(left > Duration::ZERO && left <= Duration::from_secs(25 * 3600), "{left:?}");
    }

    #[test]
    fn both_clocks_run() {
        let (wall, boot) = (SystemClock.now(), SystemClock.boot());
        assert!(wall > Timestamp::from_millis(1_700_000_000_000), "{wall}");
        assert!(SystemClock.boot() >= boot && boot > BootTime::from_duration(Duration::ZERO));
        let awake = SystemClock.awake();
        assert!(SystemClock.awake() >= awake);
    }
}
