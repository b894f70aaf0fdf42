//! A client at the stdio door: `keybearer stdio NAME` as a process, line by line.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::core::{Home, keybearer};
use crate::parts::collect;
use crate::wire::Heard;

/// The longest wait for a line.
const PATIENCE: Duration = Duration::from_secs(30);

/// A bridge that a client has started.
pub struct Bridge {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    complaints: Arc<Mutex<Vec<u8>>>,
    listening: Vec<JoinHandle<()>>,
}

impl Bridge {
    /// Starts `keybearer stdio server`.
    pub fn start(home: &Home, server: &str, heard: &Heard) -> Self {
        Self::with(home, &["stdio", server], heard)
    }

    /// Starts `keybearer stdio`, for Keybearer's own server.
    pub fn start_own(home: &Home, heard: &Heard) -> Self {
        Self::with(home, &["stdio"], heard)
    }

    fn with(home: &Home, arguments: &[&str], heard: &Heard) -> Self {
        let mut command = home.command(keybearer());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let complaints = Arc::new(Mutex::new(Vec::new()));
        let complaining = collect(child.stderr.take().unwrap(), Arc::clone(&complaints));
        let (sender, lines) = mpsc::channel();
        let (out, heard) = (child.stdout.take().unwrap(), Arc::clone(heard));
        let reading = std::thread::spawn(move || {
            for line in BufReader::new(out).split(b'\n') {
                let Ok(line) = line else { return };
                heard.lock().unwrap().extend_from_slice(&line);
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self { input: child.stdin.take(), child, lines, complaints, listening: vec![complaining, reading] }
    }

    /// Sends bytes as they are. A bridge that has ended shows in what comes back.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        if let Some(input) = &mut self.input {
            let _ = input.write_all(bytes.as_ref()).and_then(|()| input.flush());
        }
    }

    /// The next line, without its end.
    pub fn line(&mut self) -> Vec<u8> {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            panic!("no line came ({error}): {}", String::from_utf8_lossy(&self.complaints.lock().unwrap()))
        })
    }

    /// Ends its input and waits for its end: the lines that were left, how it ended, what it complained.
    pub fn end(mut self) -> (Vec<Vec<u8>>, ExitStatus, String) {
        drop(self.input.take());
        let mut left = Vec::new();
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => left.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("the bridge does not end"),
            }
        }
        let status = self.child.wait().unwrap();
        self.listening.drain(..).for_each(|listening| listening.join().unwrap());
        let complaints = String::from_utf8_lossy(&self.complaints.lock().unwrap()).into_owned();
        (left, status, complaints)
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
