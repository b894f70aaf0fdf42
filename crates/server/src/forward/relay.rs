//! An upstream's answer on its way to the client: each piece as it comes, unchanged; none waits for another.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Bytes, BytesMut};
use hyper::body::{Body, Frame, SizeHint};
use keybearer_core::admission::Permit;
use keybearer_core::audit::Outcome;

use super::line::{Broken, Line};
use super::pool::Pool;

/// Pieces below this are put together with those behind them.
const SMALL: usize = 4 << 10;

/// So much at most, but for the last piece.
const GATHERED: usize = 16 << 10;

/// The body of an answer, with all that must end when it ends: the line it comes over and the call's audit record.
pub(crate) struct Relay {
    /// Absent at the end.
    rest: Option<Rest>,
    /// What came behind pieces that were put together.
    next: Option<Piece>,
}

/// A piece of a body, or its end.
type Piece = Option<Result<Bytes, BrokenOff>>;

struct Rest {
    line: Box<Line>,
    pool: Arc<Pool>,
    permit: Permit,
    status: u16,
}

/// The upstream broke off in the middle of its answer.
#[derive(Debug, thiserror::Error)]
#[error("the server broke off in the middle of its answer")]
pub(crate) struct BrokenOff;

impl Relay {
    pub(super) fn new(line: Box<Line>, pool: Arc<Pool>, permit: Permit, status: u16) -> Self {
        let mut relay = Self { rest: Some(Rest { line, pool, permit, status }), next: None };
        relay.end_if_whole();
        relay
    }

    /// The whole answer has come: record it and give the line back. Bodies of known length end without a last poll.
    fn end_if_whole(&mut self) {
        if let Some(rest) = self.rest.take_if(|rest| rest.line.is_over()) {
            rest.end();
        }
    }

    /// The next piece as it came.
    fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Piece> {
        let Some(rest) = &mut self.rest else { return Poll::Ready(None) };
        let piece = ready!(rest.line.poll_piece(context));
        if let Some(Ok(data)) = &piece {
            rest.permit.watch_got(data);
        }
        self.end_if_whole();
        Poll::Ready(piece.map(|piece| {
            piece.map_err(|Broken| {
                if let Some(rest) = self.rest.take() {
                    rest.permit.settle(Outcome::Interrupted);
                }
                BrokenOff
            })
        }))
    }

    /// Puts the pieces together that are there already: a stream of small events goes on in fewer writes, and none of
    /// them later.
    fn gather(&mut self, first: Bytes, context: &mut Context<'_>) -> Bytes {
        let mut gathered = BytesMut::new();
        while gathered.len() < GATHERED && self.rest.is_some() {
            match self.poll_piece(context) {
                Poll::Ready(Some(Ok(piece))) => {
                    if gathered.is_empty() {
                        gathered.reserve(2 * GATHERED);
                        gathered.extend_from_slice(&first);
                    }
                    gathered.extend_from_slice(&piece);
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

impl Rest {
    fn end(self) {
        self.permit.settle(Outcome::Answered { status: self.status });
        self.pool.keep(self.line);
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
        let piece = match self.next.take() {
            Some(next) => next,
            None => ready!(self.poll_piece(context)),
        };
        Poll::Ready(match piece {
            Some(Ok(piece)) if piece.len() < SMALL => Some(Ok(Frame::data(self.gather(piece, context)))),
            piece => piece.map(|piece| piece.map(Frame::data)),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.next.is_none() && self.rest.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        self.rest.as_ref().map_or(SizeHint::with_exact(0), |rest| rest.line.size_hint())
    }
}
