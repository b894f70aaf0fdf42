//! The stateless era's own duties of a client of HTTP: arguments in headers, and tools whose wish for them breaks the
//! rules (2026-07-28).

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode};
use keybearer_core::admission::Refusal;
use keybearer_mcp::modern;
use keybearer_mcp::parameters;
use keybearer_mcp::peek::{Peeked, peek};
use keybearer_model::call::MethodClass;

use super::delivery::{self, BodyKind};
use super::talk::{Talk, Waiting};
use crate::forward::Relay;

/// More pages of a list than this are not asked for.
const MOST_PAGES: usize = 100;

/// The answer to a call of the stateless era.
pub(super) enum Called {
    /// As it came.
    Relayed(Box<Response<Relay>>),
    /// An error whose body was read.
    Failed(StatusCode, Bytes),
}

impl Talk {
    /// The headers that mirror the arguments of a call.
    pub(super) fn parameter_headers(&self, message: &Peeked<'_>) -> HeaderMap {
        match &message.tool {
            Some(tool) if modern::is_modern(message) => {
                let wanted = self.wanted.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
                wanted.headers_for(tool, message.arguments.unwrap_or_default()).into_iter().collect()
            }
            Some(_) | None => HeaderMap::new(),
        }
    }

    /// Sends a tool's call. Where the server misses a header, the tools are looked up and it is sent once more: it was
    /// refused before anything was done.
    pub(super) async fn call_tool(
        self: &Arc<Self>,
        message: &Peeked<'_>,
        line: &Bytes,
        waiting: Waiting<'_>,
        sent: &AtomicBool,
    ) -> Result<Called, Refusal> {
        let relayed = self.post(message, line, waiting, sent).await?.0;
        if relayed.status() != StatusCode::BAD_REQUEST {
            return Ok(Called::Relayed(Box::new(relayed)));
        }
        let body = delivery::whole(relayed.into_body()).await.unwrap_or_default();
        if !parameters::is_mismatch(&body) || !self.look_up_tools(line).await {
            return Ok(Called::Failed(StatusCode::BAD_REQUEST, body));
        }
        Ok(Called::Relayed(Box::new(self.post(message, line, waiting, sent).await?.0)))
    }

    /// Asks for all pages of the tools. Whether there was an answer.
    async fn look_up_tools(self: &Arc<Self>, call: &Bytes) -> bool {
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let Some(request) = parameters::list_again(call, cursor.as_deref()) else { return false };
            let Some(page) = self.ask_for_page(&request.into()).await else { return false };
            self.learn(&page);
            cursor = parameters::next_cursor(&page);
            if cursor.is_none() {
                return true;
            }
        }
        true
    }

    async fn ask_for_page(self: &Arc<Self>, request: &Bytes) -> Option<Bytes> {
        let message = peek(request).ok()?;
        let waiting = Waiting::of(MethodClass::List);
        let (relayed, _) = self.post(&message, request, waiting, &AtomicBool::new(false)).await.ok()?;
        let (head, relay) = relayed.into_parts();
        self.answer_inside(relay, BodyKind::of(&head.headers), message.request_id()?).await
    }

    /// Learns from a list of tools; what goes on to the client, where that is not the answer itself.
    pub(super) fn learn(&self, answer: &[u8]) -> Option<Vec<u8>> {
        self.wanted.lock().unwrap_or_else(std::sync::PoisonError::into_inner).learn(answer)
    }
}
