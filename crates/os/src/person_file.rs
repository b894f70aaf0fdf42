//! Files of a person that another program owns: looked at and replaced so that nothing else about them changes.
//!
//! No knowledge of what is in them. A link is followed if it stays among the person's own files; the replacement is
//! atomic and keeps mode and group; access lists and extended attributes are not carried over.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use directories::BaseDirs;

/// No settings are larger.
const LONGEST: u64 = 16 * 1024 * 1024;

/// The folders below which a person's programs keep their settings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonFolders {
    /// The operating system: `linux`, `macos` or `windows`.
    pub system: &'static str,
    /// The home folder.
    pub home: PathBuf,
    /// Settings that may roam.
    pub config: PathBuf,
    /// Settings of this machine.
    pub local: PathBuf,
}

impl PersonFolders {
    /// Those of this user; `None` if the system does not say where they are.
    pub fn of_the_system() -> Option<Self> {
        let base = BaseDirs::new()?;
        let own = |path: &Path| path.to_owned();
        let (home, config) = (own(base.home_dir()), own(base.config_dir()));
        Some(Self { system: std::env::consts::OS, home, config, local: own(base.config_local_dir()) })
    }
}

/// A file as it was looked at.
#[derive(Debug)]
pub struct PersonFile {
    /// Where it really is, links followed.
    pub real: PathBuf,
    /// What is in it; `None` if there is none.
    pub text: Option<String>,
}

