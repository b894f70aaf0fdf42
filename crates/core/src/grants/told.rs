//! What an owner tells everybody of its grant. The work that changes it tells, before it answers who waits.

use std::sync::Arc;

use keybearer_model::grant::{Grant, GrantFacts};
use tokio::sync::watch;

use super::{Ending, Life, State};

#[derive(Clone)]
pub(super) struct Told(Arc<watch::Sender<State>>);

impl Told {
    pub(super) fn new(state: watch::Sender<State>) -> Self {
        Self(Arc::new(state))
    }

    pub(super) fn facts(&self) -> Arc<GrantFacts> {
        Arc::clone(&self.0.borrow().facts)
    }

    pub(super) fn life(&self) -> Life {
        self.0.borrow().life
    }

    /// A new sign-in, which is stored or not.
    pub(super) fn replaced(&self, grant: &Grant, saved: bool) {
        let life = Life::Good { saved, renewable: grant.refresh_token.is_some() };
        self.0.send_replace(State { facts: Arc::new(grant.facts.clone()), life });
    }

    /// Whether it outlives this process; of no matter once it is over.
    pub(super) fn saved(&self, saved: bool) {
        self.0.send_if_modified(|state| match &mut state.life {
            Life::Good { saved: before, .. } => std::mem::replace(before, saved) != saved,
            Life::Over(_) => false,
        });
    }

    /// How it ended. Whoever signed out is told nothing else afterwards.
    pub(super) fn over(&self, ending: Ending) {
        self.0.send_if_modified(|state| match state.life {
            Life::Over(Ending::SignedOut) => false,
            Life::Good { .. } | Life::Over(_) => {
                std::mem::replace(&mut state.life, Life::Over(ending)) != Life::Over(ending)
            }
        });
    }
}
