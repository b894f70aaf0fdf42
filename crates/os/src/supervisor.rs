//! Who starts the core besides us: the service manager of the person's session, where it was told to.
//!
//! systemd listens on the core's sockets and starts it for whoever comes first; launchd starts it at login and again
//! when it dies; Windows' task scheduler starts it at logon. Where the folders are moved, nobody does.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use directories::BaseDirs;

use crate::folders::{Folders, session_folder};

mod texts;

pub use texts::Unit;

/// What launchd calls the core.
const LABEL: &str = "com.keybearer.core";
/// What Windows' task scheduler calls it.
const TASK: &str = "Keybearer";
/// What systemd calls it.
const SERVICE: &str = "keybearer.service";
const SOCKETS: [&str; 3] = ["keybearer-bridge.socket", "keybearer-control.socket", "keybearer-http.socket"];
/// Where a package puts systemd's units for everybody.
const PACKAGED: &str = "/usr/lib/systemd/user";

/// The service manager of this person's session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Supervisor {
    /// systemd's user manager.
    Systemd {
        /// The folder of the person's units.
        units: PathBuf,
    },
    /// launchd.
    Launchd {
        /// The folder of the person's agents.
        agents: PathBuf,
        /// The session, in launchd's words.
        domain: String,
    },
    /// Windows' task scheduler, which keeps the task itself: the file is what it was told.
    TaskScheduler {
        /// The folder of that file.
        folder: PathBuf,
        /// Whose logon.
        account: String,
    },
    /// There is none, or the folders are moved.
    None,
}

/// What the service manager does about the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It was not told to start a core.
    NotInstalled,
    /// It runs the core.
    Running,
    /// It starts the core when somebody needs it, or at the next login.
    Waiting,
    /// The core that it started has failed.
    Failed,
    /// It was told, and does nothing: Keybearer is turned off.
    Resting,
}

