//! One connection to a server, in HTTP/1.1. It is driven by the task that uses it: no second task, no wake-ups between
//! two. It writes and reads at the same time: a server may answer before it has read a request to its end.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use http::{HeaderMap, Method, StatusCode};
use hyper::body::SizeHint;
use tokio::io::{AsyncReadExt as _, AsyncWrite as _};
use url::Url;
use zeroize::{Zeroize as _, Zeroizing};

use super::body::Framing;
use super::connect::{ConnectError, Wire};
use super::head::{Head, Search};
use super::route::Message;

/// How much is read at a time, at first and at most: an answer that fills it is read in larger pieces.
const LITTLE: usize = 8 << 10;
const MUCH: usize = 256 << 10;

/// A body up to this goes out with its head.
const SMALL_BODY: usize = 16 << 10;

/// So many interim answers before the answer are borne.
const MOST_INTERIM: usize = 16;

/// A connection that can carry one request at a time.
pub(super) struct Line {
    wire: Wire,
    /// What is to be written: the head, with a small body, and a large one. The head has a credential in it: it is wiped
    /// as soon as it is out.
    head: Zeroizing<Vec<u8>>,
    /// How much of the head is out.
    out: usize,
    body: Bytes,
    /// Whether the last bytes may still be held back on this side.
    unflushed: bool,
    /// Whether any byte of the request went out.
    begun: bool,
    /// Whether the request went out whole, or still can.
    writes: bool,
    /// What was read and is not understood yet.
    read: BytesMut,
    /// How much is read next.
    want: usize,
    /// Of the answer that comes in.
    framing: Framing,
    keeps: bool,
}

/// Why a request got no answer.
pub(super) enum SendError {
    /// Not a byte of it was sent: it can go over another line.
    NotSent,
    /// It may have arrived: it must not be sent again.
    Interrupted(String),
}

/// The server broke off in the middle of its answer, or what it sent is none.
#[derive(Debug)]
pub(super) struct Broken;

impl Line {
    /// Connects to the origin of `url`.
    pub(super) async fn open(url: &Url, tls: &Arc<rustls::ClientConfig>) -> Result<Box<Self>, ConnectError> {
        Ok(Box::new(Self::over(Wire::open(url, tls).await?)))
    }

    fn over(wire: Wire) -> Self {
        Self {
            wire,
            head: Zeroizing::default(),
            out: 0,
            body: Bytes::new(),
            unflushed: false,
            begun: false,
            writes: true,
            read: BytesMut::new(),
            want: LITTLE,
            framing: Framing::NONE,
            keeps: true,
        }
    }

    /// Whether it can carry a request now; false when the server has hung up, or says what nobody has asked for.
    pub(super) async fn is_ready(&mut self) -> bool {
        poll_fn(|context| Poll::Ready(self.poll_read(context).is_pending())).await
    }

    /// Whether it is in order for another request, once its answer is over.
    pub(super) fn can_be_kept(&self) -> bool {
        self.keeps && self.writes && !self.is_writing() && self.framing.is_over() && self.read.is_empty()
    }

    /// Gives back what a large message needed.
    pub(super) fn rest(&mut self) {
        if self.want > LITTLE {
            (self.want, self.read) = (LITTLE, BytesMut::new());
        }
        if self.head.capacity() > LITTLE {
            self.head = Zeroizing::default();
        }
    }

    /// Sends a request and waits for the head of its answer, whose fields are put into `fields`, an empty map.
    pub(super) async fn send(&mut self, message: &Message<'_>, fields: HeaderMap) -> Result<Head, SendError> {
        message.write_head(&mut self.head);
        let body = message.body();
        if body.len() <= SMALL_BODY {
            self.head.extend_from_slice(body);
        } else {
            self.body = body.clone();
        }
        (self.begun, self.unflushed) = (false, true);
        let (mut search, mut interim) = (Search::into(fields), 0);
        poll_fn(|context| {
            if let Poll::Ready(Err(())) = self.poll_write(context)
                && !self.begun
                && self.wire.is_plain()
            {
                return Poll::Ready(Err(SendError::NotSent));
            }
            self.poll_head(message.method(), &mut search, &mut interim, context).map_err(SendError::Interrupted)
        })
        .await
    }

