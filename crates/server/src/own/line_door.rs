//! One client of Keybearer's own server at the stdio door: `keybearer stdio` without a name.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use keybearer_control::bridge::{NOTICE_MARK, Notice};
use keybearer_core::clients::Registered;
use keybearer_mcp::peek::{Kind, peek};
use keybearer_mcp::reply;
use keybearer_model::caller::Caller;
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use super::hub::Hub;
use super::outbox::Outbox;
use super::raw::{Frame, Object};
use crate::calls;
use crate::stdio::Bridges;
use crate::stdio::lines::{Line, Lines};

/// How long a client that has hung up may still be answered.
const FAREWELL: Duration = Duration::from_secs(2);

/// One client's lines.
pub(crate) struct LineDoor {
    hub: Arc<Hub>,
    out: Outbox,
    requests: JoinSet<()>,
    /// What is under way, by the client's id as it was written.
    running: HashMap<String, AbortHandle>,
}

impl LineDoor {
    /// Serves a client until it hangs up or is revoked. When the core drains, a client that `notices` is told so and
    /// hangs up by itself.
    pub(crate) async fn serve(
        bridges: Bridges,
        caller: Arc<Caller>,
        registered: Option<Arc<Registered>>,
        mut lines: Lines<impl AsyncRead + Unpin>,
        writer: impl AsyncWrite + Unpin + Send + 'static,
        notices: bool,
    ) {
        let (sender, outgoing) = mpsc::channel(64);
        let writing = tokio::spawn(write(outgoing, writer));
        let out = Outbox::new(sender);
        let mut draining = bridges.draining.clone();
        let mut revoked = registered.as_ref().map(|client| client.revoked());
        let hub = Hub::new(bridges, caller, registered, out.clone());
        let mut door = Self { hub, out, requests: JoinSet::new(), running: HashMap::new() };
        let mut told = false;
        loop {
            tokio::select! {
                line = lines.next() => match line {
                    Some(line) => door.take(line).await,
                    None => break,
                },
                Some(_) = door.requests.join_next() => door.running.retain(|_, running| !running.is_finished()),
                () = gone(&mut revoked) => {
                    door.requests.shutdown().await;
                    break;
                }
                () = draining.begun(), if notices && !told => {
                    told = true;
                    door.out.send(notice(Notice::Draining)).await;
                }
            }
        }
        // A client that only closed its sending half still reads what it has asked for.
        let rest = async { while door.requests.join_next().await.is_some() {} };
        let patience = if told { calls::PATIENCE_AT_A_DRAIN } else { FAREWELL };
        let _ = tokio::time::timeout(patience, rest).await;
        drop(door);
        let _ = tokio::time::timeout(FAREWELL, writing).await;
    }

    async fn take(&mut self, line: Line) {
        let line = match line {
            Line::Whole(line) if line.trim_ascii().is_empty() => return,
            Line::Whole(line) => line,
            Line::TooLong => {
                let text = "the message is longer than 4 MiB";
                self.out.send(reply::error("null", -32600, "too_large", text).into()).await;
                return;
            }
        };
        let message = match peek(&line) {
            Ok(message) => message,
            Err(refused) => {
                self.out.send(reply::refused(&refused).into()).await;
                return;
            }
        };
        let Some(frame) = Frame::read(&line) else { return };
        match &message.kind {
            Kind::Batch(_) => {
                let text = "several messages in one line are not served here; send them one by one";
                self.out.send(reply::error("null", -32600, "batch", text).into()).await;
            }
            Kind::Response { .. } => self.hub.asked.answered(frame),
            Kind::Notification => match frame.method.as_deref().unwrap_or_default() {
                "notifications/cancelled" => {
                    let id = Object::of(frame.params.as_deref()).get("requestId").map(|id| id.get().to_owned());
                    // What it waits for is dropped with it, and so called off.
                    if let Some(running) = id.and_then(|id| self.running.remove(&id)) {
                        running.abort();
                    }
                }
                method => self.hub.notified(method, frame.params.as_deref()).await,
            },
            // A handshake must be over before what follows it.
            Kind::Request { .. } if message.method.as_deref() == Some("initialize") => {
                answer(&self.hub, line.clone(), frame, &self.out).await;
            }
            Kind::Request { id } => {
                let (hub, out, line) = (Arc::clone(&self.hub), self.out.clone(), line.clone());
                let running = self.requests.spawn(async move { answer(&hub, line, frame, &out).await });
                self.running.insert((*id).to_owned(), running);
            }
        }
    }
}

async fn answer(hub: &Arc<Hub>, line: Bytes, frame: Frame, out: &Outbox) {
    let Ok(message) = peek(&line) else { return };
    let id = frame.id.clone();
    let answer = hub.answer(&message, frame, out.clone()).await;
    out.send(answer.message(id.as_deref().unwrap_or(RawValue::NULL))).await;
}

/// A line of ours for the bridge, which does not pass it on.
fn notice(notice: Notice) -> Bytes {
    let mut line = vec![NOTICE_MARK];
    line.extend(serde_json::to_vec(&notice).unwrap_or_default());
    line.into()
}

async fn gone(revoked: &mut Option<tokio::sync::watch::Receiver<bool>>) {
    if let Some(watched) = revoked
        && watched.wait_for(|revoked| *revoked).await.is_ok()
    {
        return;
    }
    std::future::pending::<()>().await;
}

async fn write(mut outgoing: mpsc::Receiver<Bytes>, mut writer: impl AsyncWrite + Unpin) {
    while let Some(message) = outgoing.recv().await {
        let mut line = BytesMut::with_capacity(message.len() + 1);
        line.extend_from_slice(&message);
        line.extend_from_slice(b"\n");
        if writer.write_all(&line).await.is_err() {
            return;
        }
    }
}
