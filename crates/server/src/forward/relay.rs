//! An upstream's answer on its way to the client: each piece as it comes, unchanged; none waits for another.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use keybearer_core::admission::Permit;
use keybearer_core::audit::Outcome;

use super::line::Line;
use super::pool::Pool;

/// Pieces below this are put together with those behind them.
const SMALL: usize = 4 << 10;

/// So much at most, but for the last piece.
const GATHERED: usize = 16 << 10;

/// The body of an answer, with all that must end when it ends: the line it comes over and the call's audit record.
pub(crate) struct Relay {
    incoming: Incoming,
    rest: Option<Rest>,
    /// What came behind pieces that were put together.
    next: Option<Piece>,
}

/// A piece of a body, or its end.
type Piece = Option<Result<Frame<Bytes>, BrokenOff>>;

struct Rest {
    line: Line,
    pool: Arc<Pool>,
    permit: Permit,
    status: u16,
}

/// The upstream broke off in the middle of its answer.
#[derive(Debug, thiserror::Error)]
#[error("the server broke off in the middle of its answer")]
pub(crate) struct BrokenOff;

impl Relay {
    pub(crate) fn new(incoming: Incoming, line: Line, pool: Arc<Pool>, permit: Permit, status: u16) -> Self {
        let mut relay = Self { incoming, rest: Some(Rest { line, pool, permit, status }), next: None };
        relay.end_if_whole();
        relay
    }

    /// The whole answer has come: record it and give the line back. Bodies of known length end without a last poll.
    fn end_if_whole(&mut self) {
        if self.incoming.is_end_stream()
            && let Some(Rest { line, pool, permit, status }) = self.rest.take()
        {
            permit.settle(Outcome::Answered { status });
            pool.keep(line);
        }
    }

    /// The next piece as it came.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Piece> {
        if let Some(rest) = &mut self.rest {
            rest.line.drive(context);
        }
        match Pin::new(&mut self.incoming).poll_frame(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(frame))) => {
                self.end_if_whole();
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Some(Err(_))) => {
                if let Some(Rest { permit, .. }) = self.rest.take() {
                    permit.settle(Outcome::Interrupted);
                }
                Poll::Ready(Some(Err(BrokenOff)))
            }
            Poll::Ready(None) => {
                if let Some(Rest { line, pool, permit, status }) = self.rest.take() {
                    permit.settle(Outcome::Answered { status });
                    pool.keep(line);
                }
                Poll::Ready(None)
            }
        }
    }

    /// Puts the pieces together that are there already: a stream of small events goes on in fewer writes, and none of
    /// them later.
    fn gather(&mut self, first: Bytes, context: &mut Context<'_>) -> Bytes {
        let mut gathered = BytesMut::new();
        while gathered.len() < GATHERED && !self.incoming.is_end_stream() {
            match self.poll_piece(context) {
                Poll::Ready(Some(Ok(frame))) if frame.is_data() => {
                    if gathered.is_empty() {
                        gathered.reserve(2 * GATHERED);
                        gathered.extend_from_slice(&first);
                    }
                    gathered.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
                }
                Poll::Ready(other) => {
                    self.next = Some(other);
                    break;
                }
                Poll::Pending => break,
            }
        }
        if gathered.is_empty() { first } else { gathered.freeze() }
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Piece> {
        if let Some(next) = self.next.take() {
            return Poll::Ready(next);
        }
        match ready!(self.poll_piece(context)) {
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if data.len() < SMALL => Poll::Ready(Some(Ok(Frame::data(self.gather(data, context))))),
                Ok(data) => Poll::Ready(Some(Ok(Frame::data(data)))),
                Err(frame) => Poll::Ready(Some(Ok(frame))),
            },
            other @ (Some(Err(_)) | None) => Poll::Ready(other),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.next.is_none() && self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
