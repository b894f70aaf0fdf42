//! The owner task of a keeper: all that changes a server's grant happens here, one thing after another.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keybearer_model::grant::{Account, Grant};
use keybearer_model::secret::Secret;
use keybearer_model::time::BootTime;
use keybearer_oauth::challenge::Challenge;
use keybearer_oauth::login::Obtained;
use keybearer_oauth::renew::RenewError;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::next::Move;
use super::work::{self, Done, Renewal};
use super::{Command, CredentialError, Held, Initiative, Need, Parts, Revocation, Shared, SignInState, Standing};
use crate::audit::Event;
use crate::config::{AuthConfig, OAuthConfig};
use crate::ports::{KeyStoreError, SurfaceEnding};
use crate::sign_in::{Finish, Opening, SignIn, SignInError};

/// After a sign-in that failed, calls open no new one for this long: a model that tries again must not open tabs.
const QUIET: Duration = Duration::from_secs(60);

/// How long until a keychain that did not answer is asked again to take a grant.
const SAVE_AGAIN: Duration = Duration::from_secs(15);

pub(super) type Waiter = oneshot::Sender<Result<Option<Arc<Held>>, CredentialError>>;

pub(super) struct Owner {
    pub(super) parts: Parts,
    pub(super) shared: Arc<Shared>,
    pub(super) grant: Option<Grant>,
    /// The key store has been asked what it holds.
    pub(super) loaded: bool,
    /// When it last failed to tell.
    pub(super) key_store_failed_at: Option<BootTime>,
    /// The keychain holds the grant as it is.
    pub(super) saved: bool,
    /// The keychain did not answer when it was to take the grant: it is asked again.
    pub(super) save_again: bool,
    /// The server has refused a message without a credential, with this challenge if it sent one.
    pub(super) challenged: bool,
    pub(super) challenge: Option<Challenge>,
    /// The person has signed out: calls do not open a sign-in by themselves.
    pub(super) signed_out: bool,
    pub(super) quiet_until: Option<BootTime>,
    pub(super) serial: u64,
    pub(super) work: Option<JoinHandle<Done>>,
    pub(super) waiters: Vec<Waiter>,
    pub(super) sign_in_waiters: Vec<oneshot::Sender<Result<(), Arc<SignInError>>>>,
}

impl Owner {
    pub(super) fn new(parts: Parts, shared: Arc<Shared>) -> Self {
        Self {
            parts,
            shared,
            grant: None,
            loaded: false,
            key_store_failed_at: None,
            saved: false,
            save_again: false,
            challenged: false,
            challenge: None,
            signed_out: false,
            quiet_until: None,
            serial: 0,
            work: None,
            waiters: Vec::new(),
            sign_in_waiters: Vec::new(),
        }
    }

