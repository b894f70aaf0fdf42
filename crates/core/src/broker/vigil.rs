//! What is looked at once a minute, outside the way of any call: which sign-ins end soon, and whether the machine slept;
//! and what is done when it comes back.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keybearer_model::name::{GrantId, ServerName};

use super::{Broker, Shared};
use crate::audit::Event;
use crate::keeper::{Initiative, SignInState, Standing};

/// How often it is looked.
const PAUSE: Duration = Duration::from_secs(60);

impl Broker {
    /// Looks for as long as anybody has this broker.
    pub(super) fn keep_watch(&self) {
        let shared = Arc::downgrade(&self.0);
        let came_back = Arc::clone(&self.0.came_back);
        tokio::spawn(async move {
            loop {
                let came_back = tokio::time::timeout(PAUSE, came_back.notified()).await.is_ok();
                let Some(shared) = shared.upgrade() else { return };
                let broker = Self(shared);
                broker.look_around();
                if came_back {
                    broker.try_again().await;
                }
            }
        });
    }

    /// The machine has come back from sleep or to a network, as somebody says who was told by the system. Those who say so
    /// while it is seen to are about the same return.
    pub fn come_back(&self) {
        self.0.came_back.notify_one();
    }

    /// What was known of issuers that did not answer is of before: sign-ins that wait for one are renewed, one after the
    /// other, and nobody is shown a window.
    async fn try_again(&self) {
        self.0.grants.forget_outages();
        let servers = self.0.servers.load_full();
        let waiting = servers.values().filter(|server| {
            let standing = server.keeper.state().standing;
            matches!(standing, Standing::Unreachable { .. })
        });
        let waiting: Vec<_> = waiting.map(Arc::clone).collect();
        tracing::info!(waiting = waiting.len(), "the machine has come back");
        for server in waiting {
            if let Err(error) = server.keeper.obtain(Initiative::Waits).await {
                tracing::info!(server = %server.name, %error, "not yet");
            }
        }
    }

    /// Tells the person of sign-ins that end soon: once for each, a day ahead or as soon as it is known.
    pub fn look_around(&self) {
        self.0.grants.notice_sleep();
        let mut sign_ins: BTreeMap<GrantId, Vec<(ServerName, SignInState)>> = BTreeMap::new();
        for (name, server) in self.0.servers.load().iter() {
            let state = server.keeper.state();
            if let Some(sign_in) = state.sign_in.clone().filter(|_| state.standing.is_signed_in()) {
                sign_ins.entry(sign_in).or_default().push((name.clone(), state));
            }
        }
        for (sign_in, mut served) in sign_ins {
            let Some(end) = self.0.foresight.tell(&sign_in, self.0.ports.clock.now()) else { continue };
            served.sort_by(|(one, _), (other, _)| one.cmp(other));
            let Some((_, state)) = served.first().cloned() else { continue };
            let servers = served.into_iter().map(|(name, _)| name).collect();
            tracing::info!(%sign_in, ends = %end.at, "a sign-in ends soon");
            let account = state.account.and_then(|account| account.email);
            let (issuer, at) = (state.issuer.unwrap_or_default(), end.at.to_string());
            self.0.trail.event(Event::SignInEnds { servers, issuer, account, at });
            self.touch();
        }
    }
}

impl Shared {
    /// The state with what is known of its end.
    pub(super) fn with_end(&self, mut state: SignInState) -> SignInState {
        if state.standing.is_signed_in() {
            let now = self.ports.clock.now();
            state.ends = state.sign_in.as_ref().and_then(|sign_in| self.foresight.near(sign_in, now));
        }
        state
    }
}
