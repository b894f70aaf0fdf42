//! Which caller a server's session belongs to: an `Mcp-Session-Id` serves nobody but the one who was given it.
//!
//! In memory alone: after a restart every session is unknown, the client is told 404 and initialises again.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use keybearer_model::grant::Account;
use keybearer_model::name::ServerName;
use tokio::time::Instant;

use crate::visitor::{Owner, Visitor};

/// More sessions than this are not remembered: the one that was used longest ago goes.
const MOST: usize = 10_000;

/// A session that nobody has used for so long is forgotten.
const LONGEST_REST: Duration = Duration::from_secs(24 * 60 * 60);

/// The sessions of one core.
pub(crate) struct Sessions {
    // Held for a look-up, never across an await.
    by_id: Mutex<HashMap<Box<str>, Vec<Arc<Bound>>>>,
    since: Instant,
}

/// One session and whose it is. Two servers may give the same id, and a careless one gives it to several callers.
pub(crate) struct Bound {
    server: ServerName,
    owner: Owner,
    /// As whom it is used. The sign-in may come only while the session is being opened.
    person: OnceLock<Box<str>>,
    /// Milliseconds since the table was made.
    used: AtomicU64,
}

impl Sessions {
    pub(crate) fn new() -> Self {
        Self { by_id: Mutex::default(), since: Instant::now() }
    }

    /// The visitor's session of this id at `server`; `None` where there is none, or it is somebody else's.
    pub(crate) fn find(&self, id: &str, server: &ServerName, visitor: &Visitor) -> Option<Arc<Bound>> {
        let now = self.now();
        let mut by_id = self.by_id();
        let bound = by_id.get(id)?.iter().find(|bound| bound.is_of(server, visitor)).map(Arc::clone)?;
        if bound.rested(now) > LONGEST_REST {
            remove(&mut by_id, id, &bound);
            return None;
        }
        bound.used.store(now, Ordering::Relaxed);
        Some(bound)
    }

    /// Remembers that `server` has opened a session for this visitor, as this account.
    pub(crate) fn bind(&self, id: &str, server: &ServerName, visitor: &Visitor, account: Option<&Account>) {
        let now = self.now();
        let bound = Arc::new(Bound {
            server: server.clone(),
            owner: Owner::of(visitor),
            person: account.and_then(person).map_or_else(OnceLock::new, |person| OnceLock::from(Box::from(person))),
            used: AtomicU64::new(now),
        });
        let mut by_id = self.by_id();
        make_room(&mut by_id, now);
        let same = by_id.entry(id.into()).or_default();
        same.retain(|known| !known.is_of(server, visitor));
        same.push(bound);
    }

    /// Forgets a session that has ended.
    pub(crate) fn end(&self, id: &str, bound: &Arc<Bound>) {
        remove(&mut self.by_id(), id, bound);
    }

    fn by_id(&self) -> MutexGuard<'_, HashMap<Box<str>, Vec<Arc<Bound>>>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> u64 {
        u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

impl Bound {
    /// Whether it is this account's: after a change of account the server must not go on with it.
    pub(crate) fn is_as(&self, account: Option<&Account>) -> bool {
        match (account.and_then(person), self.person.get()) {
            (Some(now), None) => **self.person.get_or_init(|| now.into()) == *now,
            (now, then) => now == then.map(|then| &**then),
        }
    }

    fn is_of(&self, server: &ServerName, visitor: &Visitor) -> bool {
        self.server == *server && self.owner.is(visitor)
    }

