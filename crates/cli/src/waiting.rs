//! Says what is being waited for, if it takes long enough that a person may wonder.

use std::io::IsTerminal as _;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::out;

/// Shorter waits are not spoken of.
const PATIENCE: Duration = Duration::from_secs(2);

/// Ends the waiting when it is dropped.
pub(crate) struct Waiting {
    _over: Sender<()>,
}

/// Says `what` on standard error, if this is a terminal and the returned value still lives after two seconds.
pub(crate) fn waiting_for(what: String) -> Waiting {
    let (over, ends) = channel();
    if std::io::stderr().is_terminal() {
        std::thread::spawn(move || {
            if ends.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                out::note(&what);
            }
        });
    }
    Waiting { _over: over }
}
