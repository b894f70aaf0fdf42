//! The grants of this core. A grant belongs to an issuer, a client id and an account, and may serve many servers.
//!
//! One task owns each grant: it alone knows the refresh token, and renews for whichever server asks, one after the other.
//! What it does runs detached, so that nobody who waits for it can cancel it half-way (SEC-42).

mod breaker;
mod ending;
mod joining;
mod lock;
mod owner;
mod renewal;
mod revocation;
mod told;
mod wake;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keybearer_model::grant::{Grant, GrantFacts, Target};
use keybearer_model::name::{GrantId, ServerName};
use keybearer_model::secret::Secret;
use keybearer_model::time::{BootTime, Timestamp};
use keybearer_model::url::{Issuer, Upstream};
use keybearer_oauth::profile::Catalog;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use tokio::time::Instant;

use self::breaker::Breaker;
pub(crate) use self::ending::Farewell;
pub use self::ending::{Ending, Revocation};
pub(crate) use self::joining::Joined;
use self::lock::Lock;
use self::owner::{Command, Owner};
use self::told::Told;
use self::wake::Wake;
use crate::custody::{Custody, Slot};
use crate::foresight::Foresight;
use crate::ports::{Clock, KeyStoreError, KeyStoreKind, Ports};
use crate::store::{Store, StoreError};

/// How long a key store is waited for where it need not answer: to learn of a newer generation, or when it was silent
/// the last time.
const SHORT: Duration = Duration::from_secs(2);

/// How many grants may be renewed at once.
const MOST_RENEWALS: usize = 4;

/// All grants that are open, and what is known of their issuers. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Grants(Arc<Desk>);

/// What the owners of all grants share.
struct Desk {
    ports: Ports,
    custody: Custody,
    store: Arc<Store>,
    /// Where locks and intents lie.
    folder: PathBuf,
    catalog: Catalog,
    /// Told what is heard of the ends of grants.
    foresight: Foresight,
    /// So many renewals may be under way at once: after sleep everything needs one.
    renewals: Semaphore,
    wake: Wake,
    /// The key store did not answer when a grant was to be stored last.
    silent: AtomicBool,
    // Two maps that are looked into for a moment each: a task that owned them would be a mailbox around a map.
    open: Mutex<HashMap<GrantId, Arc<Handle>>>,
    breakers: Mutex<HashMap<String, Arc<Breaker>>>,
    /// Held while a grant is looked for, so that two servers of one grant find one owner.
    opening: tokio::sync::Mutex<()>,
}

/// A handle on the owner of one grant.
pub(crate) struct Handle {
    commands: mpsc::Sender<Command>,
    state: watch::Receiver<State>,
    clock: Arc<dyn Clock>,
    /// An attempt of an earlier process is open: its answer is not known.
    interrupted: AtomicBool,
}

/// What is known of a grant without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) facts: Arc<GrantFacts>,
    pub(crate) life: Life,
}

/// Whether a grant is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Life {
    /// It is.
    Good {
        /// It outlives this process.
        saved: bool,
        /// It has a refresh token.
        renewable: bool,
    },
    /// It is over.
    Over(Ending),
}

/// A grant and whom it serves.
struct Kin {
    id: GrantId,
    servers: Vec<ServerName>,
}

/// A need for a bearer.
pub(crate) struct Wish {
    /// For what.
    pub(crate) target: Target,
    /// For which server: its issuer may lie in a private network if the server does (SEC-20).
    pub(crate) upstream: Upstream,
    pub(crate) demand: Demand,
}

/// How urgent a bearer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Somebody waits for it.
    Waiting,
    /// The one before still serves.
    Ahead,
}

/// A bearer that came.
#[derive(Debug)]
pub(crate) struct Minted {
    pub(crate) token: Secret,
    pub(crate) expires_in: Option<Duration>,
    /// Its life began then, however long storing took.
    pub(crate) received_at: BootTime,
}

/// Why no bearer came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MintError {
    /// The grant is over.
    Over(Ending),
    /// The issuer gives none for this target; the grant may be good for others.
    Refused {
        /// The issuer's error code.
        code: String,
    },
    /// The issuer does not answer, or not as one; nobody is signed out (SEC-45).
    Unreachable {
        /// What happened.
        detail: String,
        /// Since when it is so.
        since: Timestamp,
    },
}

