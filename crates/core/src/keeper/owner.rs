//! The owner task of a keeper: all that changes a server's credential happens here, one thing after another.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keybearer_model::grant::{Account, GrantFacts, Target};
use keybearer_model::time::BootTime;
use keybearer_oauth::challenge::Challenge;
use keybearer_oauth::login::Before;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::further::Aim;
use super::next::Move;
use super::single_flight::{Arrival, arrival, is_wanted_ahead};
use super::{Because, Command, CredentialError, Held, Initiative, Need, Parts, Shared, SignInState, Standing};
use crate::audit::Event;
use crate::grants::{Demand, Ending, Handle, Life, MintError, Minted, State, Wish};
use crate::sign_in::{Finish, Fruit, Opening, SignInError};

/// After a sign-in that failed, calls open no new one for this long: a model that tries again must not open tabs.
const QUIET: Duration = Duration::from_secs(60);

pub(super) type Waiter = oneshot::Sender<Result<Option<Arc<Held>>, CredentialError>>;

pub(super) struct Owner {
    pub(super) parts: Parts,
    pub(super) shared: Arc<Shared>,
    /// The grant that serves this server.
    pub(super) attached: Option<Attached>,
    /// Whose sign-in it is, or was before it ended.
    pub(super) account: Option<Account>,
    /// The key store has been asked what it holds.
    pub(super) loaded: bool,
    /// When it last failed to tell.
    pub(super) key_store_failed_at: Option<BootTime>,
    /// The server has refused a message without a credential, with this challenge if it sent one.
    pub(super) challenged: bool,
    pub(super) challenge: Option<Challenge>,
    /// The person has signed out: calls do not open a sign-in by themselves.
    pub(super) signed_out: bool,
    pub(super) quiet_until: Option<BootTime>,
    /// Of the newest credential; it grows and never begins anew.
    pub(super) serial: u64,
    /// The serial of the bearer that came with the sign-in.
    pub(super) first_serial: u64,
    /// The sign-in that its issuer ended: the next one asks for as much.
    pub(super) before: Option<Before>,
    /// What the sign-in that is open is for.
    pub(super) aim: Aim,
    /// When the person was asked for more than a sign-in allowed.
    pub(super) asked_for_more: Vec<BootTime>,
    /// When the server last refused what a renewal had brought.
    pub(super) in_vain_at: Option<BootTime>,
    pub(super) work: Option<Work>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) sign_in_waiters: Vec<oneshot::Sender<Result<(), Arc<SignInError>>>>,
}

/// A grant as it serves one server.
pub(super) struct Attached {
    pub(super) handle: Arc<Handle>,
    pub(super) target: Target,
    state: watch::Receiver<State>,
}

impl Attached {
    pub(super) fn new(handle: Arc<Handle>, target: Target) -> Self {
        let state = handle.watch();
        Self { handle, target, state }
    }

    pub(super) fn life(&self) -> Life {
        self.state.borrow().life
    }

    pub(super) fn is_renewable(&self) -> bool {
        matches!(self.life(), Life::Good { renewable: true, .. })
    }
}

/// What is under way. Each runs detached, so that no caller can cancel it half-way.
pub(super) enum Work {
    Minting(Demand, JoinHandle<Result<Minted, MintError>>),
    SigningIn(JoinHandle<Result<(Fruit, Finish), SignInError>>),
}

/// The end of a piece of work.
enum Done {
    Minted(Demand, Result<Minted, MintError>),
    SignedIn(Box<Result<(Fruit, Finish), SignInError>>),
    /// It panicked, or was called off.
    Broken,
}

