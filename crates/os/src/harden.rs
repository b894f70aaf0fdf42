//! Makes this process's memory hard to get at for others of the same user (SEC-35).

use std::io;

/// Forbids other processes of the same user to read this one's memory, environment and files, and leaves no core file.
///
/// For processes that hold secrets only: one that is not dumpable can also not be identified by its peers.
/// Outside Linux it does nothing: Windows and macOS protect a process by its signature and entitlements instead.
#[cfg(target_os = "linux")]
pub fn harden() -> io::Result<()> {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) })?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
    Ok(())
}

/// Does nothing on this system: Windows and macOS protect a process by its signature and entitlements.
#[cfg(not(target_os = "linux"))]
pub fn harden() -> io::Result<()> {
    Ok(())
}