impl Grants {
    pub(crate) fn new(
        ports: Ports,
        custody: Custody,
        store: Arc<Store>,
        foresight: Foresight,
        folder: PathBuf,
    ) -> Self {
        Self(Arc::new(Desk {
            ports,
            custody,
            store,
            folder,
            catalog: Catalog::bundled(),
            foresight,
            renewals: Semaphore::new(MOST_RENEWALS),
            wake: Wake::default(),
            silent: AtomicBool::new(false),
            open: Mutex::default(),
            breakers: Mutex::default(),
            opening: tokio::sync::Mutex::default(),
        }))
    }

    /// The owner of a grant that was kept; `None` if the key store has none of that id.
    pub(crate) async fn open(&self, id: &GrantId) -> Result<Option<Arc<Handle>>, KeyStoreError> {
        let desk = &self.0;
        let _opening = desk.opening.lock().await;
        if let Some(handle) = desk.open().get(id) {
            return Ok(Some(Arc::clone(handle)));
        }
        let Some(grant) = desk.custody.grant(id).await? else { return Ok(None) };
        let interrupted = Lock::interrupted(&desk.folder, id, grant.generation).await;
        let handle = desk.own(Arc::new(grant.facts.clone()), Some(grant), interrupted);
        Ok(Some(handle))
    }

    /// Takes a new sign-in into ownership and stores it: when this returns, its bearer may be released (SEC-40).
    pub(crate) async fn adopt(&self, grant: Grant) -> Arc<Handle> {
        let desk = &self.0;
        let handle = {
            let _opening = desk.opening.lock().await;
            let known = desk.open().get(&grant.facts.id).map(Arc::clone);
            known.unwrap_or_else(|| desk.own(Arc::new(grant.facts.clone()), None, false))
        };
        let (reply, stored) = oneshot::channel();
        if handle.commands.send(Command::Replace(Box::new(grant), reply)).await.is_ok() {
            let _ = stored.await;
        }
        handle
    }

    /// Signs out of the sign-in that this grant is part of: of every grant of the same issuer, client and account, for an
    /// issuer that revokes one may end them all. Tells what the issuer said of this one, and which servers went along.
    pub(crate) async fn sign_out(&self, handle: &Arc<Handle>, upstream: &Upstream) -> (Revocation, Vec<ServerName>) {
        let facts = handle.facts();
        let kin = self.0.kin(&facts).await;
        let mut servers: Vec<_> = kin.iter().flat_map(|kin| kin.servers.clone()).collect();
        servers.sort();
        let revocation = handle.sign_out(upstream, Farewell::Revoke).await;
        for other in kin.iter().filter(|kin| kin.id != facts.id) {
            match self.open(&other.id).await {
                Ok(Some(handle)) => drop(handle.sign_out(upstream, Farewell::Revoke).await),
                Ok(None) | Err(_) => self.0.forget(&other.id, u64::MAX).await,
            }
        }
        (revocation, servers)
    }

    /// Gives a grant up for one server: what else it serves goes on. Without any other server it is signed out of.
    pub(crate) async fn leave(&self, handle: &Arc<Handle>, server: &ServerName, upstream: &Upstream) {
        let facts = handle.facts();
        let kin = self.0.kin(&facts).await;
        let others = |kin: &&Kin| kin.servers.iter().any(|name| name != server);
        let gone = server.clone();
        self.0.note(move |store| store.remove_served(&gone)).await;
        if kin.iter().filter(|kin| kin.id == facts.id).any(|kin| others(&kin)) {
            return;
        }
        let farewell = if kin.iter().any(|kin| others(&kin)) { Farewell::Forget } else { Farewell::Revoke };
        handle.sign_out(upstream, farewell).await;
    }

    /// Gives a grant up that a new sign-in for `server` replaces, unless it serves others. It is not revoked: its issuer
    /// may take that for the end of both.
    pub(crate) async fn replace(&self, handle: &Arc<Handle>, server: &ServerName, upstream: &Upstream) {
        let id = handle.facts().id.clone();
        if self.0.servers_of(&id).await.iter().all(|name| name == server) {
            handle.sign_out(upstream, Farewell::Forget).await;
        }
    }

    /// Gives up what is known of a grant that is not open, for one server.
    pub(crate) async fn give_up(&self, id: &GrantId, server: &ServerName) {
        let gone = server.clone();
        self.0.note(move |store| store.remove_served(&gone)).await;
        if self.0.servers_of(id).await.is_empty() {
            self.0.forget(id, u64::MAX).await;
        }
    }

    /// Revokes a grant that was never taken, in the background.
    pub(crate) fn turn_down(&self, grant: Grant, upstream: Upstream) {
        let desk = Arc::clone(&self.0);
        tokio::spawn(async move { revocation::revoke(&desk.ports, &upstream, &grant).await });
    }

