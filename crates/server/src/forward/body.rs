//! How long an answer's body is, and its pieces (RFC 9112 §6). Pure.

use bytes::{Bytes, BytesMut};
use hyper::body::SizeHint;

use super::chunks::{Chunks, Malformed};

/// How the end of a body is known, and how far away it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Framing {
    /// So many bytes are still to come.
    Sized(u64),
    Chunked(Chunks),
    /// All that comes until the connection ends belongs to it.
    ToTheEnd {
        ended: bool,
    },
}

impl Framing {
    /// Of an answer that has no body.
    pub(super) const NONE: Self = Self::Sized(0);

    pub(super) const fn chunked() -> Self {
        Self::Chunked(Chunks::new())
    }

    pub(super) const fn to_the_end() -> Self {
        Self::ToTheEnd { ended: false }
    }

    /// Whether the whole body has been taken.
    pub(super) fn is_over(&self) -> bool {
        match self {
            Self::Sized(left) => *left == 0,
            Self::Chunked(chunks) => chunks.is_over(),
            Self::ToTheEnd { ended } => *ended,
        }
    }

    /// The next piece of what was read; `None` if more has to be read, or at the end.
    pub(super) fn next(&mut self, read: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        match self {
            Self::Chunked(chunks) => chunks.next(read),
            Self::Sized(0) => Ok(None),
            Self::Sized(_) | Self::ToTheEnd { .. } if read.is_empty() => Ok(None),
            Self::Sized(left) => {
                let length = usize::try_from(*left).map_or(read.len(), |left| left.min(read.len()));
                *left -= length as u64;
                Ok(Some(read.split_to(length).freeze()))
            }
            Self::ToTheEnd { .. } => Ok(Some(read.split().freeze())),
        }
    }

    /// The connection has ended.
    ///
    /// # Errors
    /// If the body has not.
    pub(super) fn ends(&mut self) -> Result<(), Malformed> {
        match self {
            Self::ToTheEnd { ended } => {
                *ended = true;
                Ok(())
            }
            Self::Sized(_) | Self::Chunked(_) => {
                if self.is_over() {
                    Ok(())
                } else {
                    Err(Malformed)
                }
            }
        }
    }

    /// How much is still to come, as far as that is known.
    pub(super) fn size_hint(&self) -> SizeHint {
        match self {
            Self::Sized(left) => SizeHint::with_exact(*left),
            Self::Chunked(_) | Self::ToTheEnd { .. } => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests;
