//! Streams that the server writes to by itself, and streams that broke off and go on where they ended.

use std::sync::Arc;
use std::time::Duration;

use http::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use keybearer_core::admission::Refusal;
use keybearer_mcp::header::LAST_EVENT_ID;
use keybearer_mcp::modern;
use keybearer_mcp::peek::Peeked;

use super::delivery::{self, AnswerTo, BodyKind, Followed};
use super::talk::{Talk, headers};

/// How long to wait before a stream that ended is opened again, where the server names no time, and the most.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// How often a stream that broke off is asked for in vain before the request is given up.
const MOST_FAILURES: u32 = 5;

impl Talk {
    /// Follows the server's own stream in this session, and in those that come after it.
    pub(super) fn listen_always(self: &Arc<Self>) {
        if std::mem::replace(&mut self.said().listens, true) {
            return;
        }
        let talk = Arc::clone(self);
        self.tasks.background(async move {
            let mut opened = talk.opened.subscribe();
            loop {
                opened.borrow_and_update();
                tokio::select! {
                    () = talk.listen() => if opened.changed().await.is_err() { return },
                    changed = opened.changed() => if changed.is_err() { return },
                }
            }
        });
    }

    /// The server's own messages, on a stream that is opened again whenever it ends. A server without one answers 405.
    async fn listen(self: &Arc<Self>) {
        let mut last_id = None;
        let mut pause = PAUSE;
        if self.link().old.is_some() {
            return;
        }
        loop {
            let link = self.link().clone();
            let headers = resuming(headers(None, &link), last_id.as_deref());
            match self.send_bodiless(Method::GET, headers).await {
                Ok(relayed) if relayed.status().is_success() => {
                    let followed = delivery::follow(relayed.into_body(), None, AnswerTo::Client, &self.out).await;
                    last_id = followed.last_id.or(last_id);
                    pause = pause_of(followed.retry);
                }
                Ok(gone) if gone.status() == StatusCode::NOT_FOUND && link.session.is_some() => {
                    // Another session has a stream of its own.
                    let _ = self.open_again(gone, &link).await;
                    return;
                }
                Ok(relayed) if relayed.status().is_client_error() => return,
                Ok(_) | Err(Refusal::Unreachable(_) | Refusal::NotTrusted(_) | Refusal::Interrupted(_)) => {
                    pause = (pause * 2).min(LONGEST_PAUSE);
                }
                Err(Refusal::UnknownServer | Refusal::Denied(_) | Refusal::Credential(_)) => return,
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// Follows a request's stream on where it ended without the answer (2025-11-25: resuming is always by `GET`).
    /// Whether the answer came.
    pub(super) async fn resume(&self, mut followed: Followed, message: &Peeked<'_>, id: &str) -> bool {
        if modern::is_modern(message) {
            return false;
        }
        let mut failures = 0;
        while let Some(last_id) = followed.last_id.as_deref()
            && failures < MOST_FAILURES
        {
            tokio::time::sleep(pause_of(followed.retry)).await;
            let link = self.link().clone();
            match self.send_bodiless(Method::GET, resuming(headers(None, &link), Some(last_id))).await {
                Ok(relayed) if BodyKind::of(relayed.headers()) == BodyKind::EventStream => {
                    let next = delivery::follow(relayed.into_body(), Some(id), AnswerTo::Client, &self.out).await;
                    if next.answered {
                        return true;
                    }
                    failures = if next.last_id.is_some() { 0 } else { failures + 1 };
                    followed.last_id = next.last_id.or(followed.last_id);
                    followed.retry = next.retry.or(followed.retry);
                }
                Ok(relayed) if relayed.status().is_client_error() => return false,
                Ok(_) | Err(_) => failures += 1,
            }
        }
        false
    }
}

fn resuming(mut headers: HeaderMap, last_id: Option<&str>) -> HeaderMap {
    headers.remove(CONTENT_TYPE);
    headers.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    if let Some(Ok(id)) = last_id.map(HeaderValue::from_str) {
        headers.insert(LAST_EVENT_ID, id);
    }
    headers
}

fn pause_of(retry: Option<u64>) -> Duration {
    retry.map_or(PAUSE, Duration::from_millis).min(LONGEST_PAUSE)
}
