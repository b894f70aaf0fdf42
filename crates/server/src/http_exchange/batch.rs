//! Several messages in one body, as MCP 2025-03-26 alone has them: each is judged, asked about and recorded for itself,
//! and they go on together, byte for byte, or not at all.

use bytes::Bytes;
use http::header::HeaderMap;
use http::{Response, StatusCode};
use keybearer_core::admission::{Permit, Refusal};
use keybearer_core::audit::Outcome;
use keybearer_mcp::header::PROTOCOL_VERSION;
use keybearer_mcp::peek::Peeked;
use keybearer_mcp::reply;
use keybearer_model::call::Call;
use tokio::time::Instant;

use super::{Errand, Exchange};
use crate::answer::{self, Answer};
use crate::calls;

/// The one version that has batches.
const VERSION: &str = "2025-03-26";

/// The most messages of a batch.
const MOST: usize = 256;

/// Which of a batch's messages was refused, and why.
struct Refused {
    which: usize,
    refusal: Refusal,
}

impl Exchange {
    /// Judges and sends a batch.
    pub(super) async fn batch(&self, errand: &Errand<'_>, members: &[Peeked<'_>], body: Bytes) -> Response<Answer> {
        if !has_batches(&errand.head.headers) || members.len() > MOST {
            let text = "several messages in one request are not served here; send them one by one";
            return answer::json(StatusCode::BAD_REQUEST, reply::error("null", -32600, "batch", text));
        }
        let calls = members.iter().map(|member| calls::call_of(member, &errand.visitor.caller, errand.server));
        let calls: Vec<Call> = calls.collect();
        let Ok(session) = self.session(errand) else {
            calls.into_iter().for_each(|call| self.broker.record_refused(call, Outcome::UnknownSession));
            return answer::unknown_session(None);
        };
        let permits = match self.admit_all(errand, members, calls).await {
            Ok(permits) => permits,
            Err(refused) => return refuse(errand, members, &refused),
        };
        let mut permits = permits.into_iter();
        // A batch has at least one message: without one it was no message at all.
        let Some(first) = permits.next() else { return answer::empty(StatusCode::BAD_REQUEST) };
        let Ok(mut first) = self.in_session(&session, first) else {
            permits.for_each(|permit| permit.settle(Outcome::UnknownSession));
            return answer::unknown_session(None);
        };
        let account = session.account_to_bind(&first);
        let mut outgoing = errand.outgoing(body);
        first.pass_on(&errand.head.headers, &mut outgoing.headers);
        match self.forwarder.forward(first, &outgoing).await {
            Ok(relayed) => {
                self.follow(errand, &session, account.as_deref(), &relayed);
                self.relay(errand, relayed, permits.collect())
            }
            Err(refusal) => {
                permits.for_each(|permit| drop(permit.refused(refusal.clone())));
                let ids = members.iter().filter_map(Peeked::request_id);
                let obstacle = answer::obstacle(&refusal);
                array(&refusal, ids.map(|id| reply::obstacle(id, obstacle, errand.server)))
            }
        }
    }

    /// A permit for each, or the first refusal; then nobody is asked about the rest.
    async fn admit_all(
        &self,
        errand: &Errand<'_>,
        members: &[Peeked<'_>],
        calls: Vec<Call>,
    ) -> Result<Vec<Permit>, Refused> {
        let begun = Instant::now();
        let mut permits = Vec::with_capacity(calls.len());
        let mut waiting = members.iter().zip(calls).enumerate();
        while let Some((which, (member, call))) = waiting.next() {
            // The client waits for all of them at once.
            let patience = calls::patience(call.class).saturating_sub(begun.elapsed());
            match self.admit(errand, call, member.arguments.unwrap_or_default(), patience).await {
                Ok(permit) => permits.push(permit),
                Err(refusal) => {
                    permits.into_iter().for_each(|permit| permit.settle(Outcome::NotSent));
                    waiting.for_each(|(_, (_, call))| self.broker.record_refused(call, Outcome::NotSent));
                    return Err(Refused { which, refusal });
                }
            }
        }
        Ok(permits)
    }
}

/// Before 2025-06-18 no client says its version in a header.
fn has_batches(headers: &HeaderMap) -> bool {
    headers.get(PROTOCOL_VERSION).is_none_or(|version| version == VERSION)
}

/// An error for each request of the batch: its own for the one that was refused.
fn refuse(errand: &Errand<'_>, members: &[Peeked<'_>], refused: &Refused) -> Response<Answer> {
    let obstacle = answer::obstacle(&refused.refusal);
    let requests = members.iter().enumerate().filter_map(|(which, member)| Some((which, member.request_id()?)));
    let errors = requests.map(|(which, id)| {
        if which == refused.which {
            return reply::obstacle(id, obstacle, errand.server);
        }
        let text = "Keybearer: nothing of this batch was sent, because another part of it was refused.";
        reply::error(id, reply::codes::NOT_ALLOWED, "batch_refused", text)
    });
    array(&refused.refusal, errors)
}

fn array(refusal: &Refusal, errors: impl Iterator<Item = Vec<u8>>) -> Response<Answer> {
    let errors: Vec<Vec<u8>> = errors.collect();
    if errors.is_empty() {
        return answer::empty(StatusCode::FORBIDDEN);
    }
    let status = if *refusal == Refusal::UnknownServer { StatusCode::NOT_FOUND } else { StatusCode::OK };
    answer::json(status, [b"[".as_slice(), &errors.join(&b","[..]), b"]"].concat())
}