impl Supervisor {
    /// The one that runs here.
    pub fn of_this_system(folders: &Folders) -> Self {
        if folders.variable().is_some() {
            return Self::None;
        }
        BaseDirs::new().and_then(|base| of_system(&base, folders)).unwrap_or(Self::None)
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Systemd { .. } => "systemd",
            Self::Launchd { .. } => "launchd",
            Self::TaskScheduler { .. } => "task scheduler",
            Self::None => "none",
        }
    }

    /// Tells it to start `executable` when a core is needed. Gives the files that were written; none, if it refuses.
    ///
    /// A core that it did not start must be gone: its sockets are taken over.
    ///
    /// # Errors
    /// If there is no service manager, or it refuses, or the files cannot be written.
    pub fn install(&self, executable: &Path, folders: &Folders) -> Result<Vec<PathBuf>, SupervisorError> {
        if *self == Self::None {
            return Err(SupervisorError::None);
        }
        for path in [executable, &folders.state()] {
            if !self.can_name(path) {
                return Err(SupervisorError::Path(path.to_owned()));
            }
        }
        let units = self.texts(executable, folders);
        let told = units.iter().try_for_each(|unit| self.write(unit)).and_then(|()| self.register());
        if told.is_err() {
            let _ = self.uninstall();
        }
        told.map(|()| units.into_iter().map(|unit| unit.path).collect())
    }

    /// Takes that back; a core that it started ends. Gives the files that were removed.
    ///
    /// # Errors
    /// If there is no service manager, or a file cannot be removed.
    pub fn uninstall(&self) -> Result<Vec<PathBuf>, SupervisorError> {
        if *self == Self::None {
            return Err(SupervisorError::None);
        }
        // What a package brought for everybody is not this person's to take back.
        if !self.told_by_person() && self.told_by_package() {
            return Ok(Vec::new());
        }
        self.unregister();
        let mut removed = Vec::new();
        for path in self.files() {
            match std::fs::remove_file(&path) {
                Ok(()) => removed.push(path),
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
                Err(cause) => return Err(SupervisorError::File { path, cause }),
            }
        }
        if let Self::Systemd { .. } = self {
            run("systemctl", &["--user", "daemon-reload"])?;
        }
        Ok(removed)
    }

    /// Whether it was told to start a core.
    pub fn installed(&self) -> bool {
        self.told_by_person() || self.told_by_package()
    }

    fn told_by_person(&self) -> bool {
        let files = self.files();
        !files.is_empty() && files.iter().all(|file| file.is_file())
    }

    /// Whether a package told it, for everybody on this machine.
    pub fn told_by_package(&self) -> bool {
        let in_package = |name| Path::new(PACKAGED).join(name).is_file();
        matches!(self, Self::Systemd { .. }) && SOCKETS.into_iter().chain([SERVICE]).all(in_package)
    }

    /// What it does about the core. Nothing is started by asking.
    pub fn state(&self) -> State {
        if !self.installed() {
            return State::NotInstalled;
        }
        match self {
            Self::Systemd { .. } => systemd_state(),
            Self::Launchd { domain, .. } => match run("launchctl", &["print", &format!("{domain}/{LABEL}")]) {
                Ok(told) if told.contains("state = running") => State::Running,
                Ok(_) => State::Waiting,
                Err(_) => State::Resting,
            },
            Self::TaskScheduler { .. } => match run("schtasks", &["/Query", "/TN", TASK]) {
                Ok(_) => State::Waiting,
                Err(_) => State::Resting,
            },
            Self::None => State::NotInstalled,
        }
    }

    /// Asks it to start the core, and waits until it has; `false`: it is not one that does.
    ///
    /// # Errors
    /// If it refuses, or the core that it started has failed.
    pub fn ask_to_start(&self) -> Result<bool, SupervisorError> {
        if !self.installed() {
            return Ok(false);
        }
        match self {
            Self::Systemd { .. } => {
                // Somebody who did not know of them may have put other sockets in their place.
                let _ = run("systemctl", &[&["--user", "restart"][..], &SOCKETS].concat());
                run("systemctl", &["--user", "start", SERVICE])?;
                Ok(true)
            }
            Self::Launchd { agents, domain } => {
                let agent = format!("{domain}/{LABEL}");
                run("launchctl", &["enable", &agent])?;
                // Refused where it is known already.
                let _ = run("launchctl", &["bootstrap", domain, &texts::plist(agents).to_string_lossy()]);
                run("launchctl", &["kickstart", &agent])?;
                Ok(true)
            }
            Self::TaskScheduler { .. } => {
                run("schtasks", &["/Change", "/TN", TASK, "/ENABLE"])?;
                Ok(false)
            }
            Self::None => Ok(false),
        }
    }

    /// Keeps it from starting a core until it is asked to. A core that runs is not ended by this.
    ///
    /// # Errors
    /// If it refuses.
    pub fn rest(&self) -> Result<(), SupervisorError> {
        if !self.installed() {
            return Ok(());
        }
        match self {
            Self::Systemd { .. } => run("systemctl", &[&["--user", "stop"][..], &SOCKETS].concat()).map(drop),
            Self::Launchd { domain, .. } => run("launchctl", &["disable", &format!("{domain}/{LABEL}")]).map(drop),
            Self::TaskScheduler { .. } => run("schtasks", &["/Change", "/TN", TASK, "/DISABLE"]).map(drop),
            Self::None => Ok(()),
        }
    }

    fn write(&self, unit: &Unit) -> Result<(), SupervisorError> {
        let failed = |cause| SupervisorError::File { path: unit.path.clone(), cause };
        if let Some(folder) = unit.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        let bytes = match self {
            // It reads nothing else without being told the encoding.
            Self::TaskScheduler { .. } => texts::utf16(&unit.text),
            Self::Systemd { .. } | Self::Launchd { .. } | Self::None => unit.text.clone().into_bytes(),
        };
        std::fs::write(&unit.path, bytes).map_err(failed)
    }

    fn register(&self) -> Result<(), SupervisorError> {
        match self {
            Self::Systemd { .. } => {
                run("systemctl", &["--user", "daemon-reload"])?;
                run("systemctl", &[&["--user", "enable", "--now"][..], &SOCKETS].concat())?;
            }
            Self::Launchd { agents, domain } => {
                // One that was there before is replaced.
                let _ = run("launchctl", &["bootout", &format!("{domain}/{LABEL}")]);
                run("launchctl", &["bootstrap", domain, &texts::plist(agents).to_string_lossy()])?;
            }
            Self::TaskScheduler { folder, .. } => {
                let file = texts::task(folder);
                run("schtasks", &["/Create", "/F", "/TN", TASK, "/XML", &file.to_string_lossy()])?;
            }
            Self::None => {}
        }
        Ok(())
    }

    /// What it does not know cannot be taken back, and need not.
    fn unregister(&self) {
        match self {
            Self::Systemd { .. } => {
                let _ = run("systemctl", &[&["--user", "disable", "--now"][..], &SOCKETS].concat());
                let _ = run("systemctl", &["--user", "stop", SERVICE]);
            }
            Self::Launchd { domain, .. } => {
                let _ = run("launchctl", &["bootout", &format!("{domain}/{LABEL}")]);
            }
            Self::TaskScheduler { .. } => {
                let _ = run("schtasks", &["/Delete", "/F", "/TN", TASK]);
            }
            Self::None => {}
        }
    }
}

