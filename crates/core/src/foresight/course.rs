//! When a sign-in will end, and when its person is told so: from what the issuer says, what is set, and what was seen.
//!
//! Pure: the times are arguments. Days matter here, so that the wall clock does.

use std::time::Duration;

use keybearer_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// From so long before its end on, a sign-in is shown as one that ends.
pub(crate) const SHOWN: Duration = Duration::from_secs(24 * 3600);

/// How long after telling somebody of an end nobody is told of one again.
const QUIET: Duration = Duration::from_secs(24 * 3600);

/// One sign-in is an accident, two are a habit.
const HABIT: usize = 2;

/// The end of a sign-in, and how it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreseen {
    /// When it ends.
    pub at: Timestamp,
    /// How that is known.
    pub by: Evidence,
}

/// How an end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// The issuer said so when it last gave a refresh token.
    Issuer,
    /// The person or IT set how long a sign-in lasts, or its kind is known to.
    Set,
    /// Earlier sign-ins there lasted so long.
    Experience,
}

/// What is known of one grant's life.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Course {
    /// When the issuer said that it ends.
    #[serde(default)]
    pub(crate) said: Option<Timestamp>,
    /// When it last was certainly good.
    #[serde(default)]
    pub(crate) good_at: Option<Timestamp>,
    /// When its person was last told of its end.
    #[serde(default)]
    pub(crate) told_at: Option<Timestamp>,
}

impl Course {
    /// When the sign-in of `signed_in_at` ends; `set` is its life where that is known beforehand, `lives` are those of
    /// earlier ones there.
    pub(crate) fn end(&self, signed_in_at: Timestamp, set: Option<Duration>, lives: &[Duration]) -> Option<Foreseen> {
        let said = self.said.map(|at| Foreseen { at, by: Evidence::Issuer });
        let set = set.map(|life| Foreseen { at: signed_in_at + life, by: Evidence::Set });
        let surest = match (said, set) {
            // What an issuer says can begin anew with each renewal; what is set does not.
            (Some(said), Some(set)) => Some(if said.at < set.at { said } else { set }),
            (said, set) => said.or(set),
        };
        surest.or_else(|| Some(Foreseen { at: signed_in_at + habit(lives)?, by: Evidence::Experience }))
    }

    /// Whether the person is to be told now that it ends.
    pub(crate) fn is_due(&self, end: Foreseen, now: Timestamp) -> bool {
        is_near(end, now) && self.told_at.is_none_or(|told| now.since(told) >= QUIET)
    }
}

/// Whether an end is shown: it is near, and not over.
pub(crate) fn is_near(end: Foreseen, now: Timestamp) -> bool {
    now < end.at && end.at.since(now) <= SHOWN
}

/// How long sign-ins usually last there: the one in the middle, so that one that was cut short says nothing.
fn habit(lives: &[Duration]) -> Option<Duration> {
    let mut lives = lives.to_vec();
    lives.sort_unstable();
    (lives.len() >= HABIT).then(|| lives.get((lives.len() - 1) / 2).copied()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_795_251_600_000);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn hours(hours: u64) -> Duration {
        Duration::from_secs(hours * 3600)
    }

    #[test]
    fn the_surest_word_counts() {
        let said = Course { said: Some(START + hours(10)), ..Course::default() };
        let silent = Course::default();
        let end = |course: &Course, set: Option<u64>, lives: &[u64]| {
            let lives: Vec<_> = lives.iter().map(|life| hours(*life)).collect();
            course.end(START, set.map(hours), &lives).map(|end| (end.at.since(START).as_secs() / 3600, end.by))
        };
        assert_eq!(end(&said, None, &[5, 5]), Some((10, Evidence::Issuer)));
        assert_eq!(end(&said, Some(8), &[]), Some((8, Evidence::Set)));
        assert_eq!(end(&said, Some(12), &[]), Some((10, Evidence::Issuer)));
        assert_eq!(end(&silent, Some(72), &[5, 5]), Some((72, Evidence::Set)));
        assert_eq!(end(&silent, None, &[]), None);
        assert_eq!(end(&silent, None, &[70]), None);
        assert_eq!(end(&silent, None, &[70, 71]), Some((70, Evidence::Experience)));
        assert_eq!(end(&silent, None, &[71, 3, 70]), Some((70, Evidence::Experience)));
    }

    #[test]
    fn an_end_is_shown_for_a_day_and_told_once() {
        let end = Foreseen { at: START + DAY * 3, by: Evidence::Issuer };
        let mut course = Course::default();
        assert!(!is_near(end, START + DAY) && is_near(end, START + DAY * 2) && !is_near(end, START + DAY * 3));
        assert!(!course.is_due(end, START + DAY));
        assert!(course.is_due(end, START + DAY * 2));
        course.told_at = Some(START + DAY * 2);
        let later = (1..=24).map(|hour| START + DAY * 2 + hours(hour));
        assert!(later.into_iter().all(|now| !course.is_due(end, now)));
    }
}
