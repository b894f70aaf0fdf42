//! Starting the core where nobody has: by the service manager, if it was told how; else detached, with a life of its own.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::folders::{Folders, FoldersError};
use crate::local::{ConnectError, Name, connect_blocking};
use crate::own_file;
use crate::supervisor::Supervisor;
use crate::switch::{self, SwitchError};

/// How long a core may take until it answers.
const PATIENCE: Duration = Duration::from_secs(10);
/// A second core that finds the lock taken ends at once; the first may still be on its way.
const PATIENCE_AFTER_END: Duration = Duration::from_secs(2);
/// A core is usually there within the first of these; a client waits for it.
const EAGER: Duration = Duration::from_millis(100);
const LOOK_AGAIN: Duration = Duration::from_millis(2);
const LOOK_AGAIN_LATER: Duration = Duration::from_millis(15);
/// A log that has grown beyond this is begun anew when a core starts; the one before is kept beside it.
const LARGE_LOG: u64 = 4 << 20;

/// Turns Keybearer on, starts `executable serve` for these folders, and waits until it answers on the control socket.
///
/// A service manager that was told to start cores is asked first; what follows is for where there is none. The core does not end with its starter and holds none of its pipes: its output goes to `core.log` in the state folder.
/// Blocks for up to ten seconds: call it from a thread of its own.
pub fn start_core(folders: &Folders, executable: &Path) -> Result<(), StartError> {
    switch::turn_on(folders)?;
    start_anyhow(folders, executable)
}

/// The same for whoever needs a core without having been told to start one: not where Keybearer is turned off.
pub fn start_core_if_wanted(folders: &Folders, executable: &Path) -> Result<(), StartError> {
    if switch::is_off(folders) {
        return Err(StartError::TurnedOff);
    }
    start_anyhow(folders, executable)
}

fn start_anyhow(folders: &Folders, executable: &Path) -> Result<(), StartError> {
    if start_supervised(folders) { Ok(()) } else { start_detached(folders, executable) }
}

/// Whether the service manager has started a core that answers.
fn start_supervised(folders: &Folders) -> bool {
    match Supervisor::of_this_system(folders).ask_to_start() {
        Ok(true) => answers(folders),
        Ok(false) => false,
        Err(cause) => {
            tracing::warn!(%cause, "the service manager has not started the core: it is started without it");
            false
        }
    }
}

