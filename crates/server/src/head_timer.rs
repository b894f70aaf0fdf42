//! The time that a client may take for a request's head, by one timer for all requests of a connection.
//!
//! HTTP sets a time limit for each head and drops it when the head has come. A timer of its own for each would be put
//! among all others and taken out again; here it stays, and is looked after only when it has run out.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// Makes the time limits of one connection.
#[derive(Clone, Default)]
pub(crate) struct HeadTimer(Arc<Shared>);

// Held for a look, by the one task that serves the connection.
type Shared = Mutex<Option<Pin<Box<tokio::time::Sleep>>>>;

struct Limit {
    timer: HeadTimer,
    due: Instant,
}

impl Timer for HeadTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(self.now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Limit { timer: self.clone(), due: deadline })
    }

    fn now(&self) -> Instant {
        tokio::time::Instant::now().into()
    }
}

impl Sleep for Limit {}

impl Future for Limit {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut timer = self.timer.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = self.due.into();
        let sleep = timer.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(due)));
        if due < sleep.deadline() {
            sleep.as_mut().reset(due);
        }
        loop {
            ready!(sleep.as_mut().poll(context));
            if sleep.deadline() >= due {
                return Poll::Ready(());
            }
            // It was set for an earlier head.
            sleep.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn each_limit_ends_at_its_own_time_and_not_at_an_earlier_one_s() {
        let (timer, begun) = (HeadTimer::default(), tokio::time::Instant::now());
        let mut first = timer.sleep(30 * SECOND);
        assert!(tokio::time::timeout(SECOND, &mut first).await.is_err());
        drop(first);
        tokio::time::sleep(20 * SECOND).await;
        timer.sleep(30 * SECOND).await;
        assert_eq!(begun.elapsed().as_secs(), 51);
        timer.sleep(SECOND).await;
        assert_eq!(begun.elapsed().as_secs(), 52, "a shorter one behind a longer one");
        let long = timer.sleep(30 * SECOND);
        assert!(tokio::time::timeout(SECOND, long).await.is_err());
        timer.sleep(2 * SECOND).await;
        assert_eq!(begun.elapsed().as_secs(), 55, "a shorter one while the timer of a longer one still runs");
    }
}
