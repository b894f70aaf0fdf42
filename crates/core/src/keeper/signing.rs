//! Signing in and out of one server.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use keybearer_model::grant::{Account, Grant, GrantFacts, Target};
use keybearer_model::name::ServerName;
use keybearer_model::secret::Secret;
use keybearer_oauth::login::{Before, Obtained};
use keybearer_oauth::profile::Catalog;

use super::further::Aim;
use super::owner::{Attached, Owner, Work};
use super::{Because, CredentialError, Failure, Revocation, SignedOut, Standing};
use crate::audit::Event;
use crate::config::{AuthConfig, OAuthConfig};
use crate::grants::{Joined, Life, Minted};
use crate::ports::{KeyStoreError, SurfaceEnding};
use crate::sign_in::{Finish, Opening, Sharing, SignIn, SignInError};

impl Owner {
    /// Starts a sign-in, or lets a running one serve.
    pub(super) async fn begin_sign_in(&mut self, opening: Opening) {
        self.begin_sign_in_for(Aim::First, opening).await;
    }

    /// The same, for this.
    pub(super) async fn begin_sign_in_for(&mut self, aim: Aim, opening: Opening) {
        if self.work.is_some() {
            return;
        }
        let AuthConfig::OAuth(settings) = self.parts.config.auth.clone() else {
            self.answer_waiters(&Err(CredentialError::RefusedByServer));
            self.answer_sign_in(&Ok(()));
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
            surface: settings.surface.unwrap_or(*self.parts.surface.borrow()),
            settings,
            client_secret,
            document: self.parts.document.clone(),
            registrations: self.parts.registrations.clone(),
            rounds: self.parts.rounds.clone(),
            before: self.facts().map(|facts| Before::of(&facts)).or_else(|| self.before.clone()),
            purpose: aim.purpose(),
            // Somebody who signs in where a sign-in serves wants another one.
            sharing: if self.attached.is_some() { Sharing::Never } else { aim.sharing() },
            account: self.account.clone(),
            grants: self.parts.grants.clone(),
            opening,
        };
        self.aim = aim;
        self.stand(Standing::SigningIn);
        let ports = self.parts.ports.clone();
        self.work = Some(Work::SigningIn(tokio::spawn(async move { sign_in.run(&ports).await })));
    }

    async fn client_secret(&self, settings: &OAuthConfig) -> Result<Option<Secret>, KeyStoreError> {
        if settings.client_id.is_none() { Ok(None) } else { self.parts.custody.client_secret(&self.parts.server).await }
    }

    pub(super) async fn signed_in(&mut self, obtained: Obtained, finish: Finish) {
        let Obtained { grant, access_token, expires_in, refresh_expires_in } = obtained;
        let received_at = self.parts.ports.clock.boot();
        let now = grant.facts.account.clone();
        // At another issuer the same person has another name.
        let same_issuer = self.facts().is_none_or(|facts| facts.issuer == grant.facts.issuer);
        let before = self.account.clone().filter(|before| same_issuer && is_somebody_else(before, &now));
        if let Some(before) = before {
            self.parts.grants.turn_down(grant, self.parts.config.url.clone());
            self.account_changed(before, now, finish).await;
            return;
        }
        let (target, facts) = (grant.facts.target(), grant.facts.clone());
        self.take_over(grant, target).await;
        self.follow(&facts).await;
        self.parts.foresight.heard(&facts.id, self.parts.ports.clock.now(), refresh_expires_in);
        self.serve_by(&facts, Minted { token: access_token, expires_in, received_at }, Vec::new(), finish).await;
    }

    /// A sign-in that is there serves this server, too.
    pub(super) async fn joined(&mut self, joined: Joined, target: Target, finish: Finish) {
        let Joined { handle, minted } = joined;
        let facts = handle.facts();
        self.loaded = true;
        let shares_with =
            self.parts.grants.serve_also(&handle, &self.parts.server, &self.parts.config.url, &target).await;
        self.attached = Some(Attached::new(handle, target));
        self.serve_by(&facts, minted, shares_with, finish).await;
    }

    /// A sign-in serves from now on, and its bearer is here.
    async fn serve_by(&mut self, facts: &GrantFacts, minted: Minted, shares_with: Vec<ServerName>, finish: Finish) {
        (self.aim, self.before, self.first_serial) = (Aim::First, None, self.serial + 1);
        self.hold(minted, &facts.account);
        (self.signed_out, self.quiet_until, self.account) = (false, None, Some(facts.account.clone()));
        self.show_signed_in();
        self.parts.trail.event(Event::SignIn {
            server: self.parts.server.clone(),
            issuer: facts.issuer.to_string(),
            account: facts.account.email.clone(),
            deviations: facts.deviations.iter().map(ToString::to_string).collect(),
            shares_with,
        });
        finish.say(SurfaceEnding::SignedIn).await;
        self.answer_sign_in(&Ok(()));
        self.give_to_waiters();
    }

