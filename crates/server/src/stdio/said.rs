//! What a client has said that its server must hear again in a new session.

use std::collections::BTreeMap;

use bytes::Bytes;
use keybearer_mcp::contact;
use keybearer_mcp::peek::Peeked;

/// More subscriptions of one session than this are not remembered.
const MOST_SUBSCRIPTIONS: usize = 1000;

/// The lines as they came.
#[derive(Default)]
pub(super) struct Said {
    /// What opened the conversation: `initialize`, `server/discover`, or the first list.
    pub(super) greeting: Option<Bytes>,
    /// The server has answered it.
    pub(super) is_welcome: bool,
    /// The server's own stream is followed.
    pub(super) listens: bool,
    /// Somebody looks for what a person gives.
    pub(super) watches: bool,
    initialized: Option<Bytes>,
    /// The server has heard `initialized`, or is about to.
    told_initialized: bool,
    log_level: Option<Bytes>,
    subscriptions: BTreeMap<String, Bytes>,
    /// The client was offered the tool that asks for a sign-in, and has not asked for the server's tools since.
    pub(super) offered: bool,
}

impl Said {
    /// Another greeting: what was said before it is over.
    pub(super) fn greet(&mut self, line: &Bytes) {
        *self = Self {
            greeting: Some(line.clone()),
            offered: self.offered,
            listens: self.listens,
            watches: self.watches,
            ..Self::default()
        };
    }

    /// Remembers what a new session must hear.
    pub(super) fn note(&mut self, message: &Peeked<'_>, line: &Bytes) {
        match message.method.as_deref() {
            Some("notifications/initialized") => self.initialized = Some(line.clone()),
            Some("logging/setLevel") => self.log_level = Some(line.clone()),
            Some("resources/subscribe") if self.subscriptions.len() < MOST_SUBSCRIPTIONS => {
                if let Some(uri) = contact::aside(line).uri {
                    self.subscriptions.insert(uri, line.clone());
                }
            }
            Some("resources/unsubscribe") => {
                contact::aside(line).uri.and_then(|uri| self.subscriptions.remove(&uri));
            }
            Some("tools/list") => self.offered = false,
            Some(_) | None => {}
        }
    }

    /// The line that says `initialized`, for whoever asks first since the last handshake.
    pub(super) fn claim_initialized(&mut self) -> Option<Bytes> {
        let line = self.initialized.clone()?;
        (!std::mem::replace(&mut self.told_initialized, true)).then_some(line)
    }

    /// The server has forgotten the session: everything is to be said again.
    pub(super) fn forget_told(&mut self) {
        self.told_initialized = false;
    }

    /// The requests that a new session must hear after `initialized`.
    pub(super) fn lasting(&self) -> Vec<Bytes> {
        self.log_level.iter().chain(self.subscriptions.values()).cloned().collect()
    }
}
