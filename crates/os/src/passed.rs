//! Listening sockets that one process hands to another: a service manager to the core that it starts, a core to the one
//! that takes over. Whoever connects meanwhile waits, and is refused by nobody.
//!
//! Named pipes cannot be handed on: there is none to be had on Windows.

#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub use unix::Passed;
#[cfg(unix)]
pub(crate) use unix::{receive, send};

/// The sockets that this process was given, by name.
#[derive(Debug, Default)]
pub struct Given {
    sockets: Vec<(String, Passed)>,
}

impl Given {
    /// Sockets that came with their names, in the same order. Those without a name are closed.
    pub fn named(names: &[String], sockets: Vec<Passed>) -> Self {
        Self { sockets: names.iter().cloned().zip(sockets).collect() }
    }

    /// What the service manager passed when it started this process; nothing, if another process was meant.
    ///
    /// # Errors
    /// If something was passed that is no listening socket.
    pub fn by_service_manager() -> std::io::Result<Self> {
        #[cfg(unix)]
        return unix::by_service_manager();
        #[cfg(not(unix))]
        return Ok(Self::default());
    }

    /// The socket of this name. It can be had once.
    pub fn take(&mut self, name: &str) -> Option<Passed> {
        let at = self.sockets.iter().position(|(other, _)| other == name);
        at.map(|at| self.sockets.remove(at)).map(|(_, socket)| socket)
    }

    /// Whether nothing was given.
    pub fn is_empty(&self) -> bool {
        self.sockets.is_empty()
    }
}

/// A listening socket on its way.
#[cfg(not(unix))]
#[derive(Debug)]
pub enum Passed {}

#[cfg(not(unix))]
impl Passed {
    /// There is none.
    pub fn of<T>(_socket: &T) -> Option<Self> {
        None
    }

    /// There is none.
    pub fn into_tcp(self) -> std::io::Result<std::net::TcpListener> {
        match self {}
    }
}
