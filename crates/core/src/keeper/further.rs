//! A sign-in that replaces one that is good: the server wants more than it allows, or names another issuer now.
//!
//! Whatever comes of it, the one before goes on serving until another is there.

use std::sync::Arc;
use std::time::Duration;

use keybearer_model::grant::GrantFacts;
use keybearer_oauth::challenge::Challenge;
use keybearer_oauth::login::{Before, LoginError, Purpose};

use super::owner::{Owner, Waiter};
use super::{CredentialError, Initiative, More};
use crate::config::AuthConfig;
use crate::sign_in::{Opening, Sharing, SignInError};

/// So many windows a server may open in an hour for wanting more (SEC-31).
const MOST: usize = 2;
const AN_HOUR: Duration = Duration::from_secs(3600);

/// What the sign-in that is open is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Aim {
    /// For a sign-in, where there is none that serves.
    #[default]
    First,
    /// For more than the one that there is allows.
    More,
    /// To find out whether the server has gone to another issuer, and to sign in there.
    Elsewhere,
}

impl Owner {
    /// Serves whoever was refused with 403: another bearer, or `None` where no sign-in can help.
    pub(super) async fn step_up(&mut self, more: More, waiter: Waiter) {
        let held = self.shared.at_hand.load();
        let newer = held.filter(|held| held.serial != more.refused && self.is_fresh(held));
        if let Some(held) = newer {
            let _ = waiter.send(Ok(Some(held)));
            return;
        }
        if self.work.is_some() {
            self.waiters.push(waiter);
            return;
        }
        if more.initiative == Initiative::Waits || !self.may_ask_for(&more.challenge) {
            let _ = waiter.send(Ok(None));
            return;
        }
        self.asked_for_more.push(self.parts.ports.clock.boot());
        self.waiters.push(waiter);
        // What this one call needs is no matter of the next sign-in: that asks for all that this one asked for.
        let usual = self.challenge.replace(more.challenge);
        self.begin_sign_in_for(Aim::More, Opening::browser()).await;
        self.challenge = usual;
    }

    /// Whether the person can be asked for what a server wants, and whether it would change anything.
    fn may_ask_for(&mut self, challenge: &Challenge) -> bool {
        let now = self.parts.ports.clock.boot();
        self.asked_for_more.retain(|asked| now.since(*asked) < AN_HOUR);
        let quiet = self.quiet_until.is_some_and(|end| now < end);
        let AuthConfig::OAuth(_) = &self.parts.config.auth else { return false };
        let Some(facts) = self.facts() else { return false };
        let wanted = challenge.scope.as_deref().unwrap_or_default();
        let is_new = |scope: &str| !facts.scopes.iter().any(|has| has == scope);
        wanted.split_whitespace().any(is_new) && self.asked_for_more.len() < MOST && !quiet && !self.signed_out
    }

    /// Whether a bearer that is minutes old and refused may be one of an issuer that the server has left. It is looked up
    /// once a minute at most.
    pub(super) fn may_have_moved(&self) -> bool {
        let now = self.parts.ports.clock.boot();
        self.facts().is_some() && !self.signed_out && self.quiet_until.is_none_or(|end| end <= now)
    }

    /// What there is to say of the sign-in that would be replaced.
    pub(super) fn facts(&self) -> Option<Arc<GrantFacts>> {
        self.attached.as_ref().map(|attached| attached.handle.facts())
    }

    /// Remembers what a sign-in was for that ends now without the person's doing.
    pub(super) fn keep_in_mind(&mut self) {
        self.before = self.facts().map(|facts| Before::of(&facts));
    }

    /// A sign-in ended without success that was to replace one: that goes on. `Some` is for everybody else to hear.
    pub(super) fn not_replaced(&mut self, error: SignInError) -> Option<SignInError> {
        let aim = std::mem::take(&mut self.aim);
        self.be_quiet();
        match (aim, &error) {
            (Aim::Elsewhere, SignInError::Login(LoginError::NotMoved { .. } | LoginError::Unreachable { .. })) => {
                let _ = self.refuse();
                self.answer_waiters(&Err(CredentialError::RefusedByServer));
            }
            (Aim::More, _) if self.attached.is_some() => {
                tracing::info!(server = %self.parts.server, %error, "the sign-in stays as it was");
                self.show_signed_in();
                self.answer_waiters(&Err(CredentialError::SignInNeeded));
            }
            (Aim::First | Aim::More | Aim::Elsewhere, _) => return Some(error),
        }
        self.answer_sign_in(&Err(Arc::new(error)));
        None
    }
}

impl Aim {
    /// Whether a sign-in that is there may serve.
    pub(super) fn sharing(self) -> Sharing {
        match self {
            Self::First => Sharing::Allowed,
            Self::More | Self::Elsewhere => Sharing::Never,
        }
    }

    /// What the machine is told.
    pub(super) fn purpose(self) -> Purpose {
        match self {
            Self::First | Self::More => Purpose::Tokens,
            Self::Elsewhere => Purpose::Move,
        }
    }
}
