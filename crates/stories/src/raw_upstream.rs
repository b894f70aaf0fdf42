//! An upstream below HTTP: it counts what arrives and writes, byte for byte, what a story says, or hangs up.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The longest wait.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the upstream does with a request, after it has read as much of it as it wanted.
pub struct Saying {
    /// The bytes that it writes.
    pub bytes: Vec<u8>,
    /// How many of them go out at a time.
    pub pieces: usize,
    /// Whether it hangs up then.
    pub hangs_up: bool,
}

impl Saying {
    /// These bytes, and the connection stays open.
    pub fn keeping(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), pieces: usize::MAX, hangs_up: false }
    }

    /// These bytes, and the end of the connection.
    pub fn closing(bytes: impl Into<Vec<u8>>) -> Self {
        Self { bytes: bytes.into(), pieces: usize::MAX, hangs_up: true }
    }

    /// The same, so many bytes at a time.
    pub fn in_pieces_of(self, pieces: usize) -> Self {
        Self { pieces, ..self }
    }
}

/// How much of a request is read before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Head and body.
    Whole,
    /// The head alone: a body stays unread.
    Head,
}

/// The upstream; it ends when it is dropped.
pub struct RawUpstream {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    closed: Mutex<Receiver<()>>,
    stop: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

type Script = Arc<dyn Fn(usize) -> Saying + Send + Sync>;

impl RawUpstream {
    /// Starts one on a free port; `script` says what is answered to the request of this number, counted from 0.
    pub fn start(reading: Reading, script: impl Fn(usize) -> Saying + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (requests, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
        let (closing, closed) = mpsc::channel();
        let (seen, stopped, script): (_, _, Script) = (Arc::clone(&requests), Arc::clone(&stop), Arc::new(script));
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), false) = (stream, stopped.load(Ordering::Acquire)) else { return };
                let (seen, script, closing) = (Arc::clone(&seen), Arc::clone(&script), closing.clone());
                std::thread::spawn(move || converse(stream, reading, &seen, &script, &closing));
            }
        });
        Self { address, requests, closed: Mutex::new(closed), stop, accepting: Some(accepting) }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// Every request that arrived, as far as it was read.
    pub fn requests(&self) -> Vec<Vec<u8>> {
        self.requests.lock().unwrap().clone()
    }

    /// Waits until this many requests have arrived.
    pub fn has_been_asked(&self, times: usize) {
        let end = Instant::now() + PATIENCE;
        while self.requests.lock().unwrap().len() < times {
            assert!(Instant::now() < end, "nothing arrives");
            std::thread::yield_now();
        }
    }

    /// Waits until it has hung up once more, and the kernel has told the other side.
    pub fn has_hung_up(&self) {
        self.closed.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        let end = Instant::now() + PATIENCE;
        while self.is_connected() {
            assert!(Instant::now() < end, "the other side does not hear of it");
            std::thread::yield_now();
        }
    }

    /// Whether somebody has a connection to it that is open in both directions.
    fn is_connected(&self) -> bool {
        let here = format!("0100007F:{:04X}", self.address.port());
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        table.lines().any(|line| {
            let mut words = line.split_whitespace().skip(2);
            words.next() == Some(&here) && words.next() == Some("01")
        })
    }
}

impl Drop for RawUpstream {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the listener up, so that it looks.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn converse(stream: TcpStream, reading: Reading, seen: &Mutex<Vec<Vec<u8>>>, script: &Script, closing: &Sender<()>) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader, reading) {
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request);
            seen.len() - 1
        };
        let saying = script(number);
        let mut pieces = saying.bytes.chunks(saying.pieces);
        if pieces.any(|piece| reader.get_mut().write_all(piece).is_err()) || saying.hangs_up {
            break;
        }
    }
    drop(reader);
    let _ = closing.send(());
}

fn read(reader: &mut BufReader<TcpStream>, reading: Reading) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    let mut length = 0;
    loop {
        let start = request.len();
        if reader.read_until(b'\n', &mut request).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&request[start..]).to_ascii_lowercase();
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        if line.trim().is_empty() {
            break;
        }
    }
    if reading == Reading::Whole {
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        request.extend(body);
    }
    Some(request)
}
