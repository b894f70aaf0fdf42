//! Lines out of a byte stream, none longer than a message may be.

use bytes::{Bytes, BytesMut};
use keybearer_control::bridge::{FINISHED, NOTICE_MARK};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::http_exchange::LARGEST_MESSAGE;

/// One line, without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// As it came.
    Whole(Bytes),
    /// It was longer than a message may be; it was read to its end and dropped.
    TooLong,
}

/// Reads lines; a line cut off by the end of the stream is none.
pub(crate) struct Lines<R> {
    reader: R,
    buffer: BytesMut,
    /// Bytes of the buffer that are known to hold no line feed.
    searched: usize,
    skipping: bool,
    /// The bridge has said so: it cannot close its connection in one direction.
    finished: bool,
}

impl<R: AsyncRead + Unpin> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, buffer: BytesMut::with_capacity(16 << 10), searched: 0, skipping: false, finished: false }
    }

    /// The next line; `None` at the end. Dropping the future loses nothing.
    pub(crate) async fn next(&mut self) -> Option<Line> {
        loop {
            if let Some(line) = self.take() {
                if is_notice(&line) {
                    self.finished = true;
                }
                return Some(line).filter(|_| !self.finished);
            }
            if self.finished {
                return None;
            }
            self.buffer.reserve(16 << 10);
            match self.reader.read_buf(&mut self.buffer).await {
                Ok(0) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }

    fn take(&mut self) -> Option<Line> {
        let Some(end) = self.buffer[self.searched..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.buffer.len();
            if self.searched > LARGEST_MESSAGE {
                self.skipping = true;
                self.buffer.clear();
                self.searched = 0;
            }
            return None;
        };
        let mut line = self.buffer.split_to(self.searched + end + 1);
        self.searched = 0;
        if std::mem::take(&mut self.skipping) || line.len() > LARGEST_MESSAGE + 1 {
            return Some(Line::TooLong);
        }
        line.truncate(line.len() - 1);
        if line.last() == Some(&b'\r') {
            line.truncate(line.len() - 1);
        }
        Some(Line::Whole(line.freeze()))
    }
}

/// The one thing that a bridge says to the core between a client's lines is [`FINISHED`].
fn is_notice(line: &Line) -> bool {
    matches!(line, Line::Whole(line) if line.first() == Some(&NOTICE_MARK) && line.get(1..) == Some(FINISHED))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(pieces: &[&[u8]]) -> Vec<Line> {
        let (mut sender, receiver) = tokio::io::duplex(64);
        let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
        tokio::spawn(async move {
            for piece in pieces {
                let _ = tokio::io::AsyncWriteExt::write_all(&mut sender, &piece).await;
            }
        });
        let mut lines = Lines::new(receiver);
        let mut read = Vec::new();
        while let Some(line) = lines.next().await {
            read.push(line);
        }
        read
    }

    fn whole(text: &'static str) -> Line {
        Line::Whole(Bytes::from_static(text.as_bytes()))
    }

    #[tokio::test]
    async fn lines_are_found_wherever_the_pieces_end() {
        assert_eq!(
            read(&[b"{\"a\"", b":1}\n{}\r", b"\n\nlast without end"]).await,
            [whole("{\"a\":1}"), whole("{}"), whole("")]
        );
    }

    #[tokio::test]
    async fn a_bridge_that_has_finished_says_no_more() {
        let finished = [&[NOTICE_MARK], FINISHED, b"\n"].concat();
        assert_eq!(read(&[b"{}\n", &finished, b"{}\n"]).await, [whole("{}")]);
    }

    #[tokio::test]
    async fn a_line_that_is_too_long_is_dropped_and_the_next_one_is_read() {
        let long = vec![b'x'; LARGEST_MESSAGE + 2];
        assert_eq!(read(&[&long, b"\nnext\n"]).await, [Line::TooLong, whole("next")]);
    }
}