/// Why a file is left alone.
#[derive(Debug, thiserror::Error)]
pub enum PersonFileError {
    /// The system refuses.
    #[error("`{path}` cannot be read or written: {cause}")]
    Failed {
        /// Which.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
    /// It is a link to somewhere else.
    #[error("`{path}` is a link to `{target}`, outside of your home folder")]
    LinkLeaves {
        /// Which.
        path: PathBuf,
        /// Where it leads.
        target: PathBuf,
    },
    /// It is no file.
    #[error("`{0}` is not a file")]
    NotAFile(PathBuf),
    /// It cannot be written.
    #[error("`{0}` is read-only")]
    ReadOnly(PathBuf),
    /// It belongs to somebody else.
    #[error("`{0}` belongs to another user")]
    Foreign(PathBuf),
    /// It is no text.
    #[error("`{0}` is not UTF-8 text")]
    NotText(PathBuf),
    /// Somebody has changed it meanwhile.
    #[error("`{0}` has just been changed by another program")]
    Changed(PathBuf),
}

impl PersonFile {
    /// Looks at a file of the person whose home folder this is.
    ///
    /// # Errors
    /// If it is none that may be changed.
    pub fn look(path: &Path, home: &Path) -> Result<Self, PersonFileError> {
        let failed = |cause| PersonFileError::Failed { path: path.to_owned(), cause };
        match path.symlink_metadata() {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { real: path.to_owned(), text: None });
            }
            Err(cause) => return Err(failed(cause)),
            Ok(_) => {}
        }
        let real = path.canonicalize().map_err(failed)?;
        stays(path, &real, home)?;
        let metadata = real.metadata().map_err(failed)?;
        if !metadata.is_file() || metadata.len() > LONGEST {
            return Err(PersonFileError::NotAFile(real));
        }
        if metadata.permissions().readonly() {
            return Err(PersonFileError::ReadOnly(real));
        }
        if !is_ours(&metadata) {
            return Err(PersonFileError::Foreign(real));
        }
        let bytes = fs::read(&real).map_err(failed)?;
        let text = String::from_utf8(bytes).map_err(|_| PersonFileError::NotText(real.clone()))?;
        Ok(Self { real, text: Some(text) })
    }

    /// Puts `text` in its place, in one step. Gives the folders that had to be made, the outermost first.
    ///
    /// # Errors
    /// If it was changed since it was looked at, or the system refuses; the old file is whole then.
    pub fn replace(&self, text: &str) -> Result<Vec<PathBuf>, PersonFileError> {
        let failed = |cause| PersonFileError::Failed { path: self.real.clone(), cause };
        let folder = self.real.parent().unwrap_or(Path::new("."));
        let made = make(folder).map_err(failed)?;
        let name = self.real.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let draft = folder.join(format!(".{name}.keybearer-{}", std::process::id()));
        let written = self
            .draft(&draft, text)
            .and_then(|()| if self.is_still() { fs::rename(&draft, &self.real).map(|()| true) } else { Ok(false) });
        if !matches!(written, Ok(true)) {
            // Nobody else has that name.
            let _ = fs::remove_file(&draft);
        }
        match written {
            Ok(true) => Ok(made),
            Ok(false) => Err(PersonFileError::Changed(self.real.clone())),
            Err(cause) => Err(failed(cause)),
        }
    }

    /// Removes it, and of `folders` those that are empty then.
    ///
    /// # Errors
    /// If it was changed since it was looked at, or the system refuses.
    pub fn remove(&self, folders: &[PathBuf]) -> Result<(), PersonFileError> {
        if !self.is_still() {
            return Err(PersonFileError::Changed(self.real.clone()));
        }
        let removed = fs::remove_file(&self.real);
        removed.map_err(|cause| PersonFileError::Failed { path: self.real.clone(), cause })?;
        for folder in folders.iter().rev() {
            // One that holds something else stays.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }

    fn is_still(&self) -> bool {
        match (fs::read(&self.real), &self.text) {
            (Ok(bytes), Some(text)) => bytes == text.as_bytes(),
            (Err(cause), None) => cause.kind() == io::ErrorKind::NotFound,
            (Ok(_), None) | (Err(_), Some(_)) => false,
        }
    }

    fn draft(&self, path: &Path, text: &str) -> io::Result<()> {
        let mut file = private(path)?;
        file.write_all(text.as_bytes())?;
        if let Ok(before) = self.real.metadata() {
            keep(&file, &before)?;
        }
        file.sync_all()
    }
}

/// Writes a copy that only this user may read. An older one of that name is not replaced.
///
/// # Errors
/// If the system refuses.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut file = private(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// The first bytes of a file that a company writes, for looking into it; `None` if there is none to be read.
pub fn peek(path: &Path) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(LONGEST).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

/// The paths that a pattern stands for: a `*` in a name stands for anything.
pub fn matching(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let name = part.as_os_str().to_string_lossy().into_owned();
        let Some((before, after)) = name.split_once('*') else {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        };
        let fits =
            |name: &str| name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after);
        let entries = found.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        let fitting = entries.filter(|entry| fits(&entry.file_name().to_string_lossy()));
        let mut next: Vec<PathBuf> = fitting.map(|entry| entry.path()).collect();
        next.sort();
        found = next;
    }
    found.retain(|path| path.exists());
    found
}

/// A link may lead to another of the person's files, or to one beside it.
fn stays(path: &Path, real: &Path, home: &Path) -> Result<(), PersonFileError> {
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    let home = home.canonicalize().ok();
    let within = |place: &Option<PathBuf>| place.as_ref().is_some_and(|place| real.starts_with(place));
    if within(&folder) || within(&home) {
        return Ok(());
    }
    Err(PersonFileError::LinkLeaves { path: path.to_owned(), target: real.to_owned() })
}

fn make(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let missing: Vec<PathBuf> = folder.ancestors().take_while(|folder| !folder.exists()).map(Path::to_owned).collect();
    fs::create_dir_all(folder)?;
    Ok(missing.into_iter().rev().collect())
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Gives the new file the old one's group and mode.
#[cfg(unix)]
fn keep(file: &File, before: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;
    if file.metadata()?.gid() != before.gid() {
        std::os::unix::fs::fchown(file, None, Some(before.gid()))?;
    }
    file.set_permissions(before.permissions())
}

/// A new file takes over the folder's access list.
#[cfg(not(unix))]
fn keep(_file: &File, _before: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn is_ours(metadata: &fs::Metadata) -> bool {
    std::os::unix::fs::MetadataExt::uid(metadata) == rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn is_ours(_metadata: &fs::Metadata) -> bool {
    true
}

#[cfg(all(test, unix))]
mod tests;
