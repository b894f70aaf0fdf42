//! An upstream's answer on its way to the client: each piece as it comes, unchanged and unbuffered.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use keybearer_core::admission::Permit;
use keybearer_core::audit::Outcome;

use super::line::Line;
use super::pool::Pool;

/// The body of an answer, with all that must end when it ends: the line it comes over and the call's audit record.
pub(crate) struct Relay {
    incoming: Incoming,
    rest: Option<Rest>,
}

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
        let mut relay = Self { incoming, rest: Some(Rest { line, pool, permit, status }) };
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
}

impl Body for Relay {
    type Data = Bytes;
    type Error = BrokenOff;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokenOff>>> {
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

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