    /// Has the end of the sign-in foreseen, by what is set for it or known of its kind.
    pub(super) async fn follow(&self, facts: &GrantFacts) {
        let AuthConfig::OAuth(settings) = &self.parts.config.auth else { return };
        let set = settings.sign_in_life.or_else(|| Catalog::bundled().of(&facts.issuer).sign_in_life());
        self.parts.foresight.follow(facts, set).await;
    }

    /// Gives a new grant to its owner, which stores it, and serves this server from it. What served it before and serves
    /// nobody else is given up here; it is not revoked, for its issuer may take that for the end of both.
    async fn take_over(&mut self, grant: Grant, target: Target) {
        let renewable = grant.refresh_token.is_some();
        let id = grant.facts.id.clone();
        let handle = self.parts.grants.adopt(grant).await;
        // Whatever the key store still holds, this is the sign-in now.
        self.loaded = true;
        let previous = self.attached.take().filter(|previous| previous.handle.facts().id != id);
        if let Some(previous) = previous {
            self.parts.grants.replace(&previous.handle, &self.parts.server, &self.parts.config.url).await;
        }
        if renewable {
            self.parts.grants.serve_also(&handle, &self.parts.server, &self.parts.config.url, &target).await;
        }
        self.attached = Some(Attached::new(handle, target));
    }

    /// Somebody else signed in than before: that needs the person's yes, which signing out first is (SEC-30).
    async fn account_changed(&mut self, before: Account, now: Account, finish: Finish) {
        tracing::info!(server = %self.parts.server, "another account signed in than before");
        finish.say(SurfaceEnding::Failed).await;
        self.be_quiet();
        self.stand(Standing::Needed(Because::AccountChanged { before: before.clone(), now: now.clone() }));
        self.answer_sign_in(&Err(Arc::new(SignInError::OtherAccount { before, now })));
        self.answer_waiters(&Err(CredentialError::SignInNeeded));
    }

    pub(super) fn not_signed_in(&mut self, error: SignInError) {
        tracing::info!(server = %self.parts.server, %error, "signing in ended without success");
        self.be_quiet();
        self.stand(Standing::Needed(Because::Failed { how: Failure::of(&error), detail: error.to_string() }));
        self.answer_sign_in(&Err(Arc::new(error)));
        self.answer_waiters(&Err(CredentialError::SignInNeeded));
    }

    pub(super) async fn sign_out(&mut self) -> SignedOut {
        self.call_off();
        if !self.loaded {
            self.load().await;
        }
        self.shared.at_hand.replace(None);
        let (revocation, mut with) = match self.attached.take() {
            Some(attached) => self.parts.grants.sign_out(&attached.handle, &self.parts.config.url).await,
            None => {
                self.forget_stored().await;
                (Revocation::Nothing, Vec::new())
            }
        };
        with.retain(|server| *server != self.parts.server);
        self.parts.trail.event(Event::SignOut { server: self.parts.server.clone() });
        self.now_signed_out();
        SignedOut { revocation, with }
    }

    /// The server is removed.
    pub(super) async fn leave(&mut self) {
        self.call_off();
        self.shared.at_hand.replace(None);
        match self.attached.take() {
            Some(attached) => {
                self.parts.grants.leave(&attached.handle, &self.parts.server, &self.parts.config.url).await;
            }
            None => self.forget_stored().await,
        }
        self.now_signed_out();
    }

    /// The person has signed out, here or at another server of the same sign-in.
    pub(super) fn now_signed_out(&mut self) {
        (self.signed_out, self.challenged, self.loaded) = (true, true, true);
        self.before = None;
        (self.attached, self.account) = (None, None);
        self.shared.bare.store(false, Ordering::Relaxed);
        self.shared.at_hand.replace(None);
        self.shared.state.send_modify(|state| (state.account, state.sign_in) = (None, None));
        self.stand(Standing::Needed(Because::SignedOut));
        self.answer_waiters(&Err(CredentialError::SignInNeeded));
    }

    /// Ends a sign-in that is open. A renewal goes on with its owner, and what it brings is revoked there.
    fn call_off(&mut self) {
        if let Some(Work::SigningIn(work)) = self.work.take() {
            work.abort();
        }
        self.answer_sign_in(&Err(Arc::new(SignInError::CalledOff)));
    }

    /// Forgets a grant that is over, or that the key store does not give.
    async fn forget_stored(&mut self) {
        if let Some((served, _)) = self.stored().await {
            self.parts.grants.give_up(&served.grant, &self.parts.server).await;
        }
    }

    /// Shows what the grant's owner says of it.
    pub(super) fn show_signed_in(&self) {
        let Some(attached) = &self.attached else { return };
        let saved = matches!(attached.life(), Life::Good { saved: true, .. });
        self.show(Standing::SignedIn { saved }, &attached.handle.facts());
    }
}

/// Whether two accounts are known to be two: an issuer that names nobody is taken at its word.
fn is_somebody_else(before: &Account, now: &Account) -> bool {
    matches!((&before.subject, &now.subject), (Some(before), Some(now)) if before != now)
}
