//! Where the system names the user alone: the audit token of macOS needs an entitlement and a signed build.

use std::time::SystemTime;

use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::StreamCommon as _;

use keybearer_model::program::{Process, ProcessId};

use super::{Peer, PeerError};

pub(super) fn identify(stream: &Stream) -> Result<Peer, PeerError> {
    let peer = stream.peer_creds()?;
    if peer.euid() != Some(rustix::process::geteuid().as_raw()) {
        return Err(PeerError::Foreign);
    }
    let pid = peer.pid().and_then(|pid| u32::try_from(pid).ok()).unwrap_or(0);
    Ok(Peer { pid, itself: Process { pid, ..Process::default() }, chain: Vec::new() })
}

/// Processes are not told apart here, so that none is known to live.
pub(super) fn lives(_process: ProcessId) -> bool {
    false
}

/// Processes tell no beginning here.
pub(super) fn time_of(_begun: u64) -> Option<SystemTime> {
    None
}
