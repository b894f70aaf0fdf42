//! Scripted answers: whole, streamed piece by piece under the test's control, held back, or cut off.

use std::io;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{mpsc, oneshot, watch};

/// An answer that a test wrote.
pub struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Body,
    held: Option<oneshot::Receiver<()>>,
    cut_after: Option<usize>,
}

enum Body {
    Whole(Vec<u8>),
    Pieces(mpsc::UnboundedReceiver<Piece>, watch::Sender<bool>),
}

enum Piece {
    Bytes(Vec<u8>),
    Cut,
}

impl Reply {
    /// This status and nothing else.
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Body::Whole(Vec::new()), held: None, cut_after: None }
    }

    /// 200 with this body as JSON.
    pub fn json(body: impl Into<Vec<u8>>) -> Self {
        Self::with_body(200, "application/json", body)
    }

    /// A whole body of any type.
    pub fn with_body(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let reply = Self::status(status).header("Content-Type", content_type);
        Self { body: Body::Whole(body.into()), ..reply }
    }

    /// What a server says that has forgotten the session.
    pub fn session_gone() -> Self {
        let error = br#"{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"Session not found"}}"#;
        Self::with_body(404, "application/json", error.as_slice())
    }

    /// 401 as from a server that does not like the bearer.
    pub fn bearer_refused() -> Self {
        Self::status(401).header("WWW-Authenticate", "Bearer error=\"invalid_token\"")
    }

    /// An event stream whose bytes come from the returned value, when the test sends them.
    pub fn sse() -> (Self, Stream) {
        let (pieces, to_send) = mpsc::unbounded_channel();
        let (hung_up, left) = watch::channel(false);
        let reply = Self::status(200).header("Content-Type", "text/event-stream").header("Cache-Control", "no-cache");
        (Self { body: Body::Pieces(to_send, hung_up), ..reply }, Stream { pieces, left })
    }

    /// The same with one more header field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same, but the connection ends after this many bytes of the body.
    pub fn cut_after(mut self, bytes: usize) -> Self {
        self.cut_after = Some(bytes);
        self
    }

    /// The same, but not a byte of it before the returned value is used or dropped.
    pub fn held(mut self) -> (Self, Release) {
        let (release, held) = oneshot::channel();
        self.held = Some(held);
        (self, Release { _release: release })
    }

    /// Writes it; an error ends the connection.
    pub(super) async fn write(
        mut self,
        reader: &mut BufReader<OwnedReadHalf>,
        writer: &mut OwnedWriteHalf,
    ) -> io::Result<()> {
        if let Some(held) = self.held.take() {
            tokio::select! {
                _ = held => {}
                gone = hang_up(reader) => return Err(gone),
            }
        }
        let framing = match &self.body {
            Body::Whole(_) if self.status == 204 => String::new(),
            Body::Whole(body) => format!("Content-Length: {}\r\n", body.len()),
            Body::Pieces(..) => "Transfer-Encoding: chunked\r\n".to_owned(),
        };
        let fields = self.headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect::<String>();
        writer.write_all(format!("HTTP/1.1 {} \r\n{fields}{framing}\r\n", self.status).as_bytes()).await?;
        match self.body {
            Body::Whole(body) => match self.cut_after {
                Some(bytes) => {
                    writer.write_all(body.get(..bytes).unwrap_or(&body)).await?;
                    Err(io::ErrorKind::ConnectionAborted.into())
                }
                None => writer.write_all(&body).await,
            },
            Body::Pieces(pieces, hung_up) => write_pieces(pieces, &hung_up, reader, writer).await,
        }
    }
}

async fn write_pieces(
    mut pieces: mpsc::UnboundedReceiver<Piece>,
    hung_up: &watch::Sender<bool>,
    reader: &mut BufReader<OwnedReadHalf>,
    writer: &mut OwnedWriteHalf,
) -> io::Result<()> {
    loop {
        let piece = tokio::select! {
            piece = pieces.recv() => piece,
            gone = hang_up(reader) => {
                hung_up.send_replace(true);
                return Err(gone);
            }
        };
        match piece {
            Some(Piece::Bytes(bytes)) => {
                let chunk = [format!("{:x}\r\n", bytes.len()).as_bytes(), &bytes, b"\r\n"].concat();
                writer.write_all(&chunk).await?;
            }
            Some(Piece::Cut) => return Err(io::ErrorKind::ConnectionAborted.into()),
            None => return writer.write_all(b"0\r\n\r\n").await,
        }
    }
}

/// Returns when the peer has hung up; never, if it sends something more instead.
async fn hang_up(reader: &mut BufReader<OwnedReadHalf>) -> io::Error {
    match reader.fill_buf().await {
        Ok([]) => io::ErrorKind::ConnectionAborted.into(),
        Ok(_) => std::future::pending().await,
        Err(cause) => cause,
    }
}

/// The test's end of a streamed answer; dropping it ends the stream in good order.
pub struct Stream {
    pieces: mpsc::UnboundedSender<Piece>,
    left: watch::Receiver<bool>,
}

impl Stream {
    /// Sends these bytes now, as one chunk.
    pub fn send(&self, bytes: impl AsRef<[u8]>) -> &Self {
        let bytes = bytes.as_ref();
        // An empty chunk would be the end.
        if !bytes.is_empty() {
            let _ = self.pieces.send(Piece::Bytes(bytes.to_vec()));
        }
        self
    }

    /// Ends the stream in good order.
    pub fn finish(self) {}

    /// Breaks the connection in the middle of the stream.
    pub fn cut(self) {
        let _ = self.pieces.send(Piece::Cut);
    }

    /// Waits until the peer has hung up, or the answer is over.
    pub async fn client_left(&mut self) {
        let _ = self.left.wait_for(|left| *left).await;
    }
}

/// Lets a held answer go when it is dropped.
pub struct Release {
    _release: oneshot::Sender<()>,
}

impl Release {
    /// Lets it go.
    pub fn now(self) {}
}
