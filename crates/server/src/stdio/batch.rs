//! Several messages in one line, which 2025-03-26 alone has: each is judged for itself, and all of them go or none.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use http::header::HeaderValue;
use http::{Method, Response};
use keybearer_core::admission::{Permit, Refusal};
use keybearer_core::audit::Outcome;
use keybearer_mcp::peek::{Kind, Peeked, peek};
use keybearer_mcp::reply::{self, Obstacle};

use super::delivery::{self, BodyKind};
use super::talk::{Talk, Waiting, headers};
use crate::answer;
use crate::forward::{Outgoing, Relay};

/// The one version with batches.
const WITH_BATCHES: &str = "2025-03-26";

/// More messages in one line than this are refused.
const MOST: usize = 100;

impl Talk {
    /// Takes a line of several messages.
    pub(super) async fn take_batch(self: &Arc<Self>, messages: usize, line: &Bytes) {
        let spoken = self.link().version == Some(HeaderValue::from_static(WITH_BATCHES));
        if !spoken || !self.is_passing() || messages > MOST {
            let text = "several messages in one line are not served here; send them one by one";
            return self.out.message(&reply::error("null", -32600, "batch", text)).await;
        }
        let (talk, line) = (Arc::clone(self), line.clone());
        self.tasks.request(async move {
            if let Ok(Peeked { kind: Kind::Batch(messages), .. }) = peek(&line) {
                talk.exchange_batch(&messages, &line).await;
            }
        });
    }

    async fn exchange_batch(self: &Arc<Self>, messages: &[Peeked<'_>], line: &Bytes) {
        let mut open: BTreeSet<String> = messages.iter().filter_map(Peeked::request_id).map(str::to_owned).collect();
        match self.send_batch(messages, line).await {
            Ok(relayed) if relayed.status().is_success() => self.deliver_batch(relayed, &mut open).await,
            Ok(relayed) => {
                let status = relayed.status();
                let body = delivery::whole(relayed.into_body()).await.unwrap_or_default();
                for id in std::mem::take(&mut open) {
                    self.out.message(&self.failure_of(status, body.clone(), &id, "batch")).await;
                }
            }
            Err(refusal) => {
                for id in std::mem::take(&mut open) {
                    self.out.message(&reply::obstacle(&id, answer::obstacle(&refusal), &self.with.server)).await;
                }
            }
        }
        for id in open {
            self.out.message(&reply::obstacle(&id, Obstacle::Interrupted, &self.with.server)).await;
        }
    }

    /// One request with all of them, once each is allowed.
    async fn send_batch(&self, messages: &[Peeked<'_>], line: &Bytes) -> Result<Response<Relay>, Refusal> {
        let mut permits: Vec<Permit> = Vec::new();
        for message in messages {
            let call = self.call_of(message);
            let waiting = Waiting::of(call.class);
            permits.push(self.admit(call, message.arguments.unwrap_or_default(), waiting).await?);
        }
        let last = permits.pop().ok_or_else(|| Refusal::Unreachable("an empty batch".into()))?;
        let outgoing =
            Outgoing { method: Method::POST, client: None, headers: headers(None, &self.link()), body: line.clone() };
        let relayed = Box::pin(self.with.forwarder.forward(last, &outgoing)).await;
        for permit in permits {
            match &relayed {
                Ok(relayed) => permit.settle(Outcome::Answered { status: relayed.status().as_u16() }),
                Err(refusal) => drop(permit.refused(refusal.clone())),
            }
        }
        relayed
    }

    /// Each answer as a line of its own.
    async fn deliver_batch(&self, relayed: Response<Relay>, open: &mut BTreeSet<String>) {
        if BodyKind::of(relayed.headers()) == BodyKind::EventStream {
            delivery::follow_all(relayed.into_body(), open, &self.out).await;
            return;
        }
        let body = delivery::whole(relayed.into_body()).await.unwrap_or_default();
        for message in delivery::messages_in(&body) {
            delivery::strike_off(message, open);
            self.out.message(message).await;
        }
    }
}
