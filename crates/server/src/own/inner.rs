//! One inner session: we are the client of one server, over lines, and every request of ours has an id of ours.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use keybearer_model::name::ServerName;
use serde_json::value::RawValue;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::sync::{mpsc, oneshot};

use super::outbox::Outbox;
use super::raw::{Answer, Frame, Object, Raw, message, raw};

/// The largest message that is taken from a server.
const LARGEST: u64 = 256 << 20;

const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

/// A session with one server.
pub(super) struct Inner {
    pub(super) server: ServerName,
    lines: mpsc::Sender<Bytes>,
    next: AtomicU64,
    waiting: Mutex<HashMap<u64, Waiting>>,
    ended: AtomicBool,
}

struct Waiting {
    answer: oneshot::Sender<Answer>,
    origin: Origin,
    token: Option<Raw>,
}

/// For whom a request is made.
#[derive(Clone)]
pub(super) struct Origin {
    /// Where what belongs to it goes.
    pub(super) stream: Outbox,
    /// The client's id for it, as it was written; a subscription is named by it.
    pub(super) id: Option<Raw>,
}

/// What a server says of its own accord.
pub(super) enum Heard {
    Request { id: Raw, method: String, params: Option<Raw> },
    Notification { method: String, params: Object },
}

impl Inner {
    /// A session whose lines go to `writer`.
    pub(super) fn start(server: ServerName, writer: impl AsyncWrite + Unpin + Send + 'static) -> Arc<Self> {
        let (lines, outgoing) = mpsc::channel(64);
        tokio::spawn(write(outgoing, writer));
        let (next, ended) = (AtomicU64::new(1), AtomicBool::new(false));
        Arc::new(Self { server, lines, next, waiting: Mutex::default(), ended })
    }

    /// Asks the server. `None`: the session has ended. Whoever stops waiting cancels the request.
    pub(super) async fn request(&self, method: &str, mut params: Object, origin: &Origin) -> Option<Answer> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        let mut meta = Object::of(params.get("_meta"));
        let token = meta.get("progressToken").map(ToOwned::to_owned);
        if token.is_some() {
            meta.set("progressToken", raw(&id));
            params.set("_meta", meta.raw());
        }
        self.waiting().insert(id, Waiting { answer: sender, origin: origin.clone(), token });
        let _request = Request { inner: self, id };
        if self.has_ended() {
            return None;
        }
        let params = (!params.is_empty()).then(|| params.raw());
        self.lines.send(message(Some(&raw(&id)), method, params.as_deref())).await.ok()?;
        answer.await.ok()
    }

    /// Tells the server something.
    pub(super) async fn notify(&self, method: &str, params: Option<&RawValue>) {
        let _ = self.lines.send(message(None, method, params)).await;
    }

    /// Answers a request of the server's.
    pub(super) async fn respond(&self, id: &RawValue, answer: &Answer) {
        let _ = self.lines.send(answer.message(id)).await;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Relaxed)
    }

    /// Where what the server says now belongs most likely: to the latest request that still has a reader.
    pub(super) fn current(&self) -> Option<Outbox> {
        let waiting = self.waiting();
        let open = waiting.iter().filter(|(_, one)| one.origin.stream.is_open());
        open.max_by_key(|(id, _)| **id).map(|(_, one)| one.origin.stream.clone())
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<u64, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The stream that a notification about one of our requests goes to, rewritten for the client.
    fn readdressed(&self, method: &str, params: &mut Object) -> Option<Outbox> {
        let number = |raw: &RawValue| raw.get().parse::<u64>().ok();
        if method == "notifications/progress" {
            let id = number(params.get("progressToken")?)?;
            let waiting = self.waiting();
            let one = waiting.get(&id)?;
            params.set("progressToken", one.token.clone()?);
            return Some(one.origin.stream.clone());
        }
        let mut meta = Object::of(params.get("_meta"));
        let id = number(meta.get(SUBSCRIPTION)?)?;
        let waiting = self.waiting();
        let one = waiting.get(&id)?;
        meta.set(SUBSCRIPTION, one.origin.id.clone()?);
        params.set("_meta", meta.raw());
        Some(one.origin.stream.clone())
    }
}

/// A request that is under way; dropped before its answer it is called off.
struct Request<'a> {
    inner: &'a Inner,
    id: u64,
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        if self.inner.waiting().remove(&self.id).is_some() && !self.inner.has_ended() {
            let params = raw(&serde_json::json!({ "requestId": self.id }));
            let _ = self.inner.lines.try_send(message(None, "notifications/cancelled", Some(&params)));
        }
    }
}

/// Reads what the server says until it hangs up. What is not about a request of ours goes to `hear`.
pub(super) async fn listen<F: Future<Output = ()>>(
    reader: impl AsyncRead + Unpin,
    session: Weak<Inner>,
    hear: impl Fn(Arc<Inner>, Heard) -> F,
) {
    let mut reader = BufReader::with_capacity(16 << 10, reader);
    loop {
        let mut line = Vec::new();
        let read = (&mut reader).take(LARGEST).read_until(b'\n', &mut line).await;
        let Some(inner) = session.upgrade() else { return };
        if !read.is_ok_and(|count| count > 0 && line.ends_with(b"\n")) {
            inner.ended.store(true, Ordering::Relaxed);
            inner.waiting().clear();
            return;
        }
        let Some(mut frame) = Frame::read(&line) else { continue };
        drop(line);
        match (frame.method.take(), frame.id.take()) {
            (None, Some(id)) => {
                let waiting = id.get().parse().ok().and_then(|id: u64| inner.waiting().remove(&id));
                if let Some(waiting) = waiting {
                    let _ = waiting.answer.send(frame.answer());
                }
            }
            (Some(method), Some(id)) => hear(inner, Heard::Request { id, method, params: frame.params }).await,
            (Some(method), None) => {
                let mut params = Object::of(frame.params.as_deref());
                match inner.readdressed(&method, &mut params) {
                    Some(stream) => {
                        stream.send(message(None, &method, Some(&params.raw()))).await;
                    }
                    // Progress of a request that nobody waits for any more.
                    None if method == "notifications/progress" => {}
                    None => hear(inner, Heard::Notification { method, params }).await,
                }
            }
            (None, None) => {}
        }
    }
}

async fn write(mut outgoing: mpsc::Receiver<Bytes>, mut writer: impl AsyncWrite + Unpin) {
    while let Some(line) = outgoing.recv().await {
        // Line breaks in JSON can only be white space between tokens: a space says the same.
        let mut line: Vec<u8> =
            line.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }).collect();
        line.push(b'\n');
        if writer.write_all(&line).await.is_err() {
            return;
        }
    }
    // The other half is still being read: only this tells the server that its client is gone.
    let _ = writer.shutdown().await;
}
