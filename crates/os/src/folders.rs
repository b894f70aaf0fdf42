//! Where things live, and whether those places are ours alone.

use std::fs::DirBuilder;
use std::io;
use std::path::{Path, PathBuf};

use directories::BaseDirs;

mod check;

/// The variable that moves the user's part into one folder; `keybearer-control` documents it.
const HOME: &str = "KEYBEARER_HOME";

/// The folders of one installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folders {
    home: Option<PathBuf>,
    config: PathBuf,
    state: PathBuf,
    runtime: PathBuf,
}

impl Folders {
    /// The folders of this user: below `KEYBEARER_HOME` where it is set, else where the operating system wants them.
    pub fn from_env() -> Result<Self, FoldersError> {
        match std::env::var_os(HOME) {
            Some(home) if !home.is_empty() => Ok(Self::at(Path::new(&home))),
            Some(_) | None => Self::of_the_system().ok_or(FoldersError::NoHome),
        }
    }

    /// Everything below one folder.
    pub fn at(home: &Path) -> Self {
        // Another process may have another working directory; where there is none, the path stays as it was given.
        let home = std::path::absolute(home).unwrap_or_else(|_| home.to_owned());
        Self { state: home.join("state"), runtime: home.join("run"), config: home.clone(), home: Some(home) }
    }

    fn of_the_system() -> Option<Self> {
        let base = BaseDirs::new()?;
        if cfg!(target_os = "linux") {
            let state = base.state_dir()?.join("keybearer");
            let runtime = session_folder(&base).map_or_else(|| state.join("run"), |dir| dir.join("keybearer"));
            return Some(Self { home: None, config: base.config_dir().join("keybearer"), state, runtime });
        }
        let config = base.data_local_dir().join("Keybearer");
        let runtime = if cfg!(windows) { config.join("run") } else { base.cache_dir().join("com.keybearer.app") };
        Some(Self { home: None, state: config.join("State"), runtime, config })
    }

    /// The variable and its value with which another process of ours finds the same folders; `None` for the system's.
    pub fn variable(&self) -> Option<(&'static str, &Path)> {
        self.home.as_deref().map(|home| (HOME, home))
    }

    /// The person's settings.
    pub fn config_file(&self) -> PathBuf {
        self.config.join("config.toml")
    }

    /// What Keybearer remembers.
    pub fn state(&self) -> PathBuf {
        self.state.clone()
    }

    /// The audit trail.
    pub fn audit(&self) -> PathBuf {
        self.state.join("audit")
    }

    /// Sockets and locks; empty after a restart of the machine where the system does that.
    pub fn runtime(&self) -> PathBuf {
        self.runtime.clone()
    }

    /// Makes what is missing, for us alone, and refuses what others could reach (SEC-08).
    pub fn prepare(&self) -> Result<(), FoldersError> {
        make(&self.config)?;
        check::ours_to_write(&self.config)?;
        // In this order: nothing is made below a folder that was not looked at.
        for folder in [&self.state, &self.audit(), &self.runtime] {
            make(folder)?;
            check::ours_alone(folder)?;
        }
        Ok(())
    }

    /// Whether the sockets' folder can be trusted as it is; nothing is made.
    pub(crate) fn check_runtime(&self) -> Result<(), FoldersError> {
        check::ours_alone(&self.runtime)
    }
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum FoldersError {
    /// The system does not say where this user's files are.
    #[error("the home folder of this user is not known")]
    NoHome,
    /// It is missing and cannot be made.
    #[error("`{path}` cannot be made: {cause}")]
    NotMade {
        /// Which.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// It cannot be looked at.
    #[error("`{path}` cannot be read: {cause}")]
    NotRead {
        /// Which.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// Something else stands in its place.
    #[error("`{path}` is not a folder")]
    NotAFolder {
        /// Which.
        path: PathBuf,
    },
    /// A link stands in its place: whoever owns the link decides where our sockets are.
    #[error("`{path}` is a symbolic link")]
    Link {
        /// Which.
        path: PathBuf,
    },
    /// It belongs to somebody else.
    #[error("`{path}` belongs to another user (uid {uid})")]
    ForeignOwner {
        /// Which.
        path: PathBuf,
        /// Whose.
        uid: u32,
    },
    /// Others can get into it.
    #[error("`{path}` is open to other users (mode {mode:o})")]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The operating system takes no socket address of that length.
    #[error("`{path}` is too long for a socket: {length} bytes, at most {limit} are possible")]
    TooLong {
        /// The socket.
        path: PathBuf,
        /// How long it is.
        length: usize,
        /// How long it may be.
        limit: usize,
    },
}

impl FoldersError {
    /// What the person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::NoHome => format!("set `{HOME}` to a folder of yours"),
            Self::NotMade { .. } | Self::NotRead { .. } => "check the permissions of the folder above it".into(),
            Self::NotAFolder { path } | Self::Link { path } => {
                format!("move `{}` away; keybearer makes the folder itself", path.display())
            }
            Self::ForeignOwner { .. } | Self::TooLong { .. } => format!("set `{HOME}` to another folder of yours"),
            Self::Open { path, .. } => format!("close it with `chmod 700 {}`", path.display()),
        }
    }
}

/// The session's folder for sockets: as the environment names it, else where systemd has made it. Apps start their
/// servers with few variables, and these must find the same core.
pub(crate) fn session_folder(base: &BaseDirs) -> Option<PathBuf> {
    base.runtime_dir().map(Path::to_owned).or_else(made_for_this_user)
}

#[cfg(target_os = "linux")]
fn made_for_this_user() -> Option<PathBuf> {
    let folder = PathBuf::from(format!("/run/user/{}", rustix::process::geteuid().as_raw()));
    check::ours_alone(&folder).is_ok().then_some(folder)
}

#[cfg(not(target_os = "linux"))]
fn made_for_this_user() -> Option<PathBuf> {
    None
}

fn make(folder: &Path) -> Result<(), FoldersError> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        // What stands in the way is named better by the check that follows.
        Err(_) if folder.symlink_metadata().is_ok() => Ok(()),
        Err(cause) => Err(FoldersError::NotMade { path: folder.to_owned(), cause }),
        Ok(()) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_variable_moves_everything() {
        let home = std::env::temp_dir().join("kb");
        let folders = Folders::at(&home);
        assert_eq!(folders.config_file(), home.join("config.toml"));
        assert_eq!(folders.state(), home.join("state"));
        assert_eq!(folders.audit(), home.join("state").join("audit"));
        assert_eq!(folders.runtime(), home.join("run"));
        assert_eq!(folders.variable(), Some(("KEYBEARER_HOME", home.as_path())));
        assert!(Folders::at(Path::new("kb")).runtime().is_absolute());
    }

    #[test]
    fn folders_are_made_and_can_be_prepared_twice() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(&home.path().join("deep/home"));
        folders.prepare().unwrap();
        folders.prepare().unwrap();
        assert!(folders.audit().is_dir() && folders.runtime().is_dir());
    }
}