    fn poll_head(
        &mut self,
        asked: &Method,
        search: &mut Search,
        interim: &mut usize,
        context: &mut Context<'_>,
    ) -> Poll<Result<Head, String>> {
        loop {
            match search.take(&mut self.read, asked)? {
                // The line is no HTTP from here on, and nobody asked for anything else.
                Some(head) if head.status == StatusCode::SWITCHING_PROTOCOLS => {
                    return Poll::Ready(Err("it changes the protocol unasked".into()));
                }
                Some(head) if head.status.is_informational() => {
                    *interim += 1;
                    if *interim > MOST_INTERIM {
                        return Poll::Ready(Err("it says over and over that it is about to answer".into()));
                    }
                }
                Some(head) => {
                    (self.framing, self.keeps) = (head.framing, head.keeps);
                    return Poll::Ready(Ok(head));
                }
                None => match ready!(self.poll_read(context)) {
                    Ok(0) => return Poll::Ready(Err("it hung up before it answered".into())),
                    Ok(_) => {}
                    Err(error) => return Poll::Ready(Err(error.to_string())),
                },
            }
        }
    }

    /// The next piece of the answer's body; `None` at its end.
    pub(super) fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        // The answer counts, whatever becomes of the request's rest.
        let _ = self.poll_write(context);
        loop {
            match self.framing.next(&mut self.read) {
                Ok(Some(piece)) => return Poll::Ready(Some(Ok(piece))),
                Ok(None) if self.framing.is_over() => return Poll::Ready(None),
                Ok(None) => match ready!(self.poll_read(context)) {
                    Ok(0) if self.framing.ends().is_ok() => return Poll::Ready(None),
                    Ok(0) | Err(_) => return Poll::Ready(Some(Err(Broken))),
                    Ok(_) => {}
                },
                Err(_) => return Poll::Ready(Some(Err(Broken))),
            }
        }
    }

    /// Whether the answer's body has been taken to its end.
    pub(super) fn is_over(&self) -> bool {
        self.framing.is_over()
    }

    /// How much of the body is still to come.
    pub(super) fn size_hint(&self) -> SizeHint {
        self.framing.size_hint()
    }

    fn is_writing(&self) -> bool {
        self.unflushed
    }

    /// Writes what is left of the request. After an error it is over with writing: the server may have answered all the
    /// same.
    fn poll_write(&mut self, context: &mut Context<'_>) -> Poll<Result<(), ()>> {
        if !self.unflushed {
            return Poll::Ready(Ok(()));
        }
        let written = ready!(self.poll_write_out(context));
        self.unflushed = false;
        if written.is_err() {
            (self.writes, self.body) = (false, Bytes::new());
        }
        self.wipe_head();
        Poll::Ready(written.map_err(drop))
    }

    fn poll_write_out(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while let Some(rest) = self.head.get(self.out..).filter(|rest| !rest.is_empty()) {
            let count = ready!(Pin::new(&mut self.wire).poll_write(context, rest))?;
            self.out += some(count)?;
            self.begun = true;
        }
        self.wipe_head();
        while !self.body.is_empty() {
            let count = ready!(Pin::new(&mut self.wire).poll_write(context, &self.body))?;
            self.body.advance(some(count)?);
        }
        Pin::new(&mut self.wire).poll_flush(context)
    }

    fn wipe_head(&mut self) {
        if !self.head.is_empty() {
            self.head.zeroize();
            self.out = 0;
        }
    }

    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.read.reserve(self.want);
        let count = ready!(pin!(self.wire.read_buf(&mut self.read)).poll(context))?;
        if count >= self.want {
            self.want = (2 * self.want).min(MUCH);
        }
        Poll::Ready(Ok(count))
    }
}

/// A stream that takes nothing more will not take anything.
fn some(count: usize) -> io::Result<usize> {
    if count == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(count) }
}
