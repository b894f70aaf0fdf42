//! Where lines for a client go: one after the other, never mixed, and no more of them in memory than a few.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use keybearer_control::bridge::{NOTICE_MARK, Notice};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{Mutex, OwnedMutexGuard, mpsc};

/// How many pieces wait for a client that reads slowly.
const PIECES: usize = 64;

/// The longest piece of a long line: with [`PIECES`] of them, what a large answer takes in memory.
const LONGEST_PIECE: usize = 32 << 10;

/// The way to the client. Cheap to clone.
#[derive(Clone)]
pub(super) struct Outbox(Arc<Mutex<Option<mpsc::Sender<Bytes>>>>);

/// A line that is being written piece by piece; nobody else writes meanwhile.
pub(super) struct LongLine(OwnedMutexGuard<Option<mpsc::Sender<Bytes>>>);

/// An outbox, and what is to be written for it.
pub(super) fn outbox() -> (Outbox, mpsc::Receiver<Bytes>) {
    let (sender, receiver) = mpsc::channel(PIECES);
    (Outbox(Arc::new(Mutex::new(Some(sender)))), receiver)
}

/// Writes what comes, until the outbox is closed or the client is gone.
pub(super) async fn write(mut pieces: mpsc::Receiver<Bytes>, mut writer: impl AsyncWrite + Unpin) {
    while let Some(piece) = pieces.recv().await {
        if writer.write_all(&piece).await.is_err() {
            return;
        }
    }
}

impl Outbox {
    /// Sends one message. Line breaks in JSON can only be white space between tokens: a space says the same.
    pub(super) async fn message(&self, message: &[u8]) {
        let message = message.trim_ascii();
        if message.is_empty() {
            return;
        }
        let mut line = BytesMut::with_capacity(message.len() + 1);
        line.extend(message.iter().copied().map(without_break));
        line.extend_from_slice(b"\n");
        self.send(line.freeze()).await;
    }

    /// Tells the bridge something that is not for its client.
    pub(super) async fn notice(&self, notice: Notice) {
        let mut line = vec![NOTICE_MARK];
        line.extend(serde_json::to_vec(&notice).unwrap_or_default());
        line.push(b'\n');
        self.send(line.into()).await;
    }

    /// Begins a line that is too long to be held together.
    pub(super) async fn long_line(&self) -> LongLine {
        LongLine(Arc::clone(&self.0).lock_owned().await)
    }

    /// Nothing more is written.
    pub(super) async fn close(&self) {
        self.0.lock().await.take();
    }

    async fn send(&self, line: Bytes) {
        if let Some(sender) = &*self.0.lock().await {
            // The client is gone: the session is about to end.
            let _ = sender.send(line).await;
        }
    }
}

impl LongLine {
    /// Writes the next piece of the message.
    pub(super) async fn piece(&mut self, piece: &[u8]) {
        for piece in piece.chunks(LONGEST_PIECE) {
            self.send(piece.iter().copied().map(without_break).collect()).await;
        }
    }

    /// Ends the line.
    pub(super) async fn end(mut self) {
        self.send(Bytes::from_static(b"\n")).await;
    }

    async fn send(&mut self, piece: Bytes) {
        if let Some(sender) = &*self.0 {
            let _ = sender.send(piece).await;
        }
    }
}

fn without_break(byte: u8) -> u8 {
    if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_pretty_printed_answer_becomes_one_line() {
        let (outbox, mut pieces) = outbox();
        outbox.message(b"{\r\n  \"a\": \"x\\ny\"\n}\n").await;
        assert_eq!(pieces.recv().await.unwrap(), &b"{    \"a\": \"x\\ny\" }\n"[..]);
    }

    #[tokio::test]
    async fn nothing_comes_between_the_pieces_of_a_line() {
        let (outbox, mut pieces) = outbox();
        let mut long = outbox.long_line().await;
        long.piece(b"{\"a\":\n").await;
        let meanwhile = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.message(b"{}").await }
        });
        long.piece(b"1}").await;
        long.end().await;
        meanwhile.await.unwrap();
        outbox.close().await;
        let mut written = Vec::new();
        while let Some(piece) = pieces.recv().await {
            written.extend(piece);
        }
        assert_eq!(String::from_utf8(written).unwrap(), "{\"a\": 1}\n{}\n");
    }
}
