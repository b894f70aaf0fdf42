//! What stands between the core and its issuer: it hands everything on as it came, remembers each use of a refresh
//! token, and spoils those that it is told to spoil.
//!
//! The issuer takes the relay's address for its own, so that every way to it leads through here.

mod book;
mod message;
mod spoil;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use self::book::{Book, Exchange};
use self::message::Request;
pub use self::spoil::{ALL, Fault, Until};

/// The relay; it ends when it is dropped.
pub struct Relay {
    address: SocketAddr,
    url: String,
    shared: Arc<Shared>,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    target: OnceLock<String>,
    book: Mutex<Book>,
    written: Condvar,
    stop: AtomicBool,
}

impl Relay {
    /// Starts a relay on a free port.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            target: OnceLock::new(),
            book: Mutex::default(),
            written: Condvar::new(),
            stop: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), false) = (stream, serving.stop.load(Ordering::Acquire)) else { return };
                let serving = Arc::clone(&serving);
                std::thread::spawn(move || serving.serve(stream));
            }
        });
        Self { address, url: format!("http://{address}"), shared, accepting: Some(accepting) }
    }

    /// Its URL, which is the issuer's identifier.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Leads to the issuer at this port.
    pub fn lead_to(&self, port: u64) {
        self.shared.target.set(format!("127.0.0.1:{port}")).unwrap();
    }

    /// Spoils one of the next uses of a refresh token; those that are told first come first.
    pub fn spoil(&self, fault: Fault) {
        self.book().faults.push_back(fault);
    }

    /// What is written of the uses of refresh tokens.
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.shared.book.lock().unwrap()
    }

    /// Waits until something is written, or for so long; true if it is.
    pub fn until(&self, patience: Duration, met: impl Fn(&Book) -> bool) -> bool {
        let end = Instant::now() + patience;
        let mut book = self.book();
        while !met(&book) {
            let Some(left) = end.checked_duration_since(Instant::now()) else { return false };
            book = self.shared.written.wait_timeout(book, left).unwrap().0;
        }
        true
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // Wakes the listener up, so that it looks.
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        // A connection ends with whoever opened it, or where something is spoilt.
        while let Some(request) = message::read(&mut stream) {
            let went_on = match request.refresh_token() {
                Some(token) => self.relay_use(&mut stream, &request, token),
                None => self.ask(&request).is_some_and(|reply| message::write(&mut stream, &reply.bytes)),
            };
            if !went_on {
                return;
            }
        }
    }

    fn ask(&self, request: &Request) -> Option<message::Reply> {
        message::ask(self.target.get()?, request)
    }

    fn note<T>(&self, write: impl FnOnce(&mut Book) -> T) -> T {
        let noted = write(&mut self.book.lock().unwrap());
        self.written.notify_all();
        noted
    }
}
