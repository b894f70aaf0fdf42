//! Keeps everything that this process logs, from all worlds in it: ours in full, dependencies from `info` up.

use std::io;
use std::sync::{Mutex, Once, PoisonError};

use tracing_subscriber::filter::EnvFilter;

const OURS: [&str; 7] = ["core", "server", "oauth", "mcp", "os", "platform", "control"];

static LOGGED: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static STARTED: Once = Once::new();

/// Begins to keep the log; once in a process, for `tracing` knows one subscriber.
pub(super) fn capture() {
    STARTED.call_once(|| {
        let ours = OURS.map(|name| format!(",keybearer_{name}=trace")).concat();
        let filter = EnvFilter::new(format!("info{ours}"));
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(|| Kept);
        // A test that brought its own subscriber looks at its log itself.
        let _ = subscriber.try_init();
    });
}

/// Everything that was logged so far.
pub(super) fn logged() -> Vec<u8> {
    LOGGED.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

struct Kept;

impl io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGGED.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
