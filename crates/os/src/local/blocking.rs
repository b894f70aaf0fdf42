//! The same connection without a runtime, in two halves for two threads: what the bridge needs.

use std::io::{self, Read, Write};
use std::sync::Arc;

use interprocess::local_socket::Stream as Socket;
use interprocess::local_socket::traits::Stream as _;

use super::{ConnectError, Name, address, not_connected, unsafe_or_missing};
use crate::folders::Folders;
use crate::passed::Passed;

/// A connection to the core that blocks.
#[derive(Debug)]
pub struct BlockingStream(Arc<Socket>);

/// The half that reads.
#[derive(Debug)]
pub struct Reader(Arc<Socket>);

/// The half that writes.
#[derive(Debug)]
pub struct Writer(Arc<Socket>);

/// Connects to the core's socket `name` with the same checks as [`super::connect`].
pub fn connect_blocking(folders: &Folders, name: Name) -> Result<BlockingStream, ConnectError> {
    folders.check_runtime().map_err(unsafe_or_missing)?;
    let path = address::of(folders, name)?;
    let address = address::name(&path).map_err(|cause| ConnectError::Failed { path: path.clone(), cause })?;
    let socket = Socket::connect(address).map_err(|cause| not_connected(path.clone(), cause))?;
    match address::same_user(&socket) {
        Ok(true) => Ok(BlockingStream(Arc::new(socket))),
        Ok(false) => Err(ConnectError::Foreign { path }),
        Err(cause) => Err(ConnectError::Failed { path, cause }),
    }
}

impl BlockingStream {
    /// Two halves that two threads can use at once. The connection ends when both are dropped.
    pub fn split(self) -> (Reader, Writer) {
        (Reader(Arc::clone(&self.0)), Writer(self.0))
    }
}

impl BlockingStream {
    /// Reads one line of at most `most` bytes, and the listening sockets that come with it.
    pub fn receive(&mut self, most: usize) -> io::Result<(Vec<u8>, Vec<Passed>)> {
        let (mut line, mut sockets) = (Vec::new(), Vec::new());
        while line.last() != Some(&b'\n') {
            if line.len() >= most {
                return Err(io::ErrorKind::InvalidData.into());
            }
            let mut byte = [0];
            let (count, more) = self.receive_some(&mut byte)?;
            if count == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            line.extend(byte);
            sockets.extend(more);
        }
        Ok((line, sockets))
    }

    fn receive_some(&mut self, bytes: &mut [u8]) -> io::Result<(usize, Vec<Passed>)> {
        match &*self.0 {
            #[cfg(unix)]
            Socket::UdSocket(socket) => crate::passed::receive(socket, bytes),
            #[cfg(windows)]
            Socket::NamedPipe(_) => Ok((self.read(bytes)?, Vec::new())),
        }
    }
}

/// Whether the other end hears that nothing more will be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It reads to the end, and can still answer.
    Heard,
    /// A named pipe has no such word: only dropping both halves tells it, and cuts what is still to come.
    Unheard,
}

impl Writer {
    /// Says that nothing more will be written, where that can be said.
    pub fn finish(&self) -> io::Result<Ending> {
        match &*self.0 {
            #[cfg(unix)]
            Socket::UdSocket(socket) => socket.inner().shutdown(std::net::Shutdown::Write).map(|()| Ending::Heard),
            #[cfg(windows)]
            Socket::NamedPipe(_) => Ok(Ending::Unheard),
        }
    }
}

impl Read for BlockingStream {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&mut &*self.0).read(buf)
    }
}

impl Write for BlockingStream {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&mut &*self.0).write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&mut &*self.0).flush()
    }
}

impl Read for Reader {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&mut &*self.0).read(buf)
    }
}

impl Write for Writer {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&mut &*self.0).write(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&mut &*self.0).flush()
    }
}