    fn rested(&self, now: u64) -> Duration {
        Duration::from_millis(now.saturating_sub(self.used.load(Ordering::Relaxed)))
    }
}

/// What tells one person from another: names change, this does not.
fn person(account: &Account) -> Option<&str> {
    account.subject.as_deref().or(account.email.as_deref())
}

fn remove(by_id: &mut HashMap<Box<str>, Vec<Arc<Bound>>>, id: &str, bound: &Arc<Bound>) {
    if let Some(same) = by_id.get_mut(id) {
        same.retain(|known| !Arc::ptr_eq(known, bound));
        if same.is_empty() {
            by_id.remove(id);
        }
    }
}

/// A full table loses what rests too long, and a tenth of it that was used longest ago: a single one would mean to look
/// through it all at each new session.
fn make_room(by_id: &mut HashMap<Box<str>, Vec<Arc<Bound>>>, now: u64) {
    let all = || by_id.values().flatten();
    if all().count() < MOST {
        return;
    }
    let mut uses: Vec<u64> = all().map(|bound| bound.used.load(Ordering::Relaxed)).collect();
    let (_, &mut oldest_kept, _) = uses.select_nth_unstable(MOST / 10);
    let mut to_go = MOST / 10;
    by_id.retain(|_, same| {
        same.retain(|bound| {
            let old = to_go > 0 && bound.used.load(Ordering::Relaxed) <= oldest_kept;
            to_go -= usize::from(old);
            !old && bound.rested(now) <= LONGEST_REST
        });
        !same.is_empty()
    });
}

#[cfg(test)]
mod tests {
    use keybearer_model::caller::Caller;

    use super::*;

    fn visitor(name: &str) -> Visitor {
        Visitor { caller: Arc::new(Caller::by_key(name.parse().unwrap())), registered: None }
    }

    fn account(subject: &str) -> Account {
        Account { subject: Some(subject.to_owned()), email: None, name: None }
    }

    #[tokio::test]
    async fn a_session_serves_whom_it_was_given_to_and_where() {
        let (sessions, crm, wiki) = (Sessions::new(), "crm".parse().unwrap(), "wiki".parse().unwrap());
        let (one, other) = (visitor("one"), visitor("other"));
        sessions.bind("s", &crm, &one, None);
        assert!(sessions.find("s", &crm, &visitor("one")).is_some(), "another connection of the same client");
        assert!(sessions.find("s", &crm, &other).is_none());
        assert!(sessions.find("s", &wiki, &one).is_none());
        assert!(sessions.find("S", &crm, &one).is_none());
        // A server that gives everybody the same id is served too.
        sessions.bind("s", &crm, &other, None);
        let bound = sessions.find("s", &crm, &one).unwrap();
        sessions.end("s", &bound);
        assert!(sessions.find("s", &crm, &one).is_none());
        assert!(sessions.find("s", &crm, &other).is_some());
    }

    #[tokio::test]
    async fn a_session_is_its_account_s() {
        let (sessions, crm, one) = (Sessions::new(), "crm".parse().unwrap(), visitor("one"));
        sessions.bind("s", &crm, &one, Some(&account("anna")));
        let bound = sessions.find("s", &crm, &one).unwrap();
        assert!(bound.is_as(Some(&account("anna"))));
        assert!(!bound.is_as(Some(&account("bert"))) && !bound.is_as(None));
    }

    #[tokio::test]
    async fn a_sign_in_that_comes_while_a_session_is_opened_is_its_own() {
        let (sessions, crm, one) = (Sessions::new(), "crm".parse().unwrap(), visitor("one"));
        sessions.bind("s", &crm, &one, None);
        let bound = sessions.find("s", &crm, &one).unwrap();
        assert!(bound.is_as(None) && bound.is_as(Some(&account("anna"))) && bound.is_as(Some(&account("anna"))));
        assert!(!bound.is_as(Some(&account("bert"))) && !bound.is_as(None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_used_longest_ago_makes_room_and_what_rests_too_long_is_forgotten() {
        let (sessions, crm, one) = (Sessions::new(), "crm".parse().unwrap(), visitor("one"));
        for number in 0..MOST {
            sessions.bind(&number.to_string(), &crm, &one, None);
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        assert!(sessions.find("0", &crm, &one).is_some(), "it was used just now");
        sessions.bind("one more", &crm, &one, None);
        assert!(sessions.find("1", &crm, &one).is_none());
        let kept = ["0", "one more", &(MOST - 1).to_string()].map(|id| sessions.find(id, &crm, &one).is_some());
        assert_eq!(kept, [true; 3]);
        assert!(sessions.by_id().len() > MOST / 2);
        tokio::time::advance(LONGEST_REST + Duration::from_millis(1)).await;
        assert!(sessions.find("0", &crm, &one).is_none());
    }
}
