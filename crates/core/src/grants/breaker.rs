//! When an issuer that did not answer is asked again: by one at a time, after a while that grows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::HeaderMap;
use http::header::{DATE, RETRY_AFTER};
use keybearer_model::time::{BootTime, Timestamp};

/// The longest wait after the first failure; it doubles with each.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait of all, where the issuer does not ask for more.
const LONGEST: Duration = Duration::from_secs(300);
/// What an issuer may ask for at most.
const MOST: Duration = Duration::from_secs(3600);

/// What is known of one issuer's answers to renewals.
#[derive(Default)]
pub(super) struct Breaker(Mutex<Line>);

/// The line to an issuer: whole, or broken since its first failure.
#[derive(Default)]
enum Line {
    #[default]
    Whole,
    Broken(Broken),
}

struct Broken {
    failures: u32,
    outage: Outage,
    /// Until then nobody tries.
    until: BootTime,
    /// Somebody tries.
    probing: bool,
}

/// An issuer that does not answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Outage {
    /// What happened last.
    pub(super) detail: String,
    /// When it began.
    pub(super) since: Timestamp,
}

impl Breaker {
    fn line(&self) -> MutexGuard<'_, Line> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody need wait any longer for what happened before: the next one tries at once.
    pub(super) fn forget(&self) {
        if let Line::Broken(broken) = &mut *self.line() {
            broken.until = BootTime::from_duration(Duration::ZERO);
        }
    }

    /// Lets somebody try, or says at once why nobody does.
    pub(super) fn admit(self: &Arc<Self>, now: BootTime) -> Result<Probe, Outage> {
        match &mut *self.line() {
            Line::Whole => {}
            Line::Broken(broken) if broken.probing || now < broken.until => return Err(broken.outage.clone()),
            Line::Broken(broken) => broken.probing = true,
        }
        Ok(Probe(Arc::clone(self)))
    }
}

/// An attempt that was let through. Dropped without a word, it says nothing of the issuer.
pub(super) struct Probe(Arc<Breaker>);

impl Probe {
    /// The issuer answered.
    pub(super) fn answered(self) {
        *self.0.line() = Line::Whole;
    }

    /// It did not. `wait` is what it asked for itself; `chance`, from 0 to 1, spreads those who wait.
    pub(super) fn failed(
        self,
        detail: String,
        clock: (Timestamp, BootTime),
        wait: Option<Duration>,
        chance: f64,
    ) -> Outage {
        let mut line = self.0.line();
        let (failures, since) = match &*line {
            Line::Whole => (1, clock.0),
            Line::Broken(broken) => (broken.failures.saturating_add(1), broken.outage.since),
        };
        let outage = Outage { detail, since };
        let until = clock.1 + pause(failures, chance).max(wait.unwrap_or_default().min(MOST));
        *line = Line::Broken(Broken { failures, outage: outage.clone(), until, probing: false });
        outage
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        if let Line::Broken(broken) = &mut *self.0.line() {
            broken.probing = false;
        }
    }
}

/// How long to wait after so many failures: full jitter, anything up to a bound that doubles.
pub(super) fn pause(failures: u32, chance: f64) -> Duration {
    let bound = FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1).min(16))).min(LONGEST);
    bound.mul_f64(chance.clamp(0.0, 1.0))
}

/// What an answer asks for (RFC 9110 §10.2.3): seconds, or a date, which is read by the clock of who wrote it.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let asked = text(RETRY_AFTER)?.trim();
    if let Ok(seconds) = asked.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let theirs = text(DATE).and_then(Timestamp::from_http_date).unwrap_or(now);
    Some(Timestamp::from_http_date(asked)?.since(theirs))
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: Timestamp = Timestamp::from_millis(1_795_251_600_000);

    fn boot(seconds: u64) -> BootTime {
        BootTime::from_duration(Duration::from_secs(seconds))
    }

    fn fail(breaker: &Arc<Breaker>, second: u64, wait: Option<u64>) -> Outage {
        let clock = (WALL + Duration::from_secs(second), boot(second));
        breaker.admit(boot(second)).unwrap().failed("status 502".into(), clock, wait.map(Duration::from_secs), 1.0)
    }

    #[test]
    fn one_tries_while_the_others_are_told_since_when() {
        let breaker = Arc::<Breaker>::default();
        let (one, two) = (breaker.admit(boot(0)).unwrap(), breaker.admit(boot(0)).unwrap());
        drop((one, two));
        let outage = fail(&breaker, 0, None);
        assert_eq!(outage.since, WALL);
        assert_eq!(breaker.admit(boot(0)).err(), Some(outage.clone()));
        let probe = breaker.admit(boot(1)).unwrap();
        assert_eq!(breaker.admit(boot(9)).err(), Some(outage), "somebody tries already");
        drop(probe);
        assert_eq!(fail(&breaker, 9, None).since, WALL, "it goes on since the first failure");
        assert!(breaker.admit(boot(10)).is_err() && breaker.admit(boot(11)).is_ok());
        breaker.admit(boot(11)).unwrap().answered();
        assert_eq!(fail(&breaker, 20, None).since, WALL + Duration::from_secs(20));
    }

    #[test]
    fn waits_grow_to_five_minutes_and_chance_spreads_them() {
        let bounds: Vec<_> = (1..=12).map(|failures| pause(failures, 1.0).as_secs()).collect();
        assert_eq!(bounds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        assert_eq!((pause(u32::MAX, 0.5).as_secs(), pause(7, 0.0)), (150, Duration::ZERO));
    }

    #[test]
    fn what_the_issuer_asks_for_is_kept_up_to_an_hour() {
        let breaker = Arc::<Breaker>::default();
        fail(&breaker, 0, Some(120));
        assert!(breaker.admit(boot(119)).is_err());
        fail(&breaker, 120, Some(1_000_000));
        assert!(breaker.admit(boot(120 + 3599)).is_err() && breaker.admit(boot(120 + 3600)).is_ok());
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_by_their_clock() {
        let check = |date: Option<&str>, asked: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, asked.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            retry_after(&headers, WALL).map(|wait| wait.as_secs())
        };
        assert_eq!(check(None, "120"), Some(120));
        assert_eq!(check(None, "Sat, 21 Nov 2026 09:01:00 GMT"), Some(60));
        let theirs = Some("Sat, 21 Nov 2026 10:00:30 GMT");
        assert_eq!(check(theirs, "Sat, 21 Nov 2026 10:01:00 GMT"), Some(30));
        assert_eq!(check(None, "Fri, 20 Nov 2026 09:01:00 GMT"), Some(0));
        assert_eq!((check(None, "soon"), check(None, "-5")), (None, None));
        assert_eq!(retry_after(&HeaderMap::new(), WALL), None);
    }
}