/// Why the service manager does not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// There is none.
    #[error("no service manager runs in this session")]
    None,
    /// A path that its files cannot name.
    #[error("`{}` has characters that the service manager does not take in a path", .0.display())]
    Path(PathBuf),
    /// A file cannot be written or removed.
    #[error("`{}` cannot be written or removed: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// Its program cannot be run.
    #[error("`{program}` cannot be run: {cause}")]
    NotRun {
        /// Which.
        program: String,
        /// The system's words.
        cause: io::Error,
    },
    /// It said no.
    #[error("`{command}` failed: {told}")]
    Refused {
        /// What it was asked.
        command: String,
        /// Its words.
        told: String,
    },
}

#[cfg(target_os = "linux")]
fn of_system(base: &BaseDirs, _folders: &Folders) -> Option<Supervisor> {
    // Where it listens for `systemctl --user`.
    let runs = session_folder(base)?.join("systemd/private").exists();
    runs.then(|| Supervisor::Systemd { units: base.config_dir().join("systemd/user") })
}

#[cfg(target_os = "macos")]
fn of_system(base: &BaseDirs, _folders: &Folders) -> Option<Supervisor> {
    let domain = format!("gui/{}", rustix::process::getuid().as_raw());
    Some(Supervisor::Launchd { agents: base.home_dir().join("Library/LaunchAgents"), domain })
}

#[cfg(windows)]
fn of_system(_base: &BaseDirs, folders: &Folders) -> Option<Supervisor> {
    let (domain, user) = (std::env::var("USERDOMAIN").ok()?, std::env::var("USERNAME").ok()?);
    Some(Supervisor::TaskScheduler { folder: folders.state(), account: format!("{domain}\\{user}") })
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn of_system(_base: &BaseDirs, _folders: &Folders) -> Option<Supervisor> {
    None
}

fn systemd_state() -> State {
    let is = |unit, state| run("systemctl", &["--user", "is-active", unit]).is_ok_and(|told| told.trim() == state);
    if is(SERVICE, "active") {
        State::Running
    } else if run("systemctl", &[&["--user", "is-failed", SERVICE][..], &SOCKETS].concat()).is_ok() {
        State::Failed
    } else if SOCKETS.iter().all(|socket| is(socket, "active")) {
        State::Waiting
    } else {
        State::Resting
    }
}

/// Runs a program of the service manager to its end, and gives what it prints.
fn run(program: &str, arguments: &[&str]) -> Result<String, SupervisorError> {
    let not_run = |cause| SupervisorError::NotRun { program: program.to_owned(), cause };
    let mut command = Command::new(program);
    // systemctl finds its manager by this.
    if let Some(folder) = BaseDirs::new().as_ref().and_then(session_folder) {
        command.env("XDG_RUNTIME_DIR", folder);
    }
    let output = command.args(arguments).stdin(Stdio::null()).output().map_err(not_run)?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let told = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(SupervisorError::Refused { command: format!("{program} {}", arguments.join(" ")), told })
}