    /// Removes what is left of a grant that could not be opened.
    pub(crate) async fn forget(&self, id: &GrantId) {
        self.0.forget(id, u64::MAX).await;
    }

    /// Removes every grant that is known, whoever it serves; what is open was signed out of before.
    pub(crate) async fn forget_all(&self) -> Result<(), KeyStoreError> {
        let store = Arc::clone(&self.0.store);
        let known = tokio::task::spawn_blocking(move || store.grants()).await.ok().and_then(Result::ok);
        for facts in known.unwrap_or_default() {
            self.0.custody.delete_grant(&facts.id, u64::MAX).await?;
            self.0.note(move |store| store.remove_grant(&facts.id)).await;
        }
        Ok(())
    }

    /// Takes note if the machine has slept.
    pub(crate) fn notice_sleep(&self) {
        self.0.notice_sleep();
    }

    /// What was known of issuers that did not answer is of before: the next one tries at once.
    pub(crate) fn forget_outages(&self) {
        self.0.forget_outages();
    }

    /// Has the key store asked once more to take what it has not taken, and waits for that. Returns the servers whose
    /// sign-in it has not taken even so: it would be lost with this process. Where sign-ins are meant to be kept in memory
    /// alone, that is no news, and there are none.
    pub(crate) async fn save_all(&self, limit: Duration) -> Vec<ServerName> {
        if !self.0.outlives() {
            return Vec::new();
        }
        let end = Instant::now() + limit;
        let handles: Vec<_> = self.0.open().values().map(Arc::clone).collect();
        let mut saves = Vec::new();
        // Each of them: what a renewal has brought does not count as unsaved while it is being stored.
        for handle in handles {
            let (reply, saved) = oneshot::channel();
            if handle.commands.send(Command::Save(reply)).await.is_ok() {
                saves.push((handle, saved));
            }
        }
        let mut losing = Vec::new();
        for (handle, saved) in saves {
            let has_answered = tokio::time::timeout_at(end, saved).await.is_ok();
            if !has_answered || handle.is_unsaved() {
                losing.append(&mut self.0.servers_of(&handle.facts().id).await);
            }
        }
        losing.sort();
        losing
    }

    /// Waits until no refresh token is on its way any more and what was renewed is kept; nothing is renewed after it.
    pub(crate) async fn finish(&self) {
        let handles: Vec<_> = self.0.open().values().map(Arc::clone).collect();
        let mut ends = Vec::new();
        for handle in handles {
            let (reply, end) = oneshot::channel();
            if handle.commands.send(Command::Finish(reply)).await.is_ok() {
                ends.push(end);
            }
        }
        for end in ends {
            let _ = end.await;
        }
    }
}

