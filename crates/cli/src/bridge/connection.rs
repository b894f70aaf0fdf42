//! One connection to a core: its greeting, what is written to it, and which requests are open on it.

use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keybearer_control::bridge::{FINISHED, Hello, NOTICE_MARK, VERSION, Welcome};
use keybearer_control::error::Error;
use keybearer_mcp::envelope::{Envelope, Seen};
use keybearer_model::name::ServerName;
use keybearer_os::local::{BlockingStream, Ending, Reader, Writer};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::lines::Lines;

/// The longest welcome.
const LONGEST_WELCOME: usize = 64 << 10;

/// A connection that a core has welcomed.
pub(super) struct Connection {
    /// `None` once no more lines go here.
    writer: Mutex<Option<Writer>>,
    /// The ids (JSON text) of the requests that were sent here and are not answered.
    open: Mutex<Vec<Box<str>>>,
    /// How many lines the core has refused without naming them: what it cannot read has no id.
    refused: AtomicUsize,
    /// Another core takes over: somebody else connects again.
    retired: AtomicBool,
    /// The handshake is being said again, and its answer is not for the client.
    replaying: AtomicBool,
}

/// A connection and what comes from it.
pub(super) struct Opened {
    pub(super) connection: Arc<Connection>,
    pub(super) lines: Lines<Reader>,
}

/// Why there is no connection though somebody listened.
pub(super) enum NotWelcome {
    /// It hung up first: it is ending, and another one follows.
    HungUp,
    /// It said no.
    Refused(Error),
    /// What it said makes no sense.
    Senseless,
}

impl Connection {
    /// Says hello and waits for the welcome.
    pub(super) fn open(stream: BlockingStream, server: Option<&ServerName>) -> Result<Opened, NotWelcome> {
        let (mut reader, mut writer) = stream.split();
        let hello = Hello { keybearer: VERSION, server: server.map(ToString::to_string) };
        let mut line = serde_json::to_vec(&hello).map_err(|_| NotWelcome::Senseless)?;
        line.push(b'\n');
        writer.write_all(&line).and_then(|()| writer.flush()).map_err(|_| NotWelcome::HungUp)?;
        match serde_json::from_slice(&first_line(&mut reader)?) {
            Ok(Welcome::Ready) => {
                let connection = Self {
                    writer: Mutex::new(Some(writer)),
                    open: Mutex::default(),
                    refused: AtomicUsize::new(0),
                    retired: AtomicBool::new(false),
                    replaying: AtomicBool::new(false),
                };
                Ok(Opened { connection: Arc::new(connection), lines: Lines::new(reader) })
            }
            Ok(Welcome::Refused { error }) => Err(NotWelcome::Refused(error)),
            Err(_) => Err(NotWelcome::Senseless),
        }
    }

    /// Writes, and says how much went out. Less than all means that nothing more ever will.
    pub(super) fn write(&self, bytes: &[u8]) -> usize {
        self.turn().write(bytes)
    }

    /// The right to write, for as long as it is held.
    pub(super) fn turn(&self) -> Turn<'_> {
        Turn(lock(&self.writer))
    }

    /// Says that no more lines come from here; what is open is still answered.
    pub(super) fn finish(&self) {
        let Some(mut writer) = lock(&self.writer).take() else { return };
        if !matches!(writer.finish(), Ok(Ending::Heard)) {
            // A pipe cannot be closed in one direction: a line says the same.
            let _ = writer.write_all(&[&[NOTICE_MARK], FINISHED, b"\n"].concat()).and_then(|()| writer.flush());
        }
    }

    /// Notes that a request is about to be sent here.
    pub(super) fn expect(&self, id: &str) {
        lock(&self.open).push(id.into());
    }

    /// Notes that a request is answered, cancelled, or was not sent after all; says whether it was open.
    pub(super) fn settle(&self, id: &str) -> bool {
        let mut open = lock(&self.open);
        let Some(at) = open.iter().position(|other| same(other, id)) else { return false };
        open.swap_remove(at);
        true
    }

    /// Notes that the core has refused a line without naming it.
    pub(super) fn refused_one(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether all that seems open may be lines that were refused without a name.
    pub(super) fn may_be_done(&self) -> bool {
        lock(&self.open).len() <= self.refused.load(Ordering::Relaxed)
    }

    /// The client does not want this answer any more: it may never come.
    pub(super) fn cancelled(&self, notification: &[u8]) {
        #[derive(Deserialize)]
        struct Cancelled<'a> {
            #[serde(borrow)]
            params: Params<'a>,
        }
        #[derive(Deserialize)]
        struct Params<'a> {
            #[serde(borrow, rename = "requestId")]
            request_id: &'a RawValue,
        }
        if let Ok(Cancelled { params }) = serde_json::from_slice(notification) {
            self.settle(params.request_id.get());
        }
    }

    /// Everything that is still open; from now on nothing is.
    pub(super) fn give_up(&self) -> Vec<Box<str>> {
        std::mem::take(&mut lock(&self.open))
    }

    pub(super) fn retire(&self) {
        self.retired.store(true, Ordering::Release);
    }

    pub(super) fn is_retired(&self) -> bool {
        self.retired.load(Ordering::Acquire)
    }

    pub(super) fn set_replaying(&self, replaying: bool) {
        self.replaying.store(replaying, Ordering::Release);
    }

    pub(super) fn is_replaying(&self) -> bool {
        self.replaying.load(Ordering::Acquire)
    }
}

