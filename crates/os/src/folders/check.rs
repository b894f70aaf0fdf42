//! Whether a folder is what it must be: ours, a real folder, closed to others (SEC-08).

use std::fs::Metadata;
use std::path::Path;

use super::FoldersError;

/// A folder that others may neither enter nor replace: for sockets, state and audit.
pub(super) fn ours_alone(path: &Path) -> Result<(), FoldersError> {
    let found = path.symlink_metadata().map_err(|cause| FoldersError::NotRead { path: path.to_owned(), cause })?;
    if found.is_symlink() {
        return Err(FoldersError::Link { path: path.to_owned() });
    }
    closed(path, &found, 0o077)
}

/// A folder that others may not write to: for settings, which hold no secret and may be a link to somewhere else.
pub(super) fn ours_to_write(path: &Path) -> Result<(), FoldersError> {
    let found = path.metadata().map_err(|cause| FoldersError::NotRead { path: path.to_owned(), cause })?;
    closed(path, &found, 0o022)
}

#[cfg(unix)]
fn closed(path: &Path, found: &Metadata, forbidden: u32) -> Result<(), FoldersError> {
    use std::os::unix::fs::MetadataExt as _;
    let path = || path.to_owned();
    if !found.is_dir() {
        return Err(FoldersError::NotAFolder { path: path() });
    }
    if found.uid() != rustix::process::geteuid().as_raw() {
        return Err(FoldersError::ForeignOwner { path: path(), uid: found.uid() });
    }
    if found.mode() & forbidden != 0 {
        return Err(FoldersError::Open { path: path(), mode: found.mode() & 0o7777 });
    }
    Ok(())
}

/// On Windows a profile's folders inherit an access list that names the user, the administrators and the system.
#[cfg(windows)]
fn closed(path: &Path, found: &Metadata, _forbidden: u32) -> Result<(), FoldersError> {
    if found.is_dir() { Ok(()) } else { Err(FoldersError::NotAFolder { path: path.to_owned() }) }
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::{Path, PathBuf};

    use super::super::{Folders, FoldersError};

    type Layout = fn(&Path);

    fn folder(path: &Path, mode: u32) {
        fs::create_dir_all(path).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    /// Puts a folder of somebody else there. Without the right to give one away, a link to the system's own stands in.
    fn foreign(path: &Path) {
        folder(path, 0o700);
        if rustix::process::geteuid().is_root() {
            chown(path, Some(65_534), Some(65_534)).unwrap();
        } else {
            fs::remove_dir(path).unwrap();
            symlink("/", path).unwrap();
        }
    }

    fn kind(error: &FoldersError) -> &'static str {
        match error {
            FoldersError::NoHome => "no home",
            FoldersError::NotMade { .. } => "not made",
            FoldersError::NotRead { .. } => "not read",
            FoldersError::NotAFolder { .. } => "not a folder",
            FoldersError::Link { .. } => "link",
            FoldersError::ForeignOwner { .. } => "foreign",
            FoldersError::Open { .. } => "open",
            FoldersError::TooLong { .. } => "too long",
        }
    }

    #[test]
    fn bad_layouts_are_refused_by_name() {
        let layouts: &[(&str, Layout, &str)] = &[
            ("readable by the group", |run| folder(run, 0o740), "open"),
            ("enterable by the group", |run| folder(run, 0o710), "open"),
            ("writable by the group", |run| folder(run, 0o720), "open"),
            ("enterable by others", |run| folder(run, 0o701), "open"),
            ("everybody's, like /tmp", |run| folder(run, 0o1777), "open"),
            ("a file", |run| fs::write(run, "").unwrap(), "not a folder"),
            ("a socket", |run| drop(UnixListener::bind(run).unwrap()), "not a folder"),
            ("a dangling link", |run| symlink("/nowhere", run).unwrap(), "link"),
            (
                "a link to a folder of ours",
                |run| {
                    folder(&run.with_extension("real"), 0o700);
                    symlink(run.with_extension("real"), run).unwrap();
                },
                "link",
            ),
            ("somebody else's", foreign, if rustix::process::geteuid().is_root() { "foreign" } else { "link" }),
        ];
        for (name, lay, want) in layouts {
            for place in ["run", "state", "state/audit"] {
                let home = tempfile::tempdir().unwrap();
                if place == "state/audit" {
                    folder(&home.path().join("state"), 0o700);
                }
                lay(&home.path().join(place));
                let refusal = Folders::at(home.path()).prepare().expect_err(name);
                assert_eq!(kind(&refusal), *want, "{name} as {place}: {refusal}");
                assert!(!refusal.hint().is_empty());
            }
        }
    }

    #[test]
    fn settings_may_be_read_by_others_and_be_a_link_but_nobody_else_writes_there() {
        let place = tempfile::tempdir().unwrap();
        let home: PathBuf = place.path().join("home");
        folder(&home, 0o755);
        Folders::at(&home).prepare().unwrap();
        let link = place.path().join("link");
        symlink(&home, &link).unwrap();
        Folders::at(&link).prepare().unwrap();
        folder(&home, 0o775);
        assert_eq!(kind(&Folders::at(&home).prepare().unwrap_err()), "open");
    }
}
