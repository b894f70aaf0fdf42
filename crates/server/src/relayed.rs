//! A server's answer as a door gives it on: its bytes as they come, and what must end with it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::sync::watch;

use crate::answer::{self, Revoked};
use crate::forward::{BrokenOff, Relay};
use crate::keep_alive::KeepAlive;

/// The body of an answer that a server gives.
pub(crate) struct Relayed {
    relay: Relay,
    /// It ends when the client that asked is revoked (SEC-12).
    revoked: Option<Revoked>,
    keep_alive: Option<KeepAlive>,
    /// It ends at the next poll. What came before goes out first: a client that saw no answer at all might ask again.
    broken: bool,
}

impl Relayed {
    /// The answer, until `revoked` says that its client is.
    pub(crate) fn new(relay: Relay, revoked: Option<watch::Receiver<bool>>, keep_alive: Option<KeepAlive>) -> Self {
        Self { relay, revoked: revoked.map(answer::revoked), keep_alive, broken: false }
    }
}

impl Body for Relayed {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let this = self.get_mut();
        if this.broken || this.revoked.as_mut().is_some_and(|revoked| revoked.as_mut().poll(context).is_ready()) {
            return Poll::Ready(Some(Err(BrokenOff)));
        }
        match Pin::new(&mut this.relay).poll_frame(context) {
            Poll::Ready(Some(Err(BrokenOff))) => {
                // The connection flushes whenever its body is not ready.
                this.broken = true;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(Some(Ok(frame))) => {
                if let (Some(keep_alive), Some(chunk)) = (&mut this.keep_alive, frame.data_ref()) {
                    keep_alive.passes(chunk);
                }
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => match &mut this.keep_alive {
                Some(keep_alive) => keep_alive.poll(context).map(|comment| Some(Ok(Frame::data(comment)))),
                None => Poll::Pending,
            },
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.broken && self.relay.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.relay.size_hint()
    }
}
