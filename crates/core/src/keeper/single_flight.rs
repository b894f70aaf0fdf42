//! One renewal for all: the credential at hand, who asks for the one after it, and who only waits.
//!
//! All calls read it at once, one owner writes it. `tests/single_flight.rs` runs this very file under a model checker,
//! which brings its own [`super::sync`].

use std::sync::Arc;

use super::sync::{AtomicU64, Ordering, Pointer};

/// What has a number that no other of its keeper has, and a later one a higher.
pub(super) trait Numbered {
    fn serial(&self) -> u64;
}

/// The credential at hand.
pub(super) struct AtHand<T> {
    held: Pointer<T>,
    /// Up to which number somebody has asked for the next one.
    asked: AtomicU64,
}

impl<T> AtHand<T> {
    pub(super) fn nothing() -> Self {
        Self { held: Pointer::empty(), asked: AtomicU64::new(0) }
    }

    pub(super) fn load(&self) -> Option<Arc<T>> {
        self.held.load_full()
    }

    pub(super) fn replace(&self, held: Option<Arc<T>>) {
        self.held.store(held);
    }

    /// Whether whoever holds this one is to ask for the next, while it still serves: true for one caller. A caller that
    /// was slow asks for one that is gone, and must not ask for its successor's.
    pub(super) fn is_first_to_ask(&self, serial: u64) -> bool {
        self.asked.fetch_max(serial, Ordering::Relaxed) < serial
    }

    /// Nothing came of the question: another caller may ask.
    pub(super) fn may_ask_again(&self, serial: u64) {
        let _ = self.asked.compare_exchange(serial, serial.saturating_sub(1), Ordering::Relaxed, Ordering::Relaxed);
    }
}

/// What becomes of a need.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival<T> {
    /// There is another credential than the one that was refused.
    Served(Arc<T>),
    /// What is under way will do.
    Waits,
    /// Nothing is under way: something has to be done about it.
    Free,
}

/// What becomes of a need, where `fresh` is what is at hand and not over.
pub(super) fn arrival<T: Numbered>(fresh: Option<Arc<T>>, refused: Option<u64>, is_under_way: bool) -> Arrival<T> {
    match fresh.filter(|fresh| Some(fresh.serial()) != refused) {
        Some(another) => Arrival::Served(another),
        None if is_under_way => Arrival::Waits,
        None => Arrival::Free,
    }
}

/// Whether the one after `serial` is still to be fetched ahead: nobody does it already, and nobody has.
pub(super) fn is_wanted_ahead<T: Numbered>(at_hand: Option<&T>, serial: u64, is_under_way: bool) -> bool {
    !is_under_way && at_hand.is_some_and(|held| held.serial() == serial)
}