impl Owner {
    pub(super) fn new(parts: Parts, shared: Arc<Shared>) -> Self {
        Self {
            parts,
            shared,
            attached: None,
            account: None,
            loaded: false,
            key_store_failed_at: None,
            challenged: false,
            challenge: None,
            signed_out: false,
            quiet_until: None,
            serial: 0,
            first_serial: 0,
            before: None,
            aim: Aim::First,
            asked_for_more: Vec::new(),
            in_vain_at: None,
            work: None,
            waiters: Vec::new(),
            sign_in_waiters: Vec::new(),
        }
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        self.load().await;
        loop {
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Finish(reply)) => return self.finish(reply).await,
                    Some(command) => self.obey(command).await,
                    None => return,
                },
                done = finished(&mut self.work) => {
                    self.work = None;
                    self.settle(done).await;
                }
                life = changed(&mut self.attached) => self.grant_changed(life),
            }
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Need(need, waiter) => self.need(need, waiter).await,
            Command::StepUp(more, waiter) => self.step_up(more, waiter).await,
            Command::RenewAhead(serial) => {
                if is_wanted_ahead(self.shared.at_hand.load().as_deref(), serial, self.work.is_some()) {
                    self.renew(Demand::Ahead);
                }
            }
            Command::SignIn(opening, waiter) => {
                self.signed_out = false;
                self.sign_in_waiters.push(waiter);
                self.begin_sign_in(opening).await;
            }
            Command::SignOut(reply) => {
                let signed_out = self.sign_out().await;
                let _ = reply.send(signed_out);
            }
            Command::Leave(reply) => {
                self.leave().await;
                let _ = reply.send(());
            }
            Command::Reload(reply) => {
                self.loaded = false;
                self.load().await;
                let _ = reply.send(());
            }
            // The loop ends at it.
            Command::Finish(reply) => drop(reply),
        }
    }

    /// Calls off a sign-in, for nobody waits for the person any more; a renewal is its owner's to finish.
    async fn finish(mut self, reply: oneshot::Sender<()>) {
        match self.work.take() {
            Some(Work::SigningIn(work)) => work.abort(),
            Some(Work::Minting(_, work)) => drop(work.await),
            None => {}
        }
        let _ = reply.send(());
    }

    async fn need(&mut self, need: Need, waiter: Waiter) {
        if need.challenged {
            self.shared.bare.store(false, Ordering::Relaxed);
            self.challenged = true;
            let before = self.challenge.take();
            self.challenge = need.challenge.clone().or(before);
        }
        let fresh = self.shared.at_hand.load().filter(|held| self.is_fresh(held));
        match arrival(fresh, need.refused, self.work.is_some()) {
            Arrival::Served(held) => {
                let _ = waiter.send(Ok(Some(held)));
                return;
            }
            Arrival::Waits => {
                self.waiters.push(waiter);
                return;
            }
            Arrival::Free => {}
        }
        if !self.loaded && self.work.is_none() && self.key_store_failed_at.is_none_or(|failed| failed <= need.since) {
            self.load().await;
        }
        if self.work.is_some() {
            self.waiters.push(waiter);
            return;
        }
        match self.next_move(need.refused, need.challenged) {
            Move::Bare => {
                self.shared.bare.store(true, Ordering::Relaxed);
                let _ = waiter.send(Ok(None));
            }
            Move::Give(held) => {
                let _ = waiter.send(Ok(Some(held)));
            }
            Move::Fail(error) => {
                let _ = waiter.send(Err(error));
            }
            Move::Renew => {
                self.waiters.push(waiter);
                self.stand(Standing::Renewing);
                if !self.renew(Demand::Waiting) {
                    self.answer_waiters(&Err(CredentialError::SignInNeeded));
                }
            }
            Move::SignIn if need.initiative == Initiative::Waits => {
                if !matches!(self.state().standing, Standing::Needed(_)) {
                    self.stand(Standing::Needed(Because::NeverSignedIn));
                }
                let _ = waiter.send(Err(CredentialError::SignInNeeded));
            }
            Move::SignIn => {
                self.waiters.push(waiter);
                self.begin_sign_in(Opening::browser()).await;
            }
            Move::LookElsewhere if need.initiative == Initiative::Waits => {
                let _ = self.refuse();
                let _ = waiter.send(Err(CredentialError::RefusedByServer));
            }
            Move::LookElsewhere => {
                self.waiters.push(waiter);
                self.begin_sign_in_for(Aim::Elsewhere, Opening::browser()).await;
            }
        }
    }

    /// Asks the grant's owner for a bearer; false if there is nothing to renew with.
    pub(super) fn renew(&mut self, demand: Demand) -> bool {
        let Some(attached) = self.attached.as_ref().filter(|attached| attached.is_renewable()) else { return false };
        let wish = Wish { target: attached.target.clone(), upstream: self.parts.config.url.clone(), demand };
        let handle = Arc::clone(&attached.handle);
        self.work = Some(Work::Minting(demand, tokio::spawn(async move { handle.mint(wish).await })));
        true
    }

    async fn settle(&mut self, done: Done) {
        match done {
            Done::Minted(_, Ok(minted)) => self.renewed(minted),
            Done::Minted(demand, Err(error)) => self.not_renewed(demand, error).await,
            Done::SignedIn(signed_in) => match *signed_in {
                Ok((Fruit::Grant(obtained), finish)) => self.signed_in(*obtained, finish).await,
                Ok((Fruit::Joined(joined, target), finish)) => self.joined(joined, target, finish).await,
                Err(error) => {
                    if let Some(error) = self.not_replaced(error) {
                        self.not_signed_in(error);
                    }
                }
            },
            Done::Broken => self.broke_off(),
        }
    }

    fn renewed(&mut self, minted: Minted) {
        let Some(attached) = &self.attached else {
            // Signed out meanwhile: nobody may have it.
            self.answer_waiters(&Err(CredentialError::SignInNeeded));
            return;
        };
        let account = attached.handle.facts().account.clone();
        self.parts.trail.event(Event::Renewed { server: self.parts.server.clone(), account: account.email.clone() });
        self.hold(minted, &account);
        self.show_signed_in();
        self.give_to_waiters();
    }

    async fn not_renewed(&mut self, demand: Demand, error: MintError) {
        // What is at hand was asked to be replaced: either it is over, or its server refused it.
        let serves = demand == Demand::Ahead;
        match error {
            MintError::Over(Ending::SignedOut) => self.now_signed_out(),
            MintError::Over(ending) => self.sign_in_again(serves, ending.into()).await,
            MintError::Refused { code } => {
                tracing::info!(server = %self.parts.server, %code, "the issuer gives no bearer for this server any more");
                let (store, server) = (Arc::clone(&self.parts.store), self.parts.server.clone());
                let _ = tokio::task::spawn_blocking(move || store.remove_served(&server)).await;
                let at = self.parts.ports.clock.now();
                self.sign_in_again(serves, Because::Ended { at }).await;
            }
            MintError::Unreachable { .. } if serves && self.waiters.is_empty() => {
                self.shared.at_hand.may_ask_again(self.serial);
            }
            // Somebody has begun to wait meanwhile, for whom more is tried.
            MintError::Unreachable { .. } if serves && self.renew(Demand::Waiting) => {}
            MintError::Unreachable { detail, since } => {
                self.stand(Standing::Unreachable { detail: detail.clone(), since });
                self.answer_waiters(&Err(CredentialError::IssuerUnavailable(detail)));
            }
        }
    }

    async fn sign_in_again(&mut self, serves: bool, because: Because) {
        if !serves {
            self.shared.at_hand.replace(None);
        }
        self.keep_in_mind();
        self.attached = None;
        self.challenged = true;
        self.stand(Standing::Needed(because));
        if !self.waiters.is_empty() {
            self.begin_sign_in(Opening::browser()).await;
        }
    }

    /// The grant's owner tells something new of it.
    fn grant_changed(&mut self, life: Life) {
        match life {
            Life::Good { .. } if matches!(self.state().standing, Standing::SignedIn { .. }) => self.show_signed_in(),
            Life::Good { .. } => {}
            Life::Over(Ending::SignedOut) => self.now_signed_out(),
            // A bearer that is fresh serves to its end; who renews hears of it by the answer.
            Life::Over(_) if self.work.is_some() => {}
            Life::Over(ending) => {
                self.keep_in_mind();
                self.attached = None;
                self.challenged = true;
                self.stand(Standing::Needed(ending.into()));
            }
        }
    }

    /// The work panicked. What there is is asked of the key store again.
    fn broke_off(&mut self) {
        self.loaded = false;
        self.stand(Standing::Unknown);
        self.answer_waiters(&Err(CredentialError::IssuerUnavailable("the attempt broke off".to_owned())));
        self.answer_sign_in(&Err(Arc::new(SignInError::CalledOff)));
    }

    pub(super) fn be_quiet(&mut self) {
        self.quiet_until = Some(self.parts.ports.clock.boot() + QUIET);
    }

    pub(super) fn put_at_hand(&self, held: Held) {
        self.shared.at_hand.replace(Some(Arc::new(held)));
    }

    pub(super) fn give_to_waiters(&mut self) {
        let answer = match self.shared.at_hand.load() {
            Some(held) => Ok(Some(held)),
            None => Err(CredentialError::SignInNeeded),
        };
        self.answer_waiters(&answer);
    }

    pub(super) fn answer_waiters(&mut self, answer: &Result<Option<Arc<Held>>, CredentialError>) {
        for waiter in self.waiters.drain(..) {
            let _ = waiter.send(answer.clone());
        }
    }

    pub(super) fn answer_sign_in(&mut self, answer: &Result<(), Arc<SignInError>>) {
        for waiter in self.sign_in_waiters.drain(..) {
            let _ = waiter.send(answer.clone());
        }
    }

    pub(super) fn state(&self) -> SignInState {
        self.shared.state.borrow().clone()
    }

    pub(super) fn stand(&self, standing: Standing) {
        self.shared.state.send_modify(|state| state.standing = standing);
        self.parts.changed.send_modify(|count| *count += 1);
    }

    pub(super) fn show(&self, standing: Standing, facts: &GrantFacts) {
        let account = (facts.account != Account::default()).then(|| facts.account.clone());
        let issuer = Some(facts.issuer.to_string());
        let sign_in = Some(facts.sign_in());
        let deviations = facts.deviations.iter().map(ToString::to_string).collect();
        self.shared.state.send_replace(SignInState { standing, account, issuer, sign_in, deviations, ends: None });
        self.parts.changed.send_modify(|count| *count += 1);
    }
}

/// The end of the work under way; waits for ever while there is none.
async fn finished(work: &mut Option<Work>) -> Done {
    match work {
        Some(Work::Minting(demand, work)) => match work.await {
            Ok(minted) => Done::Minted(*demand, minted),
            Err(_) => Done::Broken,
        },
        Some(Work::SigningIn(work)) => match work.await {
            Ok(signed_in) => Done::SignedIn(Box::new(signed_in)),
            Err(_) => Done::Broken,
        },
        None => std::future::pending().await,
    }
}

/// What the owner of the grant tells next; waits for ever while there is none.
async fn changed(attached: &mut Option<Attached>) -> Life {
    if let Some(attached) = attached
        && attached.state.changed().await.is_ok()
    {
        return attached.state.borrow_and_update().life;
    }
    std::future::pending().await
}
