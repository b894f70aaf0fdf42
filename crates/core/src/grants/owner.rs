//! The owner of one grant: a task that does one thing after another, each as a task of its own.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use keybearer_model::grant::Grant;
use keybearer_model::url::Upstream;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::breaker::pause;
use super::lock::Lock;
use super::renewal::{Renewal, Reply};
use super::told::Told;
use super::{Desk, Ending, Farewell, Life, MintError, Revocation, Wish, revocation};
use crate::custody::Slot;
use crate::ports::KeyStoreError;

/// How long a key store that failed is left alone at least.
const SHORTEST: Duration = Duration::from_millis(500);

pub(super) enum Command {
    Mint(Wish, Reply),
    /// A new sign-in: it takes the place of what is there.
    Replace(Box<Grant>, oneshot::Sender<()>),
    /// It is over, for the server at this address and all others.
    SignOut(Upstream, Farewell, oneshot::Sender<Revocation>),
    /// The person waits for what is not saved: the sender is dropped when the key store has been asked once more.
    Save(oneshot::Sender<()>),
    /// The core ends: the answer comes when what is under way is kept.
    Finish(oneshot::Sender<()>),
}

/// What a piece of work leaves behind.
pub(super) struct Done {
    /// The grant, unless it is over.
    pub(super) grant: Option<Grant>,
    /// How storing went, if something was to be stored.
    pub(super) kept: Option<Kept>,
}

impl Done {
    pub(super) fn unchanged(grant: Grant) -> Self {
        Self { grant: Some(grant), kept: None }
    }
}

/// How storing went.
pub(super) enum Kept {
    /// The key store has it, or there is nothing to have.
    Saved,
    /// It did not take it, and is asked again by and by.
    NotYet,
    /// It is locked: asking again would ask the person for a password each time, and waits for the next renewal.
    Locked,
}

impl Kept {
    /// Takes note of how storing went, and removes the record that was replaced.
    pub(super) async fn of(desk: &Desk, grant: &Grant, stored: Result<Slot, KeyStoreError>) -> Self {
        match stored {
            Ok(slot) => {
                if let Err(error) = desk.custody.tidy_grant(&grant.facts.id, slot).await {
                    tracing::warn!(grant = %grant.facts.id, %error, "what a sign-in was before could not be removed");
                }
                Self::Saved
            }
            Err(KeyStoreError::Locked) => Self::Locked,
            Err(KeyStoreError::Timeout | KeyStoreError::Torn | KeyStoreError::Failed(_)) => Self::NotYet,
        }
    }
}

pub(super) struct Owner {
    desk: Arc<Desk>,
    grant: Option<Grant>,
    told: Told,
    work: Option<JoinHandle<Done>>,
    waiting: VecDeque<Command>,
    /// Whoever signs out while something is under way.
    leaving: Option<Leaving>,
    /// How often in a row the key store did not take the grant.
    unsaved: u32,
    /// When it is asked again.
    save_at: Option<Instant>,
}

struct Leaving {
    upstream: Upstream,
    farewell: Farewell,
    /// Taken when the person was told that the issuer could not be asked in time.
    reply: Option<oneshot::Sender<Revocation>>,
    told_at: Instant,
}

