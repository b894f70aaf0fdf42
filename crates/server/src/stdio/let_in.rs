//! That a person has let a conversation begin, and how long that counts (SEC-11).

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keybearer_core::admission::Session;
use keybearer_model::caller::{Attribution, Caller};
use keybearer_model::consent::{LONGEST_IDLE, LONGEST_SESSION};
use keybearer_model::time::BootTime;

/// When it began and when it was last used, in milliseconds since the machine started; 0 before the first message.
#[derive(Debug, Default)]
pub(super) struct LetIn {
    begun: AtomicU64,
    used: AtomicU64,
}

impl LetIn {
    /// Whether something went upstream already, so that the person has let it in once.
    pub(super) fn has_begun(&self) -> bool {
        self.used.load(Ordering::Relaxed) != 0
    }

    /// Whether that still counts.
    pub(super) fn session(&self, caller: &Caller, now: BootTime) -> Session {
        let since = |time: &AtomicU64| now.since(at(time.load(Ordering::Relaxed)));
        let idle = match caller.attribution() {
            Some(Attribution::Weak) => since(&self.used) >= LONGEST_IDLE,
            Some(Attribution::Medium | Attribution::Strong) | None => false,
        };
        if self.has_begun() && !idle && since(&self.begun) < LONGEST_SESSION {
            Session::LetIn
        } else {
            Session::Unasked
        }
    }

    /// Notes that a message was let pass, in a session that stood like this before it.
    pub(super) fn note(&self, before: Session, now: BootTime) {
        let millis = u64::try_from(now.since(at(0)).as_millis()).unwrap_or(u64::MAX).max(1);
        match before {
            Session::Unasked => self.begun.store(millis, Ordering::Relaxed),
            Session::LetIn | Session::Looking => {}
        }
        self.used.store(millis, Ordering::Relaxed);
    }
}

fn at(millis: u64) -> BootTime {
    BootTime::from_duration(Duration::from_millis(millis))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sec_11_a_program_that_is_hardly_known_is_asked_about_again_after_ten_idle_minutes() {
        let weak = Caller::by_chain(None, Vec::new(), |_| false);
        let known = Caller::by_key("chat-app".parse().unwrap());
        let let_in = LetIn::default();
        let begun = Duration::from_secs(500);
        let session = |caller: &Caller, after: Duration| let_in.session(caller, BootTime::from_duration(begun + after));
        assert_eq!(session(&weak, Duration::ZERO), Session::Unasked);
        let_in.note(Session::Unasked, BootTime::from_duration(begun));
        let nearly = LONGEST_IDLE - Duration::from_millis(1);
        assert_eq!((session(&weak, nearly), session(&weak, LONGEST_IDLE)), (Session::LetIn, Session::Unasked));
        assert_eq!(session(&known, LONGEST_IDLE), Session::LetIn);
        let_in.note(Session::LetIn, BootTime::from_duration(begun + nearly));
        assert_eq!(session(&weak, LONGEST_IDLE), Session::LetIn);
        assert_eq!(session(&known, LONGEST_SESSION), Session::Unasked, "twelve hours are the most for everybody");
        let_in.note(Session::Unasked, BootTime::from_duration(begun + LONGEST_SESSION));
        assert_eq!(session(&weak, LONGEST_SESSION + nearly), Session::LetIn);
    }
}
