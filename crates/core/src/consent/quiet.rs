//! Who has been refused so often that the person is not asked for a while.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use keybearer_model::caller::Caller;
use keybearer_model::name::ClientName;
use keybearer_model::time::BootTime;

/// Refusals, or questions left unanswered, after which a caller is not asked about.
const STRIKES: usize = 3;

/// Within this time; and for so long afterwards.
const SPELL: Duration = Duration::from_secs(5 * 60);

/// Whose questions are counted together. Registered clients count for themselves; all other programs count as one, because
/// a program that wants to tire a person out can come under as many names as it likes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Crowd(Option<ClientName>);

impl Crowd {
    pub(super) fn of(caller: &Caller) -> Self {
        Self(caller.client.clone())
    }
}

/// The latest refusals of each crowd.
#[derive(Default)]
pub(super) struct Quiet(HashMap<Crowd, VecDeque<BootTime>>);

impl Quiet {
    /// Notes a refusal.
    pub(super) fn strike(&mut self, crowd: &Crowd, now: BootTime) {
        let strikes = self.0.entry(crowd.clone()).or_default();
        strikes.push_back(now);
        if strikes.len() > STRIKES {
            strikes.pop_front();
        }
    }

    /// Notes a yes: whoever is answered is not tiring anybody.
    pub(super) fn forgive(&mut self, crowd: &Crowd) {
        self.0.remove(crowd);
    }

    /// Whether the person is to be left in peace by this crowd.
    pub(super) fn is_kept(&self, crowd: &Crowd, now: BootTime) -> bool {
        let Some(strikes) = self.0.get(crowd) else { return false };
        let (Some(first), Some(last)) = (strikes.front(), strikes.back()) else { return false };
        strikes.len() == STRIKES && last.since(*first) < SPELL && now.since(*last) < SPELL
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> BootTime {
        BootTime::from_duration(Duration::from_secs(seconds))
    }

    #[test]
    fn three_refusals_in_five_minutes_are_enough_for_five_minutes() {
        let (mut quiet, crowd, other) = (Quiet::default(), Crowd(None), Crowd("chat-app".parse().ok()));
        for second in [0, 10] {
            quiet.strike(&crowd, at(second));
            assert!(!quiet.is_kept(&crowd, at(second)));
        }
        quiet.strike(&crowd, at(299));
        assert!(quiet.is_kept(&crowd, at(299)) && quiet.is_kept(&crowd, at(598)));
        assert!(!quiet.is_kept(&crowd, at(599)) && !quiet.is_kept(&other, at(299)));
        quiet.forgive(&crowd);
        assert!(!quiet.is_kept(&crowd, at(300)));
    }

    #[test]
    fn refusals_that_lie_apart_are_no_nuisance() {
        let (mut quiet, crowd) = (Quiet::default(), Crowd(None));
        for minute in 0..20 {
            quiet.strike(&crowd, at(minute * 151));
            assert!(!quiet.is_kept(&crowd, at(minute * 151)), "{minute}");
        }
    }
}
