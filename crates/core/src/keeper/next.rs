//! What a need leads to: the decision alone, without carrying it out.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use keybearer_model::time::BootTime;

use super::owner::{Attached, Owner};
use super::{CredentialError, Held, Offered, Standing};
use crate::config::AuthConfig;

/// A bearer that is refused within this time of its coming was never going to be accepted, unless it has been before.
const TOO_YOUNG: Duration = Duration::from_secs(120);

/// What is done next about a need.
pub(super) enum Move {
    /// Go without a credential.
    Bare,
    Give(Arc<Held>),
    Renew,
    SignIn,
    /// Find out whether the server has gone to another issuer; it is refused where it has not.
    LookElsewhere,
    Fail(CredentialError),
}

impl Owner {
    /// What a need leads to, when nothing is under way.
    pub(super) fn next_move(&mut self, refused: Option<u64>, challenged: bool) -> Move {
        let now = self.parts.ports.clock.boot();
        let held = self.shared.at_hand.load();
        if let (Some(held), None) = (&held, refused)
            && self.is_fresh(held)
        {
            return Move::Give(Arc::clone(held));
        }
        match &self.parts.config.auth {
            AuthConfig::None => return if challenged { self.refuse() } else { Move::Bare },
            AuthConfig::Header { .. } => return self.next_move_with_header(refused),
            AuthConfig::OAuth(_) => {}
        }
        if let (false, Standing::KeyStore(error)) = (self.loaded, &self.state().standing) {
            return Move::Fail(CredentialError::KeyStore(error.to_string()));
        }
        let ended_early =
            !self.was_in_vain(now) && held.as_ref().is_some_and(|held| held.accepted.load(Ordering::Relaxed));
        let young = held.and_then(|held| held.bearer.as_ref().map(|bearer| now.since(bearer.received_at) < TOO_YOUNG));
        if refused.is_some() && young == Some(true) && self.came_by_renewal() && !ended_early {
            self.in_vain_at = Some(now);
            return if self.may_have_moved() { Move::LookElsewhere } else { self.refuse() };
        }
        if self.attached.as_ref().is_some_and(Attached::is_renewable) {
            return Move::Renew;
        }
        if !self.challenged && self.attached.is_none() && !self.signed_out {
            return Move::Bare;
        }
        if refused.is_some() && young == Some(true) {
            return if self.may_have_moved() { Move::LookElsewhere } else { self.refuse() };
        }
        let quiet = self.quiet_until.is_some_and(|end| now < end);
        if self.signed_out || quiet { Move::Fail(CredentialError::SignInNeeded) } else { Move::SignIn }
    }
    pub(super) fn next_move_with_header(&mut self, refused: Option<u64>) -> Move {
        if let Standing::KeyStore(error) = self.state().standing {
            return Move::Fail(CredentialError::KeyStore(error.to_string()));
        }
        if refused.is_some() { self.refuse() } else { Move::Fail(CredentialError::SignInNeeded) }
    }

    /// Whether the bearer at hand is not the first since the sign-in: a renewal was tried and its fruit was refused.
    pub(super) fn came_by_renewal(&self) -> bool {
        self.serial > self.first_serial
    }

    /// Whether a renewal has just been of no use: a server that takes a bearer for one message and refuses it for the next
    /// must not cause one after the other.
    fn was_in_vain(&self, now: BootTime) -> bool {
        self.in_vain_at.is_some_and(|at| now.since(at) < TOO_YOUNG)
    }

    pub(super) fn refuse(&mut self) -> Move {
        self.stand(Standing::Refused(match &self.parts.config.auth {
            AuthConfig::OAuth(_) => Offered::Bearer,
            AuthConfig::Header { .. } => Offered::Header,
            AuthConfig::None => Offered::Nothing,
        }));
        Move::Fail(CredentialError::RefusedByServer)
    }

    pub(super) fn is_fresh(&self, held: &Held) -> bool {
        held.bearer.as_ref().is_none_or(|bearer| {
            let life = bearer.expires_at.map_or(Duration::MAX, |end| end.since(bearer.received_at));
            bearer.is_fresh(self.parts.ports.clock.boot(), (life / 10).min(Duration::from_secs(5)))
        })
    }
}