fn answers(folders: &Folders) -> bool {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if connect_blocking(folders, Name::Control).is_ok() {
            return true;
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    false
}

fn start_detached(folders: &Folders, executable: &Path) -> Result<(), StartError> {
    let (mut core, log) = spawn(folders, executable, &["serve"])?;
    let answer = wait(folders, &mut core, &log);
    reap(core);
    answer
}

/// Starts `executable` as the core that takes over from this one, and waits for nothing: it asks when it is ready.
///
/// # Errors
/// If it cannot be started.
pub fn start_successor(folders: &Folders, executable: &Path) -> Result<(), StartError> {
    spawn(folders, executable, &["serve", "--replace"]).map(|(core, _)| reap(core))
}

/// Somebody must take its exit status if it ends before us.
fn reap(mut core: Child) {
    std::thread::spawn(move || core.wait());
}

/// A core with a life of its own, and where it logs.
fn spawn(folders: &Folders, executable: &Path, arguments: &[&str]) -> Result<(Child, PathBuf), StartError> {
    folders.prepare()?;
    let log = folders.state().join("core.log");
    let output = open_log(&log).map_err(|cause| StartError::Log { path: log.clone(), cause })?;
    let failed = |cause| StartError::NotStarted { executable: executable.to_owned(), cause };
    let errors = output.try_clone().map_err(failed)?;
    let mut command = Command::new(executable);
    command.args(arguments).stdin(Stdio::null()).stdout(output).stderr(errors).envs(folders.variable());
    detach::prepare(&mut command);
    let core = command.spawn().map_err(failed)?;
    Ok((core, log))
}

/// The executable `name` in the folder of the one that runs: our programs are installed together.
pub fn beside_me(name: &str) -> io::Result<PathBuf> {
    let me = own_file::path()?;
    Ok(me.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
}

/// Why no core runs.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The person has turned Keybearer off.
    #[error("keybearer is turned off")]
    TurnedOff,
    /// It cannot be turned on.
    #[error(transparent)]
    Switch(#[from] SwitchError),
    /// The folders cannot be used.
    #[error(transparent)]
    Folders(#[from] FoldersError),
    /// Its log cannot be written.
    #[error("`{path}` cannot be written: {cause}")]
    Log {
        /// Which file.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// The program cannot be started.
    #[error("`{executable}` cannot be started: {cause}")]
    NotStarted {
        /// Which program.
        executable: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// It ended instead of answering; its log says why.
    #[error("keybearer ended at its start ({status}); see `{log}`")]
    Ended {
        /// How.
        status: ExitStatus,
        /// Where it says why.
        log: PathBuf,
    },
    /// It runs, but does not answer.
    #[error("keybearer does not answer after its start; see `{log}`")]
    Silent {
        /// Where it may say why.
        log: PathBuf,
    },
    /// Its socket cannot be trusted or used.
    #[error(transparent)]
    Unreachable(ConnectError),
}

fn wait(folders: &Folders, core: &mut Child, log: &Path) -> Result<(), StartError> {
    let begun = Instant::now();
    let mut ended: Option<(ExitStatus, Instant)> = None;
    loop {
        match connect_blocking(folders, Name::Control) {
            Ok(_) => return Ok(()),
            Err(ConnectError::NotRunning) => {}
            Err(other) => return Err(StartError::Unreachable(other)),
        }
        if ended.is_none() {
            ended = core.try_wait().ok().flatten().map(|status| (status, Instant::now()));
        }
        match ended {
            Some((status, at)) if at.elapsed() > PATIENCE_AFTER_END => {
                return Err(StartError::Ended { status, log: log.to_owned() });
            }
            Some(_) | None if begun.elapsed() > PATIENCE => return Err(StartError::Silent { log: log.to_owned() }),
            Some(_) | None if begun.elapsed() < EAGER => std::thread::sleep(LOOK_AGAIN),
            Some(_) | None => std::thread::sleep(LOOK_AGAIN_LATER),
        }
    }
}

fn open_log(path: &Path) -> io::Result<File> {
    if path.metadata().is_ok_and(|found| found.len() > LARGE_LOG) {
        std::fs::rename(path, path.with_extension("log.1"))?;
    }
    let mut options = OpenOptions::new();
    options.create(true).append(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[cfg(unix)]
mod detach {
    use std::os::unix::process::CommandExt as _;
    use std::process::Command;

    /// What would load foreign code into the process that holds the secrets.
    const LOADERS: &[&str] =
        &["LD_PRELOAD", "LD_AUDIT", "LD_LIBRARY_PATH", "DYLD_INSERT_LIBRARIES", "DYLD_LIBRARY_PATH"];

    /// A session of its own, no open file but its output, no folder kept busy.
    #[expect(unsafe_code, reason = "the standard library has no stable call for a new session")]
    pub(super) fn prepare(command: &mut Command) {
        command.current_dir("/");
        for name in LOADERS {
            command.env_remove(name);
        }
        // SAFETY: between fork and exec only two system calls are made, neither of which allocates or takes a lock.
        unsafe {
            command.pre_exec(|| {
                rustix::process::setsid()?;
                close_inherited();
                Ok(())
            });
        }
    }

    /// A client's pipe that the core would keep open could never end. Kernels before 5.11 do not know the call: there
    /// it relies on everybody's close-on-exec.
    #[cfg(target_os = "linux")]
    #[expect(unsafe_code, reason = "rustix has no call for this")]
    fn close_inherited() {
        // SAFETY: marks descriptors for closing at exec, closes none now, and touches no memory.
        unsafe { libc::syscall(libc::SYS_close_range, 3_u32, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    }

    #[cfg(not(target_os = "linux"))]
    fn close_inherited() {}
}

#[cfg(windows)]
mod detach {
    use std::io::{stderr, stdin, stdout};
    use std::os::windows::io::{AsRawHandle as _, RawHandle};
    use std::os::windows::process::CommandExt as _;
    use std::process::Command;

    use windows_sys::Win32::Foundation::{HANDLE_FLAG_INHERIT, SetHandleInformation};

    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;

    /// No console, no Ctrl-C from the one of the starter, and none of its pipes.
    pub(super) fn prepare(command: &mut Command) {
        for handle in [stdin().as_raw_handle(), stdout().as_raw_handle(), stderr().as_raw_handle()] {
            keep_to_ourselves(handle);
        }
        command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
    }

    /// A new process inherits every handle that may be inherited, whatever its own three are: a client's pipe that the
    /// core would keep open could never end.
    #[expect(unsafe_code, reason = "the standard library has no call for this")]
    fn keep_to_ourselves(handle: RawHandle) {
        // SAFETY: changes a flag of a handle that this process owns while it runs; one that is not there is refused.
        unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) };
    }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn script(home: &Path, text: &str) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = home.join("core");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
        path
    }

    #[test]
    fn a_core_that_ends_at_once_is_told_with_its_log() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(&home.path().join("kb"));
        let core = script(home.path(), "echo \"$1: no\" >&2; exit 7");
        let refusal = start_core(&folders, &core).unwrap_err();
        assert!(matches!(&refusal, StartError::Ended { status, .. } if status.code() == Some(7)), "{refusal}");
        assert_eq!(std::fs::read_to_string(folders.state().join("core.log")).unwrap(), "serve: no\n");
    }

    #[test]
    fn a_missing_program_is_told() {
        let home = tempfile::tempdir().unwrap();
        let refusal = start_core(&Folders::at(home.path()), Path::new("/nowhere/keybearer")).unwrap_err();
        assert!(matches!(refusal, StartError::NotStarted { .. }), "{refusal}");
    }

    #[test]
    fn a_core_is_started_detached() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(&home.path().join("kb"));
        let example = std::env::current_exe().unwrap();
        let example = example.parent().unwrap().parent().unwrap().join("examples/listen");
        let core = script(home.path(), &format!("exec '{}'", example.display()));
        start_core(&folders, &core).unwrap();
        // The example answers with its session, its parent's session being ours, and ends.
        let mut told = String::new();
        io::Read::read_to_string(&mut connect_blocking(&folders, Name::Control).unwrap(), &mut told).unwrap();
        let (pid, session) = told.split_once(' ').unwrap();
        assert_eq!(pid, session, "the core is not the leader of its own session");
    }
}