impl Handle {
    /// A fresh bearer for a target. Whoever stops waiting cancels nothing.
    pub(crate) async fn mint(&self, wish: Wish) -> Result<Minted, MintError> {
        self.interrupted.store(false, Ordering::Relaxed);
        let (reply, answer) = oneshot::channel();
        let ended = || MintError::Unreachable { detail: "the attempt broke off".to_owned(), since: self.clock.now() };
        self.commands.send(Command::Mint(wish, reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Ends the grant: here at once, at the issuer as far as it answers in time.
    pub(crate) async fn sign_out(&self, upstream: &Upstream, farewell: Farewell) -> Revocation {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::SignOut(upstream.clone(), farewell, reply)).await.is_err() {
            return Revocation::Nothing;
        }
        answer.await.unwrap_or(Revocation::Nothing)
    }

    /// Its public parts.
    pub(crate) fn facts(&self) -> Arc<GrantFacts> {
        Arc::clone(&self.state.borrow().facts)
    }

    /// Whether it would be lost with this process, and could go on otherwise.
    fn is_unsaved(&self) -> bool {
        matches!(self.state.borrow().life, Life::Good { saved: false, renewable: true })
    }

    /// What is known of it, and whoever waits for a change.
    pub(crate) fn watch(&self) -> watch::Receiver<State> {
        self.state.clone()
    }

    /// Whether an attempt of an earlier process is open: the first who asks is to try at once, for an issuer that takes a
    /// used refresh token again does so for seconds (SEC-43).
    pub(crate) fn was_interrupted(&self) -> bool {
        self.interrupted.swap(false, Ordering::Relaxed)
    }
}

impl Desk {
    fn open(&self) -> MutexGuard<'_, HashMap<GrantId, Arc<Handle>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a grant its owner.
    fn own(self: &Arc<Self>, facts: Arc<GrantFacts>, grant: Option<Grant>, interrupted: bool) -> Arc<Handle> {
        let id = facts.id.clone();
        let renewable = grant.as_ref().is_some_and(|grant| grant.refresh_token.is_some());
        let saved = grant.is_some() && self.outlives();
        let (told, state) = watch::channel(State { facts, life: Life::Good { saved, renewable } });
        let (commands, inbox) = mpsc::channel(64);
        tokio::spawn(Owner::new(Arc::clone(self), grant, Told::new(told)).run(inbox));
        let clock = Arc::clone(&self.ports.clock);
        let handle = Arc::new(Handle { commands, state, clock, interrupted: AtomicBool::new(interrupted) });
        self.open().insert(id, Arc::clone(&handle));
        handle
    }

    /// Whether what is stored outlives this process.
    fn outlives(&self) -> bool {
        self.custody.kind() == KeyStoreKind::System
    }

    /// If the machine has slept, what was known of issuers that did not answer is of before: the next one tries at once.
    fn notice_sleep(&self) {
        let clock = &self.ports.clock;
        if self.wake.notice(clock.boot(), clock.awake()) {
            tracing::info!("the machine has slept");
            self.forget_outages();
        }
    }

    fn forget_outages(&self) {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        breakers.values().for_each(|breaker| breaker.forget());
    }

    fn breaker(&self, issuer: &Issuer) -> Arc<Breaker> {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(breakers.entry(issuer.to_string()).or_default())
    }

    /// The newest record of a grant, if the key store tells it in a moment.
    async fn head(&self, id: &GrantId) -> Option<Grant> {
        match tokio::time::timeout(SHORT, self.custody.grant(id)).await {
            Ok(Ok(head)) => head,
            Ok(Err(error)) => {
                self.silent.store(matches!(error, KeyStoreError::Timeout), Ordering::Relaxed);
                None
            }
            Err(_) => {
                self.silent.store(true, Ordering::Relaxed);
                None
            }
        }
    }

    /// Stores a grant: as long as the key store's own limit allows it while it answers, a moment if it was silent before.
    async fn keep(&self, grant: &mut Grant) -> Result<Slot, KeyStoreError> {
        let storing = self.custody.put_grant(grant);
        let stored = if self.silent.load(Ordering::Relaxed) {
            tokio::time::timeout(SHORT, storing).await.unwrap_or(Err(KeyStoreError::Timeout))
        } else {
            storing.await
        };
        self.silent.store(matches!(stored, Err(KeyStoreError::Timeout)), Ordering::Relaxed);
        if let Err(error) = &stored {
            tracing::warn!(grant = %grant.facts.id, %error, "a sign-in was not saved");
        }
        stored
    }

    /// Removes a grant from key store and database. Where the key store does not do it, it is asked again at the next
    /// start: the database remembers the grant as one that was signed out of.
    async fn forget(&self, id: &GrantId, generation: u64) {
        let removed = self.custody.delete_grant(id, generation).await;
        if let Err(error) = &removed {
            tracing::warn!(grant = %id, %error, "a sign-in could not be removed from the keychain");
        }
        let (id, removed) = (id.clone(), removed.is_ok());
        self.note(move |store| if removed { store.remove_grant(&id) } else { store.end_grant(&id, Ending::SignedOut) })
            .await;
    }

    async fn servers_of(&self, id: &GrantId) -> Vec<ServerName> {
        let (store, id) = (Arc::clone(&self.store), id.clone());
        tokio::task::spawn_blocking(move || store.servers_of(&id)).await.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// The grants that are one sign-in with this one: the same issuer, client and account.
    async fn kin(&self, facts: &GrantFacts) -> Vec<Kin> {
        let (store, facts) = (Arc::clone(&self.store), facts.clone());
        let looking = move || -> Result<Vec<Kin>, StoreError> {
            let mut kin = Vec::new();
            for other in store.grants()? {
                if other.sign_in() == facts.sign_in() {
                    kin.push(Kin { servers: store.servers_of(&other.id)?, id: other.id });
                }
            }
            Ok(kin)
        };
        tokio::task::spawn_blocking(looking).await.ok().and_then(Result::ok).unwrap_or_default()
    }

    /// Carries out a change of the state database; false if it could not be.
    async fn note(&self, change: impl FnOnce(&Store) -> Result<(), StoreError> + Send + 'static) -> bool {
        let store = Arc::clone(&self.store);
        let noted = matches!(tokio::task::spawn_blocking(move || change(&store)).await, Ok(Ok(())));
        if !noted {
            tracing::warn!("the state of a sign-in could not be written down");
        }
        noted
    }
}
