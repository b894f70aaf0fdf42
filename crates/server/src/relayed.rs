//! A server's answer as a door gives it on: its bytes as they come, and what must end with it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::StatusCode;
use hyper::body::{Body, Frame, SizeHint};
use keybearer_core::admission::Permit;
use keybearer_core::audit::Outcome;
use keybearer_core::clients::Registered;

use crate::answer::{self, Revoked};
use crate::forward::{BrokenOff, Relay};
use crate::keep_alive::KeepAlive;
use crate::legacy::{Opened, Opening, Serving};
use crate::limits::Pass;

/// The body of an answer that a server gives.
pub(crate) struct Relayed {
    relay: Relay,
    /// It ends when the client that asked is revoked (SEC-12), which is waited for from the first wait on: most answers
    /// are there at once.
    client: Option<Arc<Registered>>,
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
    /// The answer to this client.
    pub(crate) fn new(relay: Relay, client: Option<Arc<Registered>>, keep_alive: Option<KeepAlive>) -> Self {
        // Revoked while the server worked on its answer.
        let broken = client.as_ref().is_some_and(|client| client.is_revoked());
        Self {
            relay,
            client,
            revoked: None,
            keep_alive,
            broken,
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

    /// Ends the answer at the next poll: the connection flushes whenever its body is not ready.
    fn break_off<T>(&mut self, context: &mut Context<'_>) -> Poll<T> {
        self.broken = true;
        context.waker().wake_by_ref();
        Poll::Pending
    }

    /// What goes on of what has come; `None` while the first event is not whole, and where the stream must end.
    fn passing(&mut self, frame: Frame<Bytes>) -> Option<Frame<Bytes>> {
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
                    return None;
                }
            },
            (_, Err(other)) => other,
        };
        if let (Some(keep_alive), Some(chunk)) = (&mut self.keep_alive, frame.data_ref()) {
            keep_alive.passes(chunk);
        }
        Some(frame)
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
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    if this.broken {
                        return this.break_off(context);
                    }
                }
                Poll::Ready(Some(Err(BrokenOff))) => {
                    this.settle(Outcome::Interrupted);
                    return this.break_off(context);
                }
                Poll::Ready(None) => {
                    this.settle(Outcome::Answered { status: this.status });
                    return Poll::Ready(this.held_back().map(|rest| Ok(Frame::data(rest))));
                }
                Poll::Pending => {
                    if let Some(client) = this.client.take() {
                        let revoked = this.revoked.insert(answer::revoked(client.revoked()));
                        if revoked.as_mut().poll(context).is_ready() {
                            return this.break_off(context);
                        }
                    }
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
