//! The right to be the core: taken where it is free, and taken over from an older core.

use std::cmp::Ordering;
use std::io::Write as _;
use std::time::Duration;

use keybearer_control::error::Code;
use keybearer_control::wire::{Reply, Request};
use keybearer_os::folders::Folders;
use keybearer_os::local::{self, Name};
use keybearer_os::lock::{CoreLock, LockError};
use keybearer_os::passed::Given;
use keybearer_os::switch;

use crate::ask::Core;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::serve::failed;

/// This program's version, which is that of the core that it becomes.
const OWN: &str = env!("CARGO_PKG_VERSION");

/// After which pause the lock is tried again, and how often: for a core that is ending, and for one that finishes first
/// what is under way (half a minute, and its own end).
const LOOK_AGAIN: Duration = Duration::from_millis(20);
const LOOKS: u32 = 150;
const LOOKS_AT_A_DRAIN: u32 = 1_750;

/// The longest answer of a core that hands over.
const LONGEST_ANSWER: usize = 4096;

/// What is to become of a core of the same version that runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// It stays.
    BeTheOnly,
    /// It hands over.
    Replace,
}

impl Wish {
    /// By `--replace`.
    pub(crate) fn from_flag(replace: bool) -> Self {
        if replace { Self::Replace } else { Self::BeTheOnly }
    }
}

/// The place of the core.
pub(crate) struct Place {
    pub(crate) lock: CoreLock,
    /// Listening sockets that were opened before.
    pub(crate) given: Given,
    /// The service manager has opened them, and starts the next core.
    pub(crate) supervised: bool,
}

/// Takes the core's place, from another one if need be.
pub(crate) fn place(folders: &Folders, wish: Wish) -> Result<Place, Failure> {
    let given = Given::by_service_manager().map_err(|cause| failed(&cause))?;
    let place = if given.is_empty() {
        by_hand(folders, wish)?
    } else {
        if switch::is_off(folders) {
            return Err(Failure::new(Code::NoCore, "keybearer is turned off").hint("turn it on with `keybearer start`"));
        }
        // Whoever connects now waits for this core: nobody can be asked.
        Place { lock: wait(folders, LOOKS_AT_A_DRAIN)?, given, supervised: true }
    };
    // Whoever runs a core wants it on.
    switch::turn_on(folders).map_err(|cause| failed(&cause))?;
    Ok(place)
}

fn by_hand(folders: &Folders, wish: Wish) -> Result<Place, Failure> {
    for _look in 0..LOOKS {
        match CoreLock::acquire(folders) {
            Ok(lock) => return Ok(Place { lock, given: Given::default(), supervised: false }),
            Err(LockError::Taken) => {}
            Err(error) => return Err(failed(&error)),
        }
        // One that does not answer has closed its sockets, or not opened them yet.
        let Ok(snapshot) = Core::running().and_then(|core| core.status()) else {
            std::thread::sleep(LOOK_AGAIN);
            continue;
        };
        match judge(&snapshot.version, OWN, wish) {
            Next::TakeOver => {
                let given = ask_to_drain(folders)?;
                return Ok(Place { lock: wait(folders, LOOKS_AT_A_DRAIN)?, given, supervised: false });
            }
            Next::Leave => return Err(taken()),
            Next::LeaveNewer => return Err(newer(&snapshot.version)),
        }
    }
    Err(taken())
}

/// Asks the core that runs to hand over; its listening sockets come with the answer, where they can.
fn ask_to_drain(folders: &Folders) -> Result<Given, Failure> {
    let mut stream = local::connect_blocking(folders, Name::Control).map_err(|cause| failed(&cause))?;
    let mut line = serde_json::to_vec(&Request::Drain).map_err(|cause| failed(&cause))?;
    line.push(b'\n');
    stream.write_all(&line).map_err(|cause| failed(&cause))?;
    let (line, sockets) = stream.receive(LONGEST_ANSWER).map_err(|cause| failed(&cause))?;
    match serde_json::from_slice(&line) {
        Ok(Reply::Draining { sockets: names }) => Ok(Given::named(&names, sockets)),
        // One that cannot hand over is ended, which cuts what is under way.
        Ok(_) | Err(_) => Core::running()?.stop().map(|()| Given::default()),
    }
}

fn wait(folders: &Folders, looks: u32) -> Result<CoreLock, Failure> {
    for _look in 0..looks {
        match CoreLock::acquire(folders) {
            Ok(lock) => return Ok(lock),
            Err(LockError::Taken) => std::thread::sleep(LOOK_AGAIN),
            Err(error) => return Err(failed(&error)),
        }
    }
    Err(taken())
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    TakeOver,
    Leave,
    LeaveNewer,
}

/// What is to be done about a core of version `running`.
fn judge(running: &str, own: &str, wish: Wish) -> Next {
    match (numbers(running).cmp(&numbers(own)), wish) {
        (Ordering::Less, _) | (Ordering::Equal, Wish::Replace) => Next::TakeOver,
        (Ordering::Equal, Wish::BeTheOnly) => Next::Leave,
        (Ordering::Greater, _) => Next::LeaveNewer,
    }
}

/// A version's numbers. What follows them (`-rc.1`) counts for nothing.
fn numbers(version: &str) -> Vec<u64> {
    let numbers = version.split(['-', '+']).next().unwrap_or_default();
    numbers.split('.').map(|number| number.parse().unwrap_or(0)).collect()
}

fn taken() -> Failure {
    Failure::new(Code::Internal, LockError::Taken.to_string())
        .hint("`keybearer status` shows it, `keybearer stop` ends it, `keybearer serve --replace` takes over")
        .ending(Exit::AlreadyRunning)
}

fn newer(version: &str) -> Failure {
    Failure::new(Code::Internal, format!("a newer keybearer is already running: {version}, and this one is {OWN}"))
        .hint("`keybearer stop` ends it, if you want the older one")
        .ending(Exit::AlreadyRunning)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_core_hands_over_and_a_newer_one_never() {
        for (running, alone, replacing) in [
            ("0.1.0", Next::Leave, Next::TakeOver),
            ("0.0.9", Next::TakeOver, Next::TakeOver),
            ("0.1.1", Next::LeaveNewer, Next::LeaveNewer),
            ("0.10.0", Next::LeaveNewer, Next::LeaveNewer),
            ("1.0.0-rc.1", Next::LeaveNewer, Next::LeaveNewer),
        ] {
            assert_eq!(judge(running, "0.1.0", Wish::BeTheOnly), alone, "{running}");
            assert_eq!(judge(running, "0.1.0", Wish::Replace), replacing, "{running}");
        }
    }
}
