//! What a socket is called, how it is opened, and whose process is at its other end.

use std::io;
use std::path::{Path, PathBuf};

use interprocess::local_socket::tokio as sockets;
use interprocess::local_socket::{GenericFilePath, ListenerOptions, Name as Address, ToFsName as _};

use super::{BindError, Name};
use crate::folders::{Folders, FoldersError};

/// The longest path of a socket, without the zero byte: `sun_path` has 108 bytes on Linux and 104 on macOS.
#[cfg(unix)]
const LONGEST: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

#[cfg(unix)]
pub(super) fn of(folders: &Folders, name: Name) -> Result<PathBuf, FoldersError> {
    let path = folders.runtime().join(name.as_str()).with_extension("sock");
    let length = path.as_os_str().len();
    if length > LONGEST {
        return Err(FoldersError::TooLong { path, length, limit: LONGEST });
    }
    Ok(path)
}

/// Pipes have one name space for the whole machine: the name holds a digest of whose and which installation it is.
#[cfg(windows)]
pub(super) fn of(folders: &Folders, name: Name) -> Result<PathBuf, FoldersError> {
    use sha2::{Digest as _, Sha256};
    let user = directories::BaseDirs::new().ok_or(FoldersError::NoHome)?;
    let mut digest = Sha256::new();
    for part in [user.home_dir(), &folders.runtime()] {
        digest.update(part.as_os_str().to_string_lossy().to_lowercase());
        digest.update([0]);
    }
    let hex = digest.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>();
    Ok(PathBuf::from(format!(r"\\.\pipe\keybearer-{hex}-{}", name.as_str())))
}

pub(super) fn name(path: &Path) -> io::Result<Address<'_>> {
    path.to_fs_name::<GenericFilePath>()
}

/// Removes what a dead core left at `path`.
#[cfg(unix)]
pub(super) fn clear(path: &Path) -> Result<(), BindError> {
    use std::os::unix::fs::FileTypeExt as _;
    let failed = |cause| BindError::Failed { path: path.to_owned(), cause };
    match path.symlink_metadata() {
        Ok(found) if found.file_type().is_socket() => std::fs::remove_file(path).map_err(failed),
        Ok(_) => Err(BindError::InTheWay { path: path.to_owned() }),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(failed(cause)),
    }
}

/// A pipe ends with its process: nothing is left behind.
#[cfg(windows)]
pub(super) fn clear(_path: &Path) -> Result<(), BindError> {
    Ok(())
}

#[cfg(unix)]
pub(super) fn listen(path: &Path) -> io::Result<sockets::Listener> {
    let options = ListenerOptions::new().name(name(path)?);
    // Elsewhere the mode can only be set afterwards; nobody else can reach into the folder meanwhile.
    #[cfg(target_os = "linux")]
    let options = interprocess::os::unix::local_socket::ListenerOptionsExt::mode(options, 0o600);
    let listener = options.create_tokio()?;
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(listener)
}

/// `interprocess` asks for the pipe's first instance and rejects clients of other machines.
#[cfg(windows)]
pub(super) fn listen(path: &Path) -> io::Result<sockets::Listener> {
    ListenerOptions::new().name(name(path)?).create_tokio()
}

/// Whether the process at the other end runs as our user, by what the system says of it.
pub(super) fn same_user(stream: &impl interprocess::local_socket::traits::StreamCommon) -> io::Result<bool> {
    let peer = stream.peer_creds()?;
    #[cfg(unix)]
    return Ok(peer.euid() == Some(rustix::process::geteuid().as_raw()));
    #[cfg(windows)]
    return crate::peer::same_user(peer.pid().unwrap_or(0));
}
