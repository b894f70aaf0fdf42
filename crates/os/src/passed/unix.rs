//! Descriptors by `LISTEN_FDS` (`sd_listen_fds(3)`) and by `SCM_RIGHTS`.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd as _, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;
use std::path::Path;

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, SocketType, recvmsg, sendmsg, sockopt,
};

use super::Given;

/// The first descriptor that a service manager passes.
const FIRST: RawFd = 3;

/// More than a core has doors.
const MOST: usize = 16;

/// A listening socket on its way.
#[derive(Debug)]
pub struct Passed(OwnedFd);

impl Passed {
    /// The same socket once more.
    pub fn again(socket: impl AsFd) -> io::Result<Self> {
        Ok(Self(socket.as_fd().try_clone_to_owned()?))
    }

    /// The same socket once more, if the system has room for it.
    pub fn of(socket: &impl AsFd) -> Option<Self> {
        Self::again(socket).ok()
    }

    /// A listener at a socket file, if that is what it is and where it is.
    pub(crate) fn into_local(self, path: &Path) -> io::Result<UnixListener> {
        let listener = UnixListener::from(self.0);
        if listener.local_addr()?.as_pathname() != Some(path) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "the socket that was passed is another one"));
        }
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// A listener at an IP address, if that is what it is.
    pub fn into_tcp(self) -> io::Result<TcpListener> {
        let listener = TcpListener::from(self.0);
        // A socket of another family has no such address.
        listener.local_addr()?;
        listener.set_nonblocking(true)?;
        Ok(listener)
    }

    /// A socket that listens for streams, and nothing else.
    fn checked(socket: OwnedFd) -> io::Result<Self> {
        let listens = sockopt::socket_acceptconn(&socket)? && sockopt::socket_type(&socket)? == SocketType::STREAM;
        if !listens {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "what was passed is no listening socket"));
        }
        fcntl_setfd(&socket, fcntl_getfd(&socket)? | FdFlags::CLOEXEC)?;
        Ok(Self(socket))
    }
}

pub(super) fn by_service_manager() -> io::Result<Given> {
    let number = |name| std::env::var(name).ok()?.parse::<usize>().ok();
    if number("LISTEN_PID") != usize::try_from(std::process::id()).ok() {
        return Ok(Given::default());
    }
    let count = number("LISTEN_FDS").unwrap_or(0);
    if count > MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "more sockets were passed than there are doors"));
    }
    let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
    let names: Vec<String> = names.split(':').map(str::to_owned).collect();
    let sockets = (FIRST..).take(count).map(|descriptor| Passed::checked(ours(descriptor)?));
    Ok(Given::named(&names, sockets.collect::<io::Result<_>>()?))
}

/// A descriptor that was passed at the start of this process.
#[expect(unsafe_code, reason = "the numbers of passed descriptors are a convention between processes")]
fn ours(descriptor: RawFd) -> io::Result<OwnedFd> {
    // SAFETY: the borrow lasts for this one question, whose answer for a number that is not open is an error.
    fcntl_getfd(unsafe { BorrowedFd::borrow_raw(descriptor) })?;
    // SAFETY: it is open, `LISTEN_PID` says that it was passed to this process, and nobody else here takes it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Sends bytes and, with them, sockets. All of it goes out, or none.
pub(crate) fn send(to: impl AsFd, bytes: &[u8], sockets: &[Passed]) -> io::Result<()> {
    let descriptors: Vec<BorrowedFd<'_>> = sockets.iter().map(|socket| socket.0.as_fd()).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(&descriptors)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "more sockets are to be passed than there are doors"));
    }
    let sent = sendmsg(to, &[IoSlice::new(bytes)], &mut control, SendFlags::NOSIGNAL)?;
    if sent == bytes.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// Receives what [`send`] sent: some of the bytes, and the sockets that came with them.
pub(crate) fn receive(from: impl AsFd, bytes: &mut [u8]) -> io::Result<(usize, Vec<Passed>)> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = recvmsg(from, &mut [IoSliceMut::new(bytes)], &mut control, RecvFlags::CMSG_CLOEXEC)?;
    let mut sockets = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(descriptors) = message {
            for descriptor in descriptors {
                sockets.push(Passed::checked(descriptor)?);
            }
        }
    }
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "more sockets were passed than there are doors"));
    }
    Ok((received.bytes, sockets))
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn a_socket_that_was_handed_on_goes_on_listening() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("door.sock");
        let listener = UnixListener::bind(&path).unwrap();
        let (one, other) = UnixStream::pair().unwrap();
        send(&one, b"here", &[Passed::again(&listener).unwrap()]).unwrap();
        drop(listener);
        // Whoever comes now, and finds nobody, is not refused.
        let waiting = UnixStream::connect(&path).unwrap();
        let mut bytes = [0; 8];
        let (count, mut sockets) = receive(&other, &mut bytes).unwrap();
        assert_eq!(&bytes[..count], b"here");
        let taken = sockets.pop().unwrap().into_local(&path).unwrap();
        taken.accept().unwrap();
        drop(waiting);
    }

    #[test]
    fn nothing_but_a_listening_socket_at_its_place_is_taken() {
        let (one, other) = UnixStream::pair().unwrap();
        assert!(Passed::checked(OwnedFd::from(one)).is_err());
        drop(other);
        let folder = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(folder.path().join("door.sock")).unwrap();
        let passed = || Passed::again(&listener).unwrap();
        assert!(passed().into_local(&folder.path().join("other.sock")).is_err());
        assert!(passed().into_tcp().is_err());
    }
}
