//! A server's answer as a door gives it on: its bytes as they come, and what must end with it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use keybearer_core::admission::Permit;
use keybearer_core::audit::Outcome;
use tokio::sync::watch;

use crate::answer::{self, Revoked};
use crate::forward::{BrokenOff, Relay};
use crate::keep_alive::KeepAlive;
use crate::legacy::{Opened, Opening, Serving};
use crate::limits::Pass;

/// The body of an answer that a server gives.
pub(crate) struct Relayed {
    relay: Relay,
    /// It ends when the client that asked is revoked (SEC-12).
    revoked: Option<Revoked>,
    keep_alive: Option<KeepAlive>,
    /// It ends at the next poll. What came before goes out first: a client that saw no answer at all might ask again.
    broken: bool,
    /// The other calls of a batch, which end as this answer ends.
    others: Vec<Permit>,
    status: u16,
    opening: Option<Opening>,
    serving: Option<Serving>,
    pass: Option<Pass>,
}

impl Relayed {
    /// The answer, until `revoked` says that its client is.
    pub(crate) fn new(relay: Relay, revoked: Option<watch::Receiver<bool>>, keep_alive: Option<KeepAlive>) -> Self {
        Self {
            relay,
            revoked: revoked.map(answer::revoked),
            keep_alive,
            broken: false,
            others: Vec::new(),
            status: 0,
            opening: None,
            serving: None,
            pass: None,
        }
    }

    /// Takes what else it answers: it is recorded when the answer ends.
    pub(crate) fn answering(mut self, others: Vec<Permit>, status: StatusCode) -> Self {
        (self.others, self.status) = (others, status.as_u16());
        self.settle_if_whole();
        self
    }

    /// Counts as under way what this pass was given for.
    pub(crate) fn hold(&mut self, pass: Pass) {
        self.pass = Some(pass);
    }

    /// Looks at the first event before anything goes on.
    pub(crate) fn begin_with(&mut self, opening: Opening) {
        self.opening = Some(opening);
    }

    /// What goes on of what has come; `None` while the first event is not whole.
    fn passing(&mut self, frame: Frame<Bytes>) -> Option<Result<Frame<Bytes>, BrokenOff>> {
        let frame = match (&mut self.opening, frame.into_data()) {
            (None, Ok(data)) => Frame::data(data),
            (Some(opening), Ok(data)) => match opening.feed(&data) {
                Opened::NotYet => return None,
                Opened::As(data, serving) => {
                    (self.opening, self.serving) = (None, serving);
                    Frame::data(data)
                }
                Opened::Elsewhere => {
                    self.broken = true;
                    return Some(Err(BrokenOff));
                }
            },
            (_, Err(other)) => other,
        };
        if let (Some(keep_alive), Some(chunk)) = (&mut self.keep_alive, frame.data_ref()) {
            keep_alive.passes(chunk);
        }
        Some(Ok(frame))
    }

    /// What was kept of a stream that has ended within its first event.
    fn held_back(&mut self) -> Option<Bytes> {
        self.opening.take().map(|mut opening| opening.rest()).filter(|rest| !rest.is_empty())
    }

    fn settle_if_whole(&mut self) {
        if self.relay.is_end_stream() {
            self.settle(Outcome::Answered { status: self.status });
        }
    }

    fn settle(&mut self, outcome: Outcome) {
        self.others.drain(..).for_each(|permit| permit.settle(outcome));
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
        loop {
            match Pin::new(&mut this.relay).poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    this.settle_if_whole();
                    if let Some(frame) = this.passing(frame) {
                        return Poll::Ready(Some(frame));
                    }
                }
                Poll::Ready(Some(Err(BrokenOff))) => {
                    this.settle(Outcome::Interrupted);
                    // The connection flushes whenever its body is not ready.
                    this.broken = true;
                    context.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Poll::Ready(None) => {
                    this.settle(Outcome::Answered { status: this.status });
                    return Poll::Ready(this.held_back().map(|rest| Ok(Frame::data(rest))));
                }
                Poll::Pending => {
                    return match &mut this.keep_alive {
                        Some(keep_alive) => keep_alive.poll(context).map(|comment| Some(Ok(Frame::data(comment)))),
                        None => Poll::Pending,
                    };
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        !self.broken && self.opening.is_none() && self.relay.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.opening.is_some() { SizeHint::default() } else { self.relay.size_hint() }
    }
}
