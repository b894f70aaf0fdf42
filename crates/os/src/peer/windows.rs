//! Windows: process handles from the pipe's process numbers, then upwards by the system's list of processes.
//!
//! A parent's number may have been given to a later process: one that began after its child is not its parent. What
//! cannot be opened ends the chain.

#![expect(unsafe_code, reason = "the system is asked by its C interface")]

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::os::windows::ffi::OsStringExt as _;
use std::os::windows::io::{AsRawHandle as _, FromRawHandle as _, OwnedHandle};
use std::path::PathBuf;
use std::ptr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::StreamCommon as _;
use keybearer_model::program::{Process, ProcessId};
use windows_sys::Win32::Foundation::{ERROR_INVALID_PARAMETER, FILETIME, HANDLE, STILL_ACTIVE};
use windows_sys::Win32::Security::{EqualSid, GetTokenInformation, TOKEN_QUERY, TOKEN_USER, TokenUser};
use windows_sys::Win32::System::Diagnostics::ToolHelp::{
    CreateToolhelp32Snapshot, PROCESSENTRY32W, Process32FirstW, Process32NextW, TH32CS_SNAPPROCESS,
};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, GetExitCodeProcess, GetProcessTimes, OpenProcess, OpenProcessToken,
    PROCESS_QUERY_LIMITED_INFORMATION, QueryFullProcessImageNameW,
};

use super::{LONGEST, Peer, PeerError};

pub(super) fn identify(stream: &Stream) -> Result<Peer, PeerError> {
    let pid = stream.peer_creds()?.pid().ok_or(PeerError::Gone)?;
    if !same_user(pid)? {
        return Err(PeerError::Foreign);
    }
    let mut child = Held::open(pid).map_err(gone_or_failed)?;
    let itself = child.described(pid)?;
    let parents = parents()?;
    let mut chain = Vec::new();
    let mut at = pid;
    while chain.len() < LONGEST {
        let Some(parent) = parents.get(&at).copied().filter(|parent| *parent != 0) else { break };
        let Ok(held) = Held::open(parent) else { break };
        if held.began()? > child.began()? {
            break;
        }
        chain.push(held.described(parent)?);
        (child, at) = (held, parent);
    }
    Ok(Peer { pid, itself, chain })
}

/// Whether this very process still runs.
pub(super) fn lives(process: ProcessId) -> bool {
    let Ok(held) = Held::open(process.pid) else { return false };
    held.began().is_ok_and(|began| began == process.begun) && held.runs()
}

/// The time that the system means by this number: tenths of microseconds since 1601.
pub(super) fn time_of(begun: u64) -> Option<SystemTime> {
    const EPOCH: u64 = 11_644_473_600;
    let since = Duration::from_micros(begun / 10).checked_sub(Duration::from_secs(EPOCH))?;
    Some(UNIX_EPOCH + since)
}

/// Whether the process `pid` runs as our user.
pub(crate) fn same_user(pid: u32) -> io::Result<bool> {
    let theirs = User::of(Held::open(pid)?.0.as_raw_handle())?;
    // SAFETY: the call has no conditions; what it returns needs no closing.
    let ours = User::of(unsafe { GetCurrentProcess() })?;
    // SAFETY: both pointers are to valid identifiers inside buffers that live until the end of this function.
    Ok(unsafe { EqualSid(theirs.sid(), ours.sid()) } != 0)
}

fn gone_or_failed(cause: io::Error) -> PeerError {
    let gone = cause.raw_os_error().and_then(|code| u32::try_from(code).ok()) == Some(ERROR_INVALID_PARAMETER);
    if gone { PeerError::Gone } else { PeerError::Failed(cause) }
}