    pub(super) async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        self.load().await;
        let finishing = loop {
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Finish(reply)) => break Some(reply),
                    Some(command) => self.obey(command).await,
                    None => break None,
                },
                done = finished(&mut self.work) => {
                    self.work = None;
                    match done {
                        Some(done) => self.settle(done).await,
                        None => self.broke_off(),
                    }
                }
                () = tokio::time::sleep(SAVE_AGAIN), if self.save_again && self.work.is_none() => {
                    self.save_again().await;
                }
            }
        };
        // A renewal that is on its way goes on to its end: a refresh token may already be spent.
        if let Some(work) = self.work.take()
            && let Ok(Done::Renewed(grant, Ok(Renewal { saved: Some(Err(_)), .. }))) = work.await
        {
            self.grant = Some(grant);
            self.save_again = true;
        }
        if self.save_again {
            self.save_again().await;
        }
        if let Some(reply) = finishing {
            let _ = reply.send(());
        }
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Need(need, waiter) => self.need(need, waiter).await,
            Command::RenewAhead => {
                if self.work.is_none() && !self.renew() {
                    self.shared.renewing_ahead.store(true, Ordering::Relaxed);
                }
            }
            Command::SignIn(opening, waiter) => {
                self.signed_out = false;
                self.sign_in_waiters.push(waiter);
                self.begin_sign_in(opening).await;
            }
            Command::SignOut(reply) => {
                let revocation = self.sign_out().await;
                let _ = reply.send(revocation);
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

    async fn need(&mut self, need: Need, waiter: Waiter) {
        if need.challenged {
            self.shared.bare.store(false, Ordering::Relaxed);
            self.challenged = true;
            let before = self.challenge.take();
            self.challenge = need.challenge.clone().or(before);
        }
        let held = self.shared.held.load_full();
        let newer = held.filter(|held| Some(held.serial) != need.refused && self.is_fresh(held));
        if let Some(held) = newer {
            let _ = waiter.send(Ok(Some(held)));
            return;
        }
        if self.work.is_some() {
            self.waiters.push(waiter);
            return;
        }
        if !self.loaded && self.key_store_failed_at.is_none_or(|failed| failed <= need.since) {
            self.load().await;
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
                if !self.renew() {
                    self.answer_waiters(&Err(CredentialError::SignInNeeded));
                }
            }
            Move::SignIn if need.initiative == Initiative::Waits => {
                if !matches!(self.state().standing, Standing::Needed(_)) {
                    self.stand(Standing::Needed("You have not signed in yet.".to_owned()));
                }
                let _ = waiter.send(Err(CredentialError::SignInNeeded));
            }
            Move::SignIn => {
                self.waiters.push(waiter);
                self.begin_sign_in(Opening::browser()).await;
            }
        }
    }

    /// Starts a renewal; false if there is nothing to renew with.
    pub(super) fn renew(&mut self) -> bool {
        match self.grant.take() {
            Some(grant) if grant.refresh_token.is_some() => {
                let (ports, custody) = (self.parts.ports.clone(), self.parts.custody.clone());
                self.work = Some(tokio::spawn(work::renew(ports, custody, self.parts.config.url.clone(), grant)));
                true
            }
            grant => {
                self.grant = grant;
                false
            }
        }
    }

    /// Starts a sign-in, or lets a running one serve.
    async fn begin_sign_in(&mut self, opening: Opening) {
        if self.work.is_some() {
            return;
        }
        let AuthConfig::OAuth(settings) = self.parts.config.auth.clone() else {
            self.answer_waiters(&Err(CredentialError::RefusedByServer));
            for waiter in self.sign_in_waiters.drain(..) {
                let _ = waiter.send(Ok(()));
            }
            return;
        };
        let client_secret = match self.client_secret(&settings).await {
            Ok(secret) => secret,
            Err(error) => {
                self.key_store_failed(&error);
                return;
            }
        };
        let sign_in = SignIn {
            upstream: self.parts.config.url.clone(),
            challenge: self.challenge.clone(),
            settings,
            client_secret,
            opening,
        };
        self.stand(Standing::SigningIn);
        let ports = self.parts.ports.clone();
        self.work = Some(tokio::spawn(async move { Done::SignedIn(sign_in.run(&ports).await) }));
    }

    async fn client_secret(&self, settings: &OAuthConfig) -> Result<Option<Secret>, KeyStoreError> {
        if settings.client_id.is_none() { Ok(None) } else { self.parts.custody.client_secret(&self.parts.server).await }
    }

    /// The work panicked. What the grant was is asked of the key store again.
    fn broke_off(&mut self) {
        self.loaded = false;
        self.stand(Standing::Unknown);
        self.answer_waiters(&Err(CredentialError::IssuerUnavailable("the attempt broke off".to_owned())));
        for waiter in self.sign_in_waiters.drain(..) {
            let _ = waiter.send(Err(Arc::new(SignInError::CalledOff)));
        }
    }

    async fn settle(&mut self, done: Done) {
        match done {
            Done::Renewed(grant, Ok(renewal)) => self.renewed(grant, renewal),
            Done::Renewed(grant, Err(error)) => self.not_renewed(grant, error).await,
            Done::SignedIn(Ok((obtained, finish))) => self.signed_in(obtained, finish).await,
            Done::SignedIn(Err(error)) => self.not_signed_in(error),
        }
    }

    fn renewed(&mut self, grant: Grant, renewal: Renewal) {
        self.parts
            .trail
            .event(Event::Renewed { server: self.parts.server.clone(), account: grant.facts.account.email.clone() });
        let Renewal { renewed, received_at, saved } = renewal;
        self.hold(renewed.access_token, received_at, renewed.expires_in, &grant.facts.account);
        if let Some(stored) = saved {
            self.note_saving(&stored);
        }
        self.show(Standing::SignedIn { saved: self.saved }, &grant);
        self.grant = Some(grant);
        self.give_to_waiters();
    }

    async fn not_renewed(&mut self, grant: Grant, error: RenewError) {
        match error {
            RenewError::Transient(detail) => {
                self.grant = Some(grant);
                self.stand(Standing::Unreachable(detail.clone()));
                self.answer_waiters(&Err(CredentialError::IssuerUnavailable(detail)));
            }
            RenewError::Refused { code } => {
                tracing::info!(server = %self.parts.server, %code, "the sign-in has ended");
                self.forget(&grant).await;
                self.challenged = true;
                self.stand(Standing::Needed("Your sign-in has ended.".to_owned()));
                if !self.waiters.is_empty() {
                    self.begin_sign_in(Opening::browser()).await;
                }
            }
        }
    }

    async fn signed_in(&mut self, obtained: Obtained, finish: Finish) {
        let Obtained { grant, access_token, expires_in } = obtained;
        let received_at = self.parts.ports.clock.boot();
        let previous = self.grant.take().filter(|previous| previous.facts.id != grant.facts.id);
        self.save(&grant).await;
        // Whatever the key store still holds, this is the sign-in now.
        self.loaded = true;
        if let Some(previous) = previous {
            let _ = self.parts.custody.delete_grant(&previous.facts.id, previous.generation).await;
        }
        self.serial = 0;
        self.hold(access_token, received_at, expires_in, &grant.facts.account);
        self.signed_out = false;
        self.quiet_until = None;
        self.show(Standing::SignedIn { saved: self.saved }, &grant);
        self.parts.trail.event(Event::SignIn {
            server: self.parts.server.clone(),
            issuer: grant.facts.issuer.to_string(),
            account: grant.facts.account.email.clone(),
        });
        self.grant = Some(grant);
        finish.say(SurfaceEnding::SignedIn).await;
        for waiter in self.sign_in_waiters.drain(..) {
            let _ = waiter.send(Ok(()));
        }
        self.give_to_waiters();
    }

    fn not_signed_in(&mut self, error: SignInError) {
        tracing::info!(server = %self.parts.server, %error, "signing in ended without success");
        self.quiet_until = Some(self.parts.ports.clock.boot() + QUIET);
        let login_text = error.to_string();
        self.stand(Standing::Needed(format!("Signing in did not work: {login_text}.")));
        let error = Arc::new(error);
        for waiter in self.sign_in_waiters.drain(..) {
            let _ = waiter.send(Err(Arc::clone(&error)));
        }
        self.answer_waiters(&Err(CredentialError::SignInNeeded));
    }

    async fn sign_out(&mut self) -> Revocation {
        match self.work.take() {
            Some(work) if self.grant.is_none() && self.state().standing != Standing::SigningIn => {
                // A renewal holds the grant: what it brings must be revoked, not what it spends.
                if let Ok(Done::Renewed(grant, _)) = work.await {
                    self.grant = Some(grant);
                }
            }
            Some(sign_in) => {
                sign_in.abort();
                for waiter in self.sign_in_waiters.drain(..) {
                    let _ = waiter.send(Err(Arc::new(SignInError::CalledOff)));
                }
            }
            None => {}
        }
        if !self.loaded {
            self.load().await;
        }
        self.signed_out = true;
        self.challenged = true;
        self.shared.bare.store(false, Ordering::Relaxed);
        self.shared.held.store(None);
        let revocation = match self.grant.take() {
            Some(grant) => {
                let revocation = work::revoke(&self.parts.ports, &self.parts.config.url, &grant).await;
                self.forget(&grant).await;
                revocation
            }
            None => Revocation::Nothing,
        };
        self.parts.trail.event(Event::SignOut { server: self.parts.server.clone() });
        self.shared.state.send_modify(|state| state.account = None);
        self.stand(Standing::Needed("You signed out.".to_owned()));
        self.answer_waiters(&Err(CredentialError::SignInNeeded));
        revocation
    }

    fn give_to_waiters(&mut self) {
        let answer = match self.shared.held.load_full() {
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

    pub(super) fn state(&self) -> SignInState {
        self.shared.state.borrow().clone()
    }

    pub(super) fn stand(&self, standing: Standing) {
        self.shared.state.send_modify(|state| state.standing = standing);
        self.parts.changed.send_modify(|count| *count += 1);
    }

    pub(super) fn show(&self, standing: Standing, grant: &Grant) {
        let account = (grant.facts.account != Account::default()).then(|| grant.facts.account.clone());
        let issuer = Some(grant.facts.issuer.to_string());
        self.shared.state.send_replace(SignInState { standing, account, issuer });
        self.parts.changed.send_modify(|count| *count += 1);
    }
}

/// The end of the work under way; waits for ever while there is none. `None`: it panicked or was aborted.
async fn finished(work: &mut Option<JoinHandle<Done>>) -> Option<Done> {
    match work {
        Some(work) => work.await.ok(),
        None => std::future::pending().await,
    }
}