impl Owner {
    pub(super) fn new(desk: Arc<Desk>, grant: Option<Grant>, told: Told) -> Self {
        let (work, leaving, save_at) = (None, None, None);
        Self { desk, grant, told, work, waiting: VecDeque::new(), leaving, unsaved: 0, save_at }
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        loop {
            while self.work.is_none()
                && let Some(command) = self.waiting.pop_front()
            {
                match command {
                    Command::Mint(wish, reply) => self.mint(wish, reply).await,
                    Command::Replace(grant, reply) => self.replace(*grant, reply),
                    Command::SignOut(upstream, farewell, reply) => self.leave(upstream, farewell, reply).await,
                    Command::Save(reply) => self.save_for(reply),
                    Command::Finish(reply) => return self.finish(reply).await,
                }
            }
            let save_at = self.save_at.filter(|_| self.work.is_none());
            let tell_at =
                self.leaving.as_ref().filter(|leaving| leaving.reply.is_some()).map(|leaving| leaving.told_at);
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::SignOut(upstream, farewell, reply)) => self.leave(upstream, farewell, reply).await,
                    Some(command) => self.waiting.push_back(command),
                    None => break,
                },
                done = finished(&mut self.work) => self.settle(done),
                () = at(save_at) => self.save(),
                () = at(tell_at) => self.leave_unrevoked(),
            }
        }
    }

    async fn mint(&mut self, wish: Wish, reply: Reply) {
        if let Life::Over(ending) = self.told.life() {
            let _ = reply.send(Err(MintError::Over(ending)));
            return;
        }
        let facts = self.told.facts();
        if self.grant.is_none() {
            // What had it has broken off.
            self.grant = self.desk.head(&facts.id).await;
        }
        let broken = |detail: &str, since| Err(MintError::Unreachable { detail: detail.to_owned(), since });
        let Some(grant) = self.grant.take() else {
            let _ = reply.send(broken("the attempt before broke off", self.desk.ports.clock.now()));
            return;
        };
        self.desk.notice_sleep();
        match self.desk.breaker(&facts.issuer).admit(self.desk.ports.clock.boot()) {
            Err(outage) => {
                self.grant = Some(grant);
                let _ = reply.send(broken(&outage.detail, outage.since));
            }
            Ok(probe) => {
                let (desk, told) = (Arc::clone(&self.desk), self.told.clone());
                let renewal = Renewal { desk, grant, wish, probe, reply, told };
                self.work = Some(tokio::spawn(renewal.run()));
            }
        }
    }

    fn replace(&mut self, grant: Grant, reply: oneshot::Sender<()>) {
        (self.grant, self.unsaved, self.save_at) = (None, 0, None);
        self.told.replaced(&grant, false);
        self.work = Some(tokio::spawn(store(Arc::clone(&self.desk), self.told.clone(), grant, Some(reply))));
    }

    fn save(&mut self) {
        self.save_at = None;
        if let Some(grant) = self.grant.take() {
            self.work = Some(tokio::spawn(store(Arc::clone(&self.desk), self.told.clone(), grant, None)));
        }
    }

    /// Asks the key store once more for whoever waits, also a locked one: the person is there.
    fn save_for(&mut self, reply: oneshot::Sender<()>) {
        let saved = !matches!(self.told.life(), Life::Good { saved: false, renewable: true });
        if let Some(grant) = self.grant.take_if(|_| !saved) {
            self.save_at = None;
            self.work = Some(tokio::spawn(store(Arc::clone(&self.desk), self.told.clone(), grant, Some(reply))));
        }
    }

    async fn finish(&mut self, reply: oneshot::Sender<()>) {
        if self.save_at.is_some()
            && let Some(grant) = self.grant.take()
        {
            store(Arc::clone(&self.desk), self.told.clone(), grant, None).await;
        }
        let _ = reply.send(());
    }

    /// Takes note of what became of the work. `None`: it panicked, and the key store knows what it had.
    fn settle(&mut self, done: Option<Done>) {
        self.work = None;
        let Done { grant, kept } = done.unwrap_or(Done { grant: None, kept: None });
        self.grant = grant;
        match kept {
            None => {}
            Some(Kept::Saved | Kept::Locked) => (self.unsaved, self.save_at) = (0, None),
            Some(Kept::NotYet) => {
                self.unsaved = self.unsaved.saturating_add(1);
                // A wait of nothing would ask a key store that fails at once without a pause.
                let pause = pause(self.unsaved, (self.desk.ports.chance)()).max(SHORTEST);
                self.save_at = Some(Instant::now() + pause);
            }
        }
        if let Some(Leaving { upstream, farewell, reply, .. }) = self.leaving.take() {
            self.sign_out(upstream, farewell, reply);
        }
    }

    /// Signs out: everybody here is told at once. A renewal that is under way goes on, and what it brings is revoked.
    async fn leave(&mut self, upstream: Upstream, farewell: Farewell, reply: oneshot::Sender<Revocation>) {
        self.told.over(Ending::SignedOut);
        if self.work.is_none() {
            self.sign_out(upstream, farewell, Some(reply));
            return;
        }
        let id = self.told.facts().id.clone();
        let _ = self.desk.custody.delete_grant(&id, u64::MAX).await;
        let told_at = Instant::now() + revocation::LIMIT;
        self.leaving = Some(Leaving { upstream, farewell, reply: Some(reply), told_at });
    }

    /// What was under way takes too long: the person is told, and what it brings is revoked all the same.
    fn leave_unrevoked(&mut self) {
        if let Some(reply) = self.leaving.as_mut().and_then(|leaving| leaving.reply.take()) {
            let _ = reply.send(Revocation::Failed("it has not answered a renewal that was under way".to_owned()));
        }
    }

    fn sign_out(&mut self, upstream: Upstream, farewell: Farewell, reply: Option<oneshot::Sender<Revocation>>) {
        self.told.over(Ending::SignedOut);
        let id = self.told.facts().id.clone();
        self.desk.foresight.ended(&id, Ending::SignedOut);
        let (desk, grant) = (Arc::clone(&self.desk), self.grant.take());
        self.work = Some(tokio::spawn(async move {
            let generation = grant.as_ref().map_or(u64::MAX, |grant| grant.generation);
            let revoking = async {
                match (&grant, farewell) {
                    (Some(grant), Farewell::Revoke) => revocation::revoke(&desk.ports, &upstream, grant).await,
                    (None, _) | (_, Farewell::Forget) => Revocation::Nothing,
                }
            };
            let (revocation, ()) = tokio::join!(revoking, desk.forget(&id, generation));
            if let Some(reply) = reply {
                let _ = reply.send(revocation);
            }
            Done { grant: None, kept: None }
        }));
    }
}

/// Stores a grant under its lock, tells whoever waits for it, and removes what it replaced.
async fn store(desk: Arc<Desk>, told: Told, mut grant: Grant, reply: Option<oneshot::Sender<()>>) -> Done {
    let facts = grant.facts.clone();
    if grant.refresh_token.is_none() {
        // Nothing outlives the bearer, so that there is nothing to store.
        desk.note(move |store| store.remove_grant(&facts.id)).await;
        return Done { grant: Some(grant), kept: Some(Kept::Saved) };
    }
    // Held to the end: what is removed below may be written by whoever has the lock next.
    let mut lock = Lock::take(&desk.folder, &facts.id).await.ok();
    let stored = desk.keep(&mut grant).await;
    if let (Ok(_), Some(lock)) = (&stored, &mut lock) {
        lock.clear().await;
    }
    let noted = desk.note(move |store| store.put_grant(&facts)).await;
    told.saved(stored.is_ok() && noted && desk.outlives());
    drop(reply);
    let kept = Kept::of(&desk, &grant, stored).await;
    Done { grant: Some(grant), kept: Some(kept) }
}

/// The end of the work under way; waits for ever while there is none. `None`: it panicked.
async fn finished(work: &mut Option<JoinHandle<Done>>) -> Option<Done> {
    match work {
        Some(work) => work.await.ok(),
        None => std::future::pending().await,
    }
}

async fn at(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
