//! One sign-in at a time at one issuer: servers that wait there are signed in one after another, so that the first one's
//! password serves the others, and no two windows of one issuer are ever open at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use url::Url;

/// The turns at all issuers. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Rounds(
    // Looked into for a moment: a task of its own would be a mailbox around a map.
    Arc<Mutex<HashMap<String, Arc<tokio::sync::Mutex<()>>>>>,
);

/// The right to show an issuer's pages, until it is dropped.
pub(crate) struct Turn(#[expect(dead_code, reason = "it is held, not looked at")] tokio::sync::OwnedMutexGuard<()>);

/// How a turn came.
pub(crate) enum Came {
    /// At once: nobody else signs in there.
    AtOnce(Turn),
    /// After others: what they left behind can be used, such as the client that they registered.
    AfterOthers(Turn),
}

impl Rounds {
    /// Waits for the turn at the issuer that has this address.
    pub(crate) async fn turn(&self, at: &Url) -> Came {
        let place = {
            let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(places.entry(at.origin().ascii_serialization()).or_default())
        };
        match Arc::clone(&place).try_lock_owned() {
            Ok(turn) => Came::AtOnce(Turn(turn)),
            Err(_) => Came::AfterOthers(Turn(place.lock_owned().await)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn turns_at_one_issuer_come_one_after_another_and_elsewhere_at_once() {
        let rounds = Rounds::default();
        let at = |text: &str| text.parse::<Url>().unwrap();
        let Came::AtOnce(first) = rounds.turn(&at("https://idp.test/authorize?state=1")).await else { panic!() };
        assert!(matches!(rounds.turn(&at("https://other.test/authorize")).await, Came::AtOnce(_)));
        let second = tokio::spawn({
            let rounds = rounds.clone();
            async move { rounds.turn(&at("https://idp.test/register")).await }
        });
        tokio::task::yield_now().await;
        assert!(!second.is_finished());
        drop(first);
        assert!(matches!(second.await.unwrap(), Came::AfterOthers(_)));
    }
}
