//! Who is in at Keybearer's own server over HTTP: a session each for clients of the legacy era, one for all requests of
//! a modern client. Each is its caller's alone, there are not too many, and one that rests too long ends.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use keybearer_model::secret::Secret;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::hub::Hub;
use super::outbox::Outbox;
use crate::stdio::Bridges;
use crate::visitor::{Owner, Visitor};

/// The most sessions of one caller, and of all.
const MOST_OF_ONE: usize = 128;
const MOST: usize = 2_000;

/// How long a session may rest.
const LONGEST_REST: Duration = Duration::from_secs(30 * 60);

/// A session, or a modern client.
pub(crate) struct Guest {
    pub(super) hub: Arc<Hub>,
    /// The session's id; a modern client has none.
    id: Option<Box<str>>,
    owner: Owner,
    used: Mutex<Instant>,
    running: Mutex<HashMap<String, AbortHandle>>,
}

/// All of them.
#[derive(Default)]
pub(super) struct Guests(Mutex<Vec<Arc<Guest>>>);

impl Guests {
    /// The visitor's session of this id.
    pub(super) fn find(&self, id: &str, visitor: &Visitor) -> Option<Arc<Guest>> {
        self.first(|guest| guest.id.as_deref() == Some(id) && guest.owner.is(visitor))
    }

    /// The one for all requests of a modern client.
    pub(super) fn modern(self: &Arc<Self>, bridges: &Bridges, visitor: &Visitor) -> Arc<Guest> {
        let known = self.first(|guest| guest.id.is_none() && guest.owner.is(visitor));
        known.unwrap_or_else(|| self.admit(bridges, visitor, None))
    }

    /// Opens a session and tells its id. `None`: the system gives no randomness.
    pub(super) fn open(self: &Arc<Self>, bridges: &Bridges, visitor: &Visitor) -> Option<(Arc<Guest>, String)> {
        let id = Secret::mint("").ok()?.digest().iter().take(16).map(|byte| format!("{byte:02x}")).collect::<String>();
        Some((self.admit(bridges, visitor, Some(id.as_str().into())), id))
    }

    /// Ends a session; what is under way in it goes on to its end.
    pub(super) fn end(&self, guest: &Arc<Guest>) {
        self.all().retain(|known| !Arc::ptr_eq(known, guest));
    }

    fn admit(self: &Arc<Self>, bridges: &Bridges, visitor: &Visitor, id: Option<Box<str>>) -> Arc<Guest> {
        let hub = Hub::new(bridges.clone(), Arc::clone(&visitor.caller), visitor.registered.clone(), Outbox::closed());
        let (owner, used) = (Owner::of(visitor), Mutex::new(Instant::now()));
        let guest = Arc::new(Guest { hub, id, owner, used, running: Mutex::default() });
        let mut all = self.all();
        if all.iter().filter(|guest| guest.owner.is(visitor)).count() >= MOST_OF_ONE {
            remove_oldest(&mut all, |guest| guest.owner.is(visitor));
        } else if all.len() >= MOST {
            remove_oldest(&mut all, |_| true);
        }
        all.push(Arc::clone(&guest));
        tokio::spawn(outstay(Arc::downgrade(self), Arc::downgrade(&guest)));
        guest
    }

    fn first(&self, is: impl Fn(&Guest) -> bool) -> Option<Arc<Guest>> {
        let found = self.all().iter().find(|guest| is(guest)).map(Arc::clone)?;
        found.touch();
        Some(found)
    }

    fn all(&self) -> MutexGuard<'_, Vec<Arc<Guest>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    /// Notes what is under way, so that the client can call it off.
    pub(super) fn runs(&self, id: &str, task: AbortHandle) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.retain(|_, task| !task.is_finished());
        running.insert(id.to_owned(), task);
    }

    /// Calls a request off.
    pub(super) fn cancel(&self, id: &str) {
        if let Some(task) = self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(id) {
            task.abort();
        }
    }

    /// Completes when its client is revoked; `None` for a program that is not registered.
    pub(super) fn revoked(&self) -> Option<Pin<Box<dyn Future<Output = ()> + Send>>> {
        let mut watched = self.hub.registered.as_ref()?.revoked();
        Some(Box::pin(async move {
            if watched.wait_for(|revoked| *revoked).await.is_err() {
                std::future::pending::<()>().await;
            }
        }))
    }

    fn touch(&self) {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn used(&self) -> Instant {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who is in use is asked to leave last.
fn remove_oldest(all: &mut Vec<Arc<Guest>>, of: impl Fn(&Guest) -> bool) {
    let candidates = all.iter().enumerate().filter(|(_, guest)| of(guest));
    let oldest = candidates.min_by_key(|(_, guest)| (Arc::strong_count(guest) > 1, guest.used())).map(|(at, _)| at);
    if let Some(at) = oldest {
        all.remove(at);
    }
}

async fn outstay(guests: Weak<Guests>, guest: Weak<Guest>) {
    loop {
        let Some(used) = guest.upgrade().map(|guest| guest.used()) else { return };
        tokio::time::sleep_until(used + LONGEST_REST).await;
        let (Some(guests), Some(guest)) = (guests.upgrade(), guest.upgrade()) else { return };
        // The list's, and ours: nobody else has it in hand.
        if Arc::strong_count(&guest) > 2 {
            guest.touch();
        } else if guest.used() + LONGEST_REST <= Instant::now() {
            return guests.end(&guest);
        }
    }
}
