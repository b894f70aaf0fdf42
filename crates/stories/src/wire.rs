//! One raw connection to a door: bytes go out as they are, and what comes in is looked at while it comes.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Everything that clients of a story were sent, to be searched at its end.
pub type Heard = Arc<Mutex<Vec<u8>>>;

/// The longest wait for bytes.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub struct Wire {
    stream: TcpStream,
    came: Vec<u8>,
    ended: bool,
    heard: Heard,
}

/// A body as far as it has come, without its framing.
#[derive(Debug, Default)]
pub struct Body {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Whether its framing says that this is all of it.
    pub whole: bool,
    /// How many bytes of the connection it takes, framing included.
    taken: usize,
}

impl Wire {
    /// Connects to `host:port`.
    pub fn open(door: &str, heard: &Heard) -> Self {
        let stream = TcpStream::connect(door).unwrap_or_else(|error| panic!("`{door}` cannot be reached: {error}"));
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, came: Vec::new(), ended: false, heard: Arc::clone(heard) }
    }

    /// Sends bytes. A door that has hung up already shows in what comes back.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref());
    }

    /// Says that nothing more will be sent.
    pub fn finish_sending(&mut self) {
        let _ = self.stream.shutdown(std::net::Shutdown::Write);
    }

    /// The head of the next answer; `None` if the door hung up instead.
    pub fn head(&mut self) -> Option<Head> {
        while end_of_head(&self.came).is_none() {
            if !self.more() {
                return None;
            }
        }
        let end = end_of_head(&self.came)?;
        Some(Head(String::from_utf8_lossy(&self.came[..end]).into_owned()))
    }

    /// The body of the answer with this head, as soon as there is enough of it, all of it, or no more to come.
    pub fn body(&mut self, head: &Head, enough: impl Fn(&Body) -> bool) -> Body {
        let start = head.0.len() + 4;
        loop {
            let body = head.body(&self.came[start..], self.ended);
            if body.whole || self.ended || enough(&body) {
                return body;
            }
            self.more();
        }
    }

    /// The next answer to its end, or as far as it came.
    pub fn answer(&mut self) -> Option<(Head, Body)> {
        let head = self.head()?;
        let body = self.body(&head, |_| false);
        if body.whole {
            self.came.drain(..head.0.len() + 4 + body.taken);
        }
        Some((head, body))
    }

    /// Whether the door has hung up; waits for it.
    pub fn hangs_up(&mut self) -> bool {
        while self.more() {}
        true
    }

    fn more(&mut self) -> bool {
        let mut piece = [0; 16 << 10];
        match self.stream.read(&mut piece) {
            Ok(0) => self.ended = true,
            Ok(count) => {
                self.came.extend_from_slice(&piece[..count]);
                self.heard.lock().unwrap().extend_from_slice(&piece[..count]);
            }
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {
                panic!("nothing more came in {PATIENCE:?}; so far: {}", String::from_utf8_lossy(&self.came))
            }
            // Reset: what had come before is there.
            Err(_) => self.ended = true,
        }
        !self.ended
    }
}

/// The head of an answer.
#[derive(Debug)]
pub struct Head(String);

impl Head {
    /// The status.
    pub fn status(&self) -> u16 {
        self.0.split(' ').nth(1).and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("no status: {}", self.0))
    }

    /// Every field, names in lower case.
    pub fn fields(&self) -> Vec<(String, String)> {
        let fields = self.0.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
        fields.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned())).collect()
    }

    /// The first value of a field.
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields().into_iter().find(|(found, _)| found == name).map(|(_, value)| value)
    }

    fn body(&self, came: &[u8], ended: bool) -> Body {
        if self.field("transfer-encoding").is_some_and(|coding| coding == "chunked") {
            return chunks(came);
        }
        let bodiless = matches!(self.status(), 100..200 | 204 | 304);
        let length = if bodiless { Some(0) } else { self.field("content-length").and_then(|text| text.parse().ok()) };
        match length {
            Some(length) => {
                let taken = came.len().min(length);
                Body { bytes: came[..taken].to_vec(), whole: taken == length, taken }
            }
            None => Body { bytes: came.to_vec(), whole: ended, taken: came.len() },
        }
    }
}

fn end_of_head(bytes: &[u8]) -> Option<usize> {
    bytes.windows(4).position(|window| window == b"\r\n\r\n")
}

/// Chunks as far as they have come; the pieces of one that has begun count.
fn chunks(came: &[u8]) -> Body {
    let mut body = Body::default();
    loop {
        let rest = &came[body.taken..];
        let Some(end) = rest.windows(2).position(|window| window == b"\r\n") else { return body };
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap().trim(), 16).unwrap();
        let data = &rest[end + 2..];
        if data.len() < size + 2 {
            body.bytes.extend_from_slice(&data[..data.len().min(size)]);
            return body;
        }
        body.bytes.extend_from_slice(&data[..size]);
        body.taken += end + 2 + size + 2;
        if size == 0 {
            body.whole = true;
            return body;
        }
    }
}
