//! The answer to one request over HTTP: a JSON text where nothing comes before it, else a stream of events.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tokio::sync::{mpsc, oneshot};
use tokio::task::AbortHandle;

use super::guests::Guest;
use crate::keep_alive::KeepAlive;
use crate::limits::Pass;

/// A stream of events: what comes meanwhile, and the answer as the last one.
pub(crate) struct Events {
    first: Option<Bytes>,
    meanwhile: mpsc::Receiver<Bytes>,
    last: Last,
    keep_alive: Option<KeepAlive>,
    revoked: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// What must go on, or end, with the stream.
    _guards: (Arc<Guest>, Option<Ending>),
    /// Counts it as under way.
    pass: Option<Pass>,
}

/// An answer.
pub(super) struct Done {
    pub(super) message: Bytes,
    /// The code of an error.
    pub(super) code: Option<i64>,
}

/// What a stream ends with.
pub(super) enum Last {
    /// Nothing: it goes on as long as messages come.
    Never,
    /// An answer that is still to come.
    Awaited(oneshot::Receiver<Done>),
    /// This answer, after all that came before it.
    Here(Done),
}

/// Work that ends when nobody reads its answer any more.
pub(super) struct Ending(pub(super) AbortHandle);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// What a stream is made of.
pub(super) struct Source {
    pub(super) meanwhile: mpsc::Receiver<Bytes>,
    pub(super) last: Last,
    pub(super) guest: Arc<Guest>,
    pub(super) ending: Option<Ending>,
}

/// The head of a stream of events.
pub(super) fn head() -> HeaderMap {
    let fields = [
        (CONTENT_TYPE, "text/event-stream"),
        (CACHE_CONTROL, "no-cache"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    fields.into_iter().map(|(name, value)| (name, HeaderValue::from_static(value))).collect()
}

impl Events {
    pub(super) fn new(source: Source, first: Option<Bytes>, keep_alive: Option<KeepAlive>) -> Self {
        let Source { meanwhile, last, guest, ending } = source;
        let revoked = guest.revoked();
        Self { first, meanwhile, last, keep_alive, revoked, _guards: (guest, ending), pass: None }
    }

    /// Counts as under way what this pass was given for.
    pub(crate) fn hold(&mut self, pass: Pass) {
        self.pass = Some(pass);
    }

    /// The next piece; `None` at the end.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Bytes>> {
        if self.revoked.as_mut().is_some_and(|revoked| revoked.as_mut().poll(context).is_ready()) {
            return Poll::Ready(None);
        }
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(self.event(&first)));
        }
        // Looked at before the messages: what was said before the answer is in the queue when the answer is here.
        if let Last::Awaited(last) = &mut self.last {
            match Pin::new(last).poll(context) {
                Poll::Ready(Ok(done)) => self.last = Last::Here(done),
                Poll::Ready(Err(_)) => return Poll::Ready(None),
                Poll::Pending => {}
            }
        }
        let message = self.meanwhile.poll_recv(context);
        if let Poll::Ready(Some(message)) = message {
            return Poll::Ready(Some(self.event(&message)));
        }
        match std::mem::replace(&mut self.last, Last::Never) {
            Last::Here(Done { message, .. }) => {
                self.meanwhile.close();
                return Poll::Ready(Some(self.event(&message)));
            }
            Last::Never if message.is_ready() => return Poll::Ready(None),
            waiting @ (Last::Never | Last::Awaited(_)) => self.last = waiting,
        }
        match &mut self.keep_alive {
            Some(keep_alive) => keep_alive.poll(context).map(Some),
            None => Poll::Pending,
        }
    }

    fn event(&mut self, message: &[u8]) -> Bytes {
        let mut event = BytesMut::with_capacity(message.len() + 24);
        event.extend_from_slice(b"event: message\ndata: ");
        // Line breaks in JSON can only be white space between tokens: a space says the same.
        event.extend(message.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte }));
        event.extend_from_slice(b"\n\n");
        let event = event.freeze();
        if let Some(keep_alive) = &mut self.keep_alive {
            keep_alive.passes(&event);
        }
        event
    }
}