/// Turns a call's zero into the system's last error.
fn checked(answer: i32) -> io::Result<()> {
    if answer == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// A process whose number is not given to another while this is held.
struct Held(OwnedHandle);

impl Held {
    fn open(pid: u32) -> io::Result<Self> {
        // SAFETY: the call takes numbers only.
        let handle = unsafe { OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, 0, pid) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is new, valid, and owned by nobody else.
        Ok(Self(unsafe { OwnedHandle::from_raw_handle(handle) }))
    }

    /// When it was started, in the system's own unit.
    fn began(&self) -> io::Result<u64> {
        let mut times = [FILETIME::default(); 4];
        let [began, ended, kernel, user] = &mut times;
        // SAFETY: the handle is open and the four places outlive the call.
        checked(unsafe { GetProcessTimes(self.0.as_raw_handle(), began, ended, kernel, user) })?;
        Ok(u64::from(began.dwHighDateTime) << 32 | u64::from(began.dwLowDateTime))
    }

    /// Whether it has not ended: a process that somebody holds keeps its number and its times.
    fn runs(&self) -> bool {
        let mut code = 0;
        // SAFETY: the handle is open and `code` outlives the call.
        let told = checked(unsafe { GetExitCodeProcess(self.0.as_raw_handle(), &mut code) });
        told.is_ok() && i32::try_from(code) == Ok(STILL_ACTIVE)
    }

    /// What is known of it. Its file is not: the path may lead to another one since.
    fn described(&self, pid: u32) -> io::Result<Process> {
        Ok(Process { pid, begun: self.began()?, executable: self.executable(), ..Process::default() })
    }

    fn executable(&self) -> Option<PathBuf> {
        let mut text = vec![0_u16; 32_768];
        let mut length = u32::try_from(text.len()).ok()?;
        // SAFETY: the handle is open, and `length` is the number of places in `text`.
        checked(unsafe { QueryFullProcessImageNameW(self.0.as_raw_handle(), 0, text.as_mut_ptr(), &mut length) })
            .ok()?;
        let text = text.get(..usize::try_from(length).ok()?)?;
        Some(PathBuf::from(OsString::from_wide(text)))
    }
}

/// The identifier of the user that a process runs as, in the buffer that the system filled.
struct User(Vec<u64>);

impl User {
    fn of(process: HANDLE) -> io::Result<Self> {
        let mut token: HANDLE = ptr::null_mut();
        // SAFETY: the process handle is open and `token` outlives the call.
        checked(unsafe { OpenProcessToken(process, TOKEN_QUERY, &mut token) })?;
        // SAFETY: the handle is new, valid, and owned by nobody else.
        let token = unsafe { OwnedHandle::from_raw_handle(token) };
        // An identifier is at most 68 bytes long; `u64` gives the alignment of the structure before it.
        let mut buffer = vec![0_u64; 32];
        let size = u32::try_from(size_of_val(buffer.as_slice())).unwrap_or(0);
        let mut needed = 0;
        let place = buffer.as_mut_ptr().cast();
        // SAFETY: the token is open, and `size` is the length of the place in bytes.
        checked(unsafe { GetTokenInformation(token.as_raw_handle(), TokenUser, place, size, &mut needed) })?;
        Ok(Self(buffer))
    }

    fn sid(&self) -> *mut core::ffi::c_void {
        // SAFETY: the system wrote a `TOKEN_USER` at the beginning of the buffer, which is aligned for it.
        unsafe { (*self.0.as_ptr().cast::<TOKEN_USER>()).User.Sid }
    }
}

/// Which process started which, for all that run now.
fn parents() -> io::Result<HashMap<u32, u32>> {
    // SAFETY: the call takes numbers only.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0) };
    if snapshot == windows_sys::Win32::Foundation::INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is new, valid, and owned by nobody else.
    let snapshot = unsafe { OwnedHandle::from_raw_handle(snapshot) };
    let size = u32::try_from(size_of::<PROCESSENTRY32W>()).unwrap_or(0);
    let mut entry = PROCESSENTRY32W { dwSize: size, ..Default::default() };
    let mut found = HashMap::new();
    // SAFETY: the snapshot is open, and `entry` says its own size.
    let mut more = unsafe { Process32FirstW(snapshot.as_raw_handle(), &mut entry) };
    while more != 0 {
        found.insert(entry.th32ProcessID, entry.th32ParentProcessID);
        // SAFETY: as above.
        more = unsafe { Process32NextW(snapshot.as_raw_handle(), &mut entry) };
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::folders::Folders;
    use crate::local::{Name, bind, connect};
    use crate::lock::CoreLock;
    use crate::peer::identify;

    #[tokio::test]
    async fn a_peer_is_named_with_the_program_that_started_it() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(home.path());
        let listener = bind(&CoreLock::acquire(&folders).unwrap(), Name::Bridge).unwrap();
        let (near, far) = tokio::join!(connect(&folders, Name::Bridge), listener.accept());
        let (_near, peer) = (near.unwrap(), identify(&far.unwrap()).unwrap());
        assert_eq!(peer.pid, std::process::id());
        let this = super::Held::open(peer.pid).unwrap();
        assert_eq!(this.executable(), std::env::current_exe().ok());
        for parent in peer.chain {
            assert!(parent.pid != peer.pid && parent.executable.is_none_or(|path| path.is_absolute()));
        }
    }
}
