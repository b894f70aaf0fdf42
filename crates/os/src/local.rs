//! The sockets between our own processes: in a folder that is ours alone, spoken to by nobody but ourselves.
//!
//! Unix: socket files. Windows: named pipes that refuse clients of other machines.
//! Both ends look at the other's user before the first byte (SEC-09, SEC-16).

use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::task::{Context, Poll};

use interprocess::local_socket::tokio as sockets;
use interprocess::local_socket::traits::tokio::{Listener as _, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::folders::{Folders, FoldersError};
use crate::lock::{CoreLock, Held};
use crate::passed::Passed;

mod address;
mod blocking;

pub use blocking::{BlockingStream, Ending, Reader, Writer, connect_blocking};

/// Which of our sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// Where bridges come in: the MCP messages of one client each.
    Bridge,
    /// Where the command line and the shell come in.
    Control,
    /// Where programs that speak HTTP over a local socket come in.
    Http,
}

impl Name {
    /// What it is called: in its file's name, and when it is passed between processes.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bridge => "bridge",
            Self::Control => "control",
            Self::Http => "http",
        }
    }
}

/// A socket of the core that is open for our own processes.
pub struct Listener {
    inner: sockets::Listener,
    // Whoever listens is the core: the lock must not be free while the socket file is still ours to remove.
    _held: Held,
}

/// A connection between two processes of one user.
pub struct Stream {
    inner: sockets::Stream,
}

/// Where the socket `name` of these folders is, for whoever is told it: a path, or a pipe's name on Windows.
pub fn address(folders: &Folders, name: Name) -> Result<PathBuf, FoldersError> {
    address::of(folders, name)
}

/// Opens the socket `name`; needs a tokio runtime. A dead core's socket file is replaced: holding the lock is the proof
/// that it is dead.
pub fn bind(lock: &CoreLock, name: Name) -> Result<Listener, BindError> {
    let path = address::of(lock.folders(), name)?;
    let failed = |cause| BindError::Failed { path: path.clone(), cause };
    address::clear(&path)?;
    let inner = address::listen(&path).map_err(failed)?;
    Ok(Listener { inner, _held: lock.held() })
}

/// Takes the socket `name` that somebody else has opened. It stays where it is when this listener ends.
#[cfg(unix)]
pub fn adopt(lock: &CoreLock, name: Name, socket: Passed) -> Result<Listener, BindError> {
    let path = address::of(lock.folders(), name)?;
    let failed = |cause| BindError::Failed { path: path.clone(), cause };
    let blocking: interprocess::os::unix::uds_local_socket::Listener = socket.into_local(&path).map_err(failed)?.into();
    let inner = sockets::Listener::UdSocket(blocking.try_into().map_err(failed)?);
    Ok(Listener { inner, _held: lock.held() })
}

/// There are no sockets to take on this system.
#[cfg(not(unix))]
pub fn adopt(_lock: &CoreLock, _name: Name, socket: Passed) -> Result<Listener, BindError> {
    match socket {}
}

/// Connects to the core's socket `name`, after looking at the folder, and looks at who answers.
pub async fn connect(folders: &Folders, name: Name) -> Result<Stream, ConnectError> {
    folders.check_runtime().map_err(unsafe_or_missing)?;
    let path = address::of(folders, name)?;
    let address = address::name(&path).map_err(|cause| ConnectError::Failed { path: path.clone(), cause })?;
    let inner = sockets::Stream::connect(address).await.map_err(|cause| not_connected(path.clone(), cause))?;
    match address::same_user(&inner) {
        Ok(true) => Ok(Stream { inner }),
        Ok(false) => Err(ConnectError::Foreign { path }),
        Err(cause) => Err(ConnectError::Failed { path, cause }),
    }
}

impl Listener {
    /// The socket once more, for another process that is to listen there; `None` where that cannot be.
    pub fn share(&self) -> Option<Passed> {
        match &self.inner {
            #[cfg(unix)]
            sockets::Listener::UdSocket(socket) => Passed::again(socket).ok(),
            #[cfg(windows)]
            sockets::Listener::NamedPipe(_) => None,
        }
    }

