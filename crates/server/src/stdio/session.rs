//! One client at the stdio door: its lines are taken in their order until it hangs up.

use std::sync::Arc;
use std::time::Duration;

use keybearer_control::bridge::Notice;
use keybearer_core::admission;
use keybearer_core::broker::Broker;
use keybearer_core::clients::Registered;
use keybearer_model::caller::Caller;
use keybearer_model::name::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};

use super::lines::Lines;
use super::outbox::{self, Outbox};
use super::talk::Talk;
use crate::answer;
use crate::calls;
use crate::draining::Draining;
use crate::forward::Forwarder;

/// How long an upstream may take to end its session after the client has gone.
const FAREWELL: Duration = Duration::from_secs(2);

/// Who talks to whom.
pub(super) struct Session {
    pub(super) broker: Broker,
    pub(super) forwarder: Arc<Forwarder>,
    pub(super) caller: Arc<Caller>,
    pub(super) registered: Option<Arc<Registered>>,
    pub(super) server: ServerName,
    /// Whether the person has let it begin before it began.
    pub(super) begun: admission::Session,
}

impl Session {
    pub(super) fn new(
        broker: Broker,
        forwarder: Arc<Forwarder>,
        caller: Arc<Caller>,
        registered: Option<Arc<Registered>>,
        server: ServerName,
        begun: admission::Session,
    ) -> Self {
        Self { broker, forwarder, caller, registered, server, begun }
    }

    /// Serves the client until it hangs up or is revoked; then ends the session upstream. When the core drains, a
    /// client that `notices` is told so and hangs up by itself.
    pub(super) async fn run(
        self,
        mut lines: Lines<impl AsyncRead + Unpin>,
        writer: impl AsyncWrite + Unpin + Send + 'static,
        mut draining: Draining,
        notices: bool,
    ) {
        let mut revoked = match &self.registered {
            Some(registered) => answer::revoked(registered.revoked()),
            None => Box::pin(std::future::pending()),
        };
        let (out, pieces) = outbox::outbox();
        let writing = tokio::spawn(outbox::write(pieces, writer));
        let talk = Talk::new(self, out.clone());
        let mut told = false;
        loop {
            tokio::select! {
                line = lines.next() => match line {
                    Some(line) => talk.take(line).await,
                    None => break,
                },
                () = revoked.as_mut() => break,
                () = draining.begun(), if notices && !told => {
                    told = true;
                    out.notice(Notice::Draining).await;
                }
            }
        }
        let patience = if told { calls::PATIENCE_AT_A_DRAIN } else { FAREWELL };
        end(&talk, &out, patience).await;
        let _ = tokio::time::timeout(FAREWELL, writing).await;
    }
}

async fn end(talk: &Arc<Talk>, out: &Outbox, patience: Duration) {
    // A client that only closed its sending half still reads what it has asked for.
    talk.finish(patience).await;
    out.close().await;
    let _ = tokio::time::timeout(FAREWELL, talk.say_goodbye()).await;
}
