//! A client that has said all that it has to say may still listen: it has shut down its sending side alone.
//!
//! HTTP is told to answer all the same. Whether somebody is still there is watched here, beside it: while a request that
//! was read whole is answered, the client's silence is listened to, and its end counts as its leaving only if the system
//! says that nobody holds the other end. So HTTP reads nothing meanwhile, and needs no room for it.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How often it is looked whether such a client is still there.
const LOOK: Duration = Duration::from_secs(1);

/// How far a connection is with its request.
#[derive(Clone, Default)]
pub(crate) struct Progress(Arc<AtomicU8>);

/// There is none.
const IDLE: u8 = 0;
/// It has begun.
const BEGUN: u8 = 1;
/// It was read whole, and its answer is not at its end.
const ANSWERING: u8 = 2;

impl Progress {
    fn is(&self, step: u8) -> bool {
        self.0.load(Ordering::Acquire) == step
    }

    fn becomes(&self, step: u8) {
        self.0.store(step, Ordering::Release);
    }
}

/// A client's connection.
pub(crate) struct Ear<S> {
    stream: S,
    progress: Progress,
    is_gone: Box<dyn Fn() -> bool + Send>,
    /// What was heard while it listened: the first byte of the next request.
    ahead: Option<u8>,
    /// Runs once the client sends no more, until its answer ends.
    look: Option<Pin<Box<Sleep>>>,
}

/// A request's body, which tells when it was heard out.
pub(crate) struct Said {
    pub(crate) body: Incoming,
    progress: Progress,
}

/// An answer's body, until it ends or is dropped.
pub(crate) struct Answered<B> {
    body: B,
    progress: Progress,
}

impl<S> Ear<S> {
    /// Listens to `stream`; `is_gone` tells whether nobody holds its other end any more.
    pub(crate) fn new(stream: S, progress: Progress, is_gone: impl Fn() -> bool + Send + 'static) -> Self {
        Self { stream, progress, is_gone: Box::new(is_gone), ahead: None, look: None }
    }
}

impl Said {
    pub(crate) fn new(body: Incoming, progress: Progress) -> Self {
        progress.becomes(if body.is_end_stream() { ANSWERING } else { BEGUN });
        Self { body, progress }
    }

    /// Notes that the whole request is there.
    pub(crate) fn heard_out(&self) {
        self.progress.becomes(ANSWERING);
    }
}

impl<B> Answered<B> {
    pub(crate) fn new(body: B, progress: Progress) -> Self {
        Self { body, progress }
    }
}

impl<B> Drop for Answered<B> {
    fn drop(&mut self) {
        self.progress.becomes(IDLE);
    }
}

impl<B: Body + Unpin> Body for Answered<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl<S: AsyncRead + Unpin> Ear<S> {
    /// Listens whether the client is still there while it is answered.
    fn listen(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if !self.progress.is(ANSWERING) {
            self.look = None;
            return Ok(());
        }
        while self.ahead.is_none() {
            if let Some(look) = &mut self.look {
                if look.as_mut().poll(context).is_pending() {
                    return Ok(());
                }
            } else {
                let mut byte = [0];
                let mut buf = ReadBuf::new(&mut byte);
                match Pin::new(&mut self.stream).poll_read(context, &mut buf) {
                    Poll::Pending => return Ok(()),
                    Poll::Ready(heard) => heard?,
                }
                self.ahead = buf.filled().first().copied();
                if self.ahead.is_some() {
                    return Ok(());
                }
            }
            if (self.is_gone)() {
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            self.look = Some(Box::pin(sleep(LOOK)));
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Ear<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if buf.remaining() > 0
            && let Some(byte) = self.ahead.take()
        {
            buf.put_slice(&[byte]);
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_read(context, buf)
    }
}

/// What is written goes through. HTTP flushes whenever it has done what it could: then there is time to listen.
impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Ear<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        Poll::Ready(self.listen(context))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests;