/// The right to write to a connection.
pub(super) struct Turn<'a>(MutexGuard<'a, Option<Writer>>);

impl Turn<'_> {
    /// Writes, and says how much went out. Less than all means that nothing more ever will.
    pub(super) fn write(&mut self, bytes: &[u8]) -> usize {
        let Some(writer) = self.0.as_mut() else { return 0 };
        let mut out = 0;
        while let Some(rest) = bytes.get(out..).filter(|rest| !rest.is_empty()) {
            match writer.write(rest) {
                Ok(count) if count > 0 => out += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Ok(_) | Err(_) => {
                    *self.0 = None;
                    break;
                }
            }
        }
        out
    }
}

/// Where the lines that went out end: a line of which the end is missing was not received.
pub(super) fn whole_lines(lines: &[u8], written: usize) -> usize {
    let out = lines.get(..written).unwrap_or(lines);
    out.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1)
}

/// The requests among these lines.
pub(super) fn requests(lines: &[u8]) -> Vec<Box<str>> {
    let id = |line: &[u8]| match Envelope::of(line).seen() {
        Seen::Request { id, .. } => Some(id.into()),
        Seen::Notification { .. } | Seen::Answer { .. } | Seen::Other => None,
    };
    lines.split(|byte| *byte == b'\n').filter_map(id).collect()
}

/// Read byte by byte: what follows belongs to the client.
fn first_line(reader: &mut Reader) -> Result<Vec<u8>, NotWelcome> {
    let mut line = Vec::new();
    let mut byte = [0];
    while line.len() < LONGEST_WELCOME {
        match reader.read(&mut byte) {
            Ok(1) if byte == *b"\n" => return Ok(line),
            Ok(1) => line.extend(byte),
            Ok(_) => return Err(NotWelcome::HungUp),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return Err(NotWelcome::HungUp),
        }
    }
    Err(NotWelcome::Senseless)
}

/// Whether two ids (JSON text) are one: a server may write a text or a number in another way than it was asked.
pub(super) fn same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    let value = |id: &str| serde_json::from_str::<serde_json::Value>(id).ok();
    match (value(one), value(other)) {
        (Some(one), Some(other)) => {
            one == other || one.as_f64().zip(other.as_f64()).is_some_and(|(one, other)| one == other)
        }
        (_, None) | (None, Some(_)) => false,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_however_it_is_written() {
        for (one, other) in [("7", "7"), ("7", "7.0"), (r#""a""#, r#""\u0061""#)] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [("7", r#""7""#), ("7", "8"), ("null", "0"), ("a", "b")] {
            assert!(!same(one, other), "{one} {other}");
        }
    }

    #[test]
    fn a_line_counts_as_sent_when_its_end_is_out() {
        let lines = b"{\"a\":1}\n{\"b\":2}\n";
        assert_eq!(whole_lines(lines, 0), 0);
        assert_eq!(whole_lines(lines, 7), 0);
        assert_eq!(whole_lines(lines, 8), 8);
        assert_eq!(whole_lines(lines, 15), 8);
        assert_eq!(whole_lines(lines, 16), 16);
    }
}
