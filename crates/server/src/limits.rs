//! How much one client may ask at a time and in a second (SEC-14), so that one that runs wild does not starve the others.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keybearer_core::config::CallLimits;
use keybearer_model::caller::Principal;
use tokio::time::Instant;

/// Streams are open by nature: a client may have so many times as many of them as open calls.
const STREAMS: u32 = 4;

/// For how long a client that was quiet may go on faster than its rate.
const BURST: Duration = Duration::from_secs(10);

/// When so many clients are known, those that do nothing are forgotten.
const MANY: usize = 256;

/// What every client does at the moment.
pub(crate) struct Limits {
    // Held for a look-up, never across an await.
    usage: Mutex<HashMap<Principal, Arc<Usage>>>,
    since: Instant,
}

/// What one client does.
#[derive(Default)]
struct Usage {
    calls: AtomicU32,
    streams: AtomicU32,
    /// The time, in nanoseconds, that its calls so far would have taken at its rate.
    paced: AtomicU64,
}

/// What a request is, for counting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It is answered and over.
    Call,
    /// It stays open.
    Stream,
}

/// A request that is under way: it counts until it is dropped.
pub(crate) struct Pass {
    usage: Arc<Usage>,
    weight: Weight,
}

/// Which limit is in the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TooMuch {
    /// Too many are open.
    Open,
    /// They come too fast.
    Rate,
}

impl TooMuch {
    /// A stable word, to count by.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Open => "open_calls",
            Self::Rate => "calls_per_second",
        }
    }
}

impl Limits {
    pub(crate) fn new() -> Self {
        Self { usage: Mutex::default(), since: Instant::now() }
    }

    /// Lets one more request of this client in, if that is within the limits.
    pub(crate) fn enter(&self, who: Principal, weight: Weight, limits: CallLimits) -> Result<Pass, TooMuch> {
        let usage = self.usage_of(who);
        let (open, most) = match weight {
            Weight::Call => (&usage.calls, limits.open),
            Weight::Stream => (&usage.streams, limits.open.saturating_mul(STREAMS)),
        };
        let admitted = open.fetch_add(1, Ordering::Relaxed) < most;
        let pass = Pass { usage: Arc::clone(&usage), weight };
        if !admitted {
            return Err(TooMuch::Open);
        }
        if usage.is_paced(self.now(), limits.per_second) { Ok(pass) } else { Err(TooMuch::Rate) }
    }

    fn usage_of(&self, who: Principal) -> Arc<Usage> {
        let mut all = self.usage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(usage) = all.get(&who) {
            return Arc::clone(usage);
        }
        if all.len() >= MANY {
            let now = self.now();
            all.retain(|_, usage| Arc::strong_count(usage) > 1 || usage.paced.load(Ordering::Relaxed) > now);
        }
        Arc::clone(all.entry(who).or_default())
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Usage {
    /// Whether one more call keeps to the rate; it is then counted.
    fn is_paced(&self, now: u64, per_second: u32) -> bool {
        let step = 1_000_000_000 / u64::from(per_second.max(1));
        let ahead = u64::try_from(BURST.as_nanos()).unwrap_or(u64::MAX);
        let next = |paced: u64| Some(paced.max(now) + step).filter(|next| next - now <= ahead);
        self.paced.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next).is_ok()
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let open = match self.weight {
            Weight::Call => &self.usage.calls,
            Weight::Stream => &self.usage.streams,
        };
        open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use keybearer_model::caller::Caller;

    use super::*;

    fn who(name: &str) -> Principal {
        Caller::by_key(name.parse().unwrap()).principal()
    }

    #[tokio::test]
    async fn open_requests_of_one_client_are_bounded_and_count_until_they_end() {
        let (limits, few) = (Limits::new(), CallLimits { open: 2, per_second: 1000 });
        let enter = |name, weight| limits.enter(who(name), weight, few);
        let first = enter("one", Weight::Call).unwrap();
        let _second = enter("one", Weight::Call).unwrap();
        assert_eq!(enter("one", Weight::Call).err(), Some(TooMuch::Open));
        let _another = enter("another", Weight::Call).unwrap();
        let streams: Vec<_> = (0..8).map(|_| enter("one", Weight::Stream).unwrap()).collect();
        assert_eq!(enter("one", Weight::Stream).err(), Some(TooMuch::Open));
        drop((first, streams));
        assert!(enter("one", Weight::Call).is_ok() && enter("one", Weight::Stream).is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_a_flood_does_not() {
        let (limits, rate) = (Limits::new(), CallLimits { open: 10, per_second: 100 });
        let enter = |name| limits.enter(who(name), Weight::Call, rate);
        for _ in 0..1000 {
            assert!(enter("one").is_ok());
        }
        assert_eq!(enter("one").err(), Some(TooMuch::Rate));
        assert!(enter("another").is_ok());
        tokio::time::advance(Duration::from_secs(1)).await;
        assert_eq!((0..200).filter(|_| enter("one").is_ok()).count(), 100);
    }

    #[tokio::test(start_paused = true)]
    async fn clients_that_do_nothing_are_forgotten() {
        let (limits, rate) = (Limits::new(), CallLimits { open: 1, per_second: 1000 });
        let _busy = limits.enter(who("busy"), Weight::Call, rate).unwrap();
        for number in 0..10 * MANY {
            tokio::time::advance(Duration::from_millis(10)).await;
            drop(limits.enter(who(&format!("client-{number}")), Weight::Call, rate));
        }
        assert!(limits.usage.lock().unwrap().len() <= MANY);
        assert_eq!(limits.enter(who("busy"), Weight::Call, rate).err(), Some(TooMuch::Open));
    }
}
