//! Records that are in words already, one behind the other, without their place in the chain.
//!
//! A record is put into words where it arose, by the thread that has all it speaks of in its cache, and frees it; what
//! goes to the writer are bytes in one buffer, in which a record costs no allocation.

use std::collections::VecDeque;

use keybearer_model::time::Timestamp;

use super::{Entry, Event};

/// What an empty buffer keeps of its room.
const ROOM: usize = 256 << 10;

/// So many records that are through are taken out of the buffer in one go.
const MANY: usize = 4096;

/// A record's words: one JSON object.
pub(super) struct Words(Vec<u8>);

impl Words {
    /// Of this entry.
    pub(super) fn of(entry: &Entry) -> Self {
        let mut words = Self(Vec::new());
        words.say(entry);
        words
    }

    /// Empty ones, to say something with again and again.
    pub(super) const fn none() -> Self {
        Self(Vec::new())
    }

    /// Says this entry, and nothing of what was said before.
    pub(super) fn say(&mut self, entry: &Entry) {
        self.0.clear();
        if serde_json::to_writer(&mut self.0, entry).is_err() {
            // Nothing that is recorded can be without words; if it could, the trail would say that something is missing.
            tracing::error!("a record of the audit trail has no words");
            self.0.clear();
            self.0.extend_from_slice(br#"{"event":"lost","records":1}"#);
        }
    }
}

/// Some records, the oldest first.
#[derive(Default)]
pub(super) struct Records {
    words: Vec<u8>,
    /// Of each record its time, and where its words end.
    ends: VecDeque<(Timestamp, usize)>,
    /// Where the words of the first one begin.
    begin: usize,
    /// How many went before it, which are in the buffer still.
    through: usize,
}

impl Records {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// When the first one came.
    pub(super) fn oldest(&self) -> Option<Timestamp> {
        self.ends.front().map(|(time, _)| *time)
    }

    /// When the last one came.
    pub(super) fn newest(&self) -> Option<Timestamp> {
        self.ends.back().map(|(time, _)| *time)
    }

    /// Adds one.
    pub(super) fn push(&mut self, time: Timestamp, words: &Words) {
        self.words.extend_from_slice(&words.0);
        self.ends.push_back((time, self.words.len()));
    }

    /// Puts an event before all others.
    pub(super) fn push_before(&mut self, time: Timestamp, event: Event) {
        let mut all = Self::default();
        all.push(time, &Words::of(&Entry::Event(event)));
        all.append(self);
        *self = all;
    }

    /// Takes all of `others` to its end.
    pub(super) fn append(&mut self, others: &mut Self) {
        if self.is_empty() {
            std::mem::swap(self, others);
            others.clear();
            return;
        }
        let moved = self.words.len();
        self.words.extend_from_slice(others.words.get(others.begin..).unwrap_or_default());
        let begin = others.begin;
        self.ends.extend(others.ends.iter().map(|(time, end)| (*time, end - begin + moved)));
        others.clear();
    }

    /// Each with its time.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Timestamp, &[u8])> {
        let mut begin = self.begin;
        self.ends.iter().map(move |(time, end)| {
            let words = self.words.get(begin..*end).unwrap_or_default();
            begin = *end;
            (*time, words)
        })
    }

    /// Lets the first `count` go.
    pub(super) fn drop_first(&mut self, count: usize) {
        let count = count.min(self.len());
        if let Some((_, end)) = self.ends.drain(..count).next_back() {
            self.begin = end;
            self.through += count;
        }
        if self.is_empty() {
            self.clear();
        } else if self.through >= MANY {
            self.words.drain(..self.begin);
            self.ends.iter_mut().for_each(|(_, end)| *end -= self.begin);
            (self.begin, self.through) = (0, 0);
        }
    }

    /// Lets all go.
    fn clear(&mut self) {
        self.words.clear();
        self.words.shrink_to(ROOM);
        self.ends.clear();
        self.ends.shrink_to(ROOM / 256);
        (self.begin, self.through) = (0, 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lost(records: u64) -> Words {
        Words::of(&Entry::Event(Event::Lost { records }))
    }

    fn said(records: &Records) -> Vec<(i64, String)> {
        let text = |words: &[u8]| String::from_utf8_lossy(words).replace(r#"{"event":"lost","records":"#, "");
        records.iter().map(|(time, words)| (time.as_millis(), text(words).replace('}', ""))).collect()
    }

    fn some(numbers: std::ops::Range<u64>) -> Records {
        let mut records = Records::default();
        for number in numbers {
            records.push(Timestamp::from_millis(number.cast_signed()), &lost(number));
        }
        records
    }

    fn want(numbers: impl IntoIterator<Item = u64>) -> Vec<(i64, String)> {
        numbers.into_iter().map(|number| (number.cast_signed(), number.to_string())).collect()
    }

    #[test]
    fn records_stay_in_their_order_whatever_goes_before_them_and_is_put_behind() {
        let mut records = some(0..5);
        records.drop_first(2);
        let mut others = some(5..9);
        others.drop_first(1);
        records.append(&mut others);
        assert!(others.is_empty());
        assert_eq!(said(&records), want([2, 3, 4, 6, 7, 8]));
        records.push_before(Timestamp::from_millis(1), Event::Lost { records: 1 });
        assert_eq!(said(&records), want([1, 2, 3, 4, 6, 7, 8]));
        assert_eq!(
            (records.oldest(), records.newest()),
            (Some(Timestamp::from_millis(1)), Some(Timestamp::from_millis(8)))
        );
        records.drop_first(100);
        assert!(records.is_empty() && records.oldest().is_none());
    }

    #[test]
    fn what_is_through_does_not_stay_in_memory() {
        let mut records = some(0..10);
        for number in 10..200_000_u64 {
            records.push(Timestamp::from_millis(number.cast_signed()), &lost(number));
            records.drop_first(1);
        }
        assert_eq!(said(&records), want(199_990..200_000));
        assert!(records.words.len() < 2 * MANY * 64, "{} bytes for ten records", records.words.len());
    }
}