    /// Leaves the socket's file where it is when this listener ends: another process listens there.
    pub fn leave(mut self) {
        self.inner.do_not_reclaim_name_on_drop();
    }

    /// Waits for the next process of ours. Those of other users are hung up on and never returned.
    pub async fn accept(&self) -> io::Result<Stream> {
        loop {
            let inner = self.inner.accept().await?;
            match address::same_user(&inner) {
                Ok(true) => return Ok(Stream { inner }),
                Ok(false) => tracing::warn!("connection of another user refused"),
                Err(cause) => tracing::debug!(%cause, "connection without an identity dropped"),
            }
        }
    }
}

impl Stream {
    /// A second handle of the same connection, to send listening sockets with; `None` where that cannot be.
    pub fn carrier(&self) -> Option<Carrier> {
        match &self.inner {
            #[cfg(unix)]
            sockets::Stream::UdSocket(socket) => {
                Some(Carrier(std::os::fd::AsFd::as_fd(socket).try_clone_to_owned().ok()?))
            }
            #[cfg(windows)]
            sockets::Stream::NamedPipe(_) => None,
        }
    }

    /// The socket itself, for asking the system who is at the other end.
    pub(crate) fn socket(&self) -> &sockets::Stream {
        &self.inner
    }
}

/// What sends listening sockets to the process at the other end.
#[cfg(unix)]
#[derive(Debug)]
pub struct Carrier(std::os::fd::OwnedFd);

#[cfg(unix)]
impl Carrier {
    /// Sends a line, and the sockets with it: all of it, or nothing.
    pub fn send(&self, line: &[u8], sockets: &[Passed]) -> io::Result<()> {
        crate::passed::send(&self.0, line, sockets)
    }
}

/// What would send listening sockets: named pipes carry none.
#[cfg(not(unix))]
#[derive(Debug)]
pub enum Carrier {}

#[cfg(not(unix))]
impl Carrier {
    /// There is none that could.
    pub fn send(&self, _line: &[u8], _sockets: &[Passed]) -> io::Result<()> {
        match *self {}
    }
}

impl AsyncRead for Stream {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl AsyncWrite for Stream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// Says on Unix that nothing more will be written. A named pipe has no such word: drop the stream instead.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            #[cfg(unix)]
            sockets::Stream::UdSocket(socket) => Pin::new(socket.inner_mut()).poll_shutdown(cx),
            #[cfg(windows)]
            sockets::Stream::NamedPipe(pipe) => Pin::new(pipe).poll_flush(cx),
        }
    }
}

/// Why the core's socket cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The folders cannot be used.
    #[error(transparent)]
    Folders(#[from] FoldersError),
    /// Something that is no socket stands in its place.
    #[error("`{path}` is not a socket")]
    InTheWay {
        /// Where.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("`{path}` cannot be listened on: {cause}")]
    Failed {
        /// Where.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
}

/// Why there is no connection to the core.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// No core listens there: it can be started.
    #[error("keybearer is not running")]
    NotRunning,
    /// The folder cannot be trusted.
    #[error(transparent)]
    Folders(#[from] FoldersError),
    /// Another user's process listens there.
    #[error("`{path}` is served by another user")]
    Foreign {
        /// Where.
        path: PathBuf,
    },
    /// The system refuses.
    #[error("`{path}` cannot be connected to: {cause}")]
    Failed {
        /// Where.
        path: PathBuf,
        /// The system's words.
        cause: io::Error,
    },
}

/// No folder, no core: that is no danger but the state before the first start.
fn unsafe_or_missing(error: FoldersError) -> ConnectError {
    if matches!(&error, FoldersError::NotRead { cause, .. } if cause.kind() == io::ErrorKind::NotFound) {
        return ConnectError::NotRunning;
    }
    ConnectError::Folders(error)
}

fn not_connected(path: PathBuf, cause: io::Error) -> ConnectError {
    if matches!(cause.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) {
        return ConnectError::NotRunning;
    }
    ConnectError::Failed { path, cause }
}

#[cfg(test)]
mod tests;
