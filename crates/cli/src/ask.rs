//! The way from a command to the core: one module, blocking, over the control socket.

use std::io;
use std::time::Duration;

use keybearer_control::client::Client;
use keybearer_control::error::{Code, Error};
use keybearer_control::snapshot::Snapshot;
use keybearer_control::wire::{Reply, Request};
use keybearer_os::folders::Folders;
use keybearer_os::local::{self, BlockingStream, ConnectError, Name};
use keybearer_os::lock::{CoreLock, LockError};
use keybearer_os::own_file;
use keybearer_os::start::{self, StartError};
use keybearer_os::switch;

use crate::failure::Failure;
use crate::settings;

/// How often, and after which pause, it is looked whether a core that ends is gone.
const LOOKS: u32 = 250;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// The core of this user's folders, ready to be asked.
pub(crate) struct Core {
    folders: Folders,
    client: Client,
    runtime: tokio::runtime::Runtime,
}

/// Whether [`start`] had to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// A core ran already.
    RanAlready,
    /// It was started now.
    Started,
}

/// Whether [`end`] had to do something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// None ran.
    NoneRan,
    /// One ran, and is gone.
    Ended,
}

impl Core {
    /// The core that runs, or is started for this.
    pub(crate) fn started() -> Result<Self, Failure> {
        let folders = folders()?;
        start_if_wanted(&folders)?;
        Self::of(folders)
    }

    /// The core, if one runs; nothing is started.
    pub(crate) fn running() -> Result<Self, Failure> {
        Self::of(folders()?)
    }

    fn of(folders: Folders) -> Result<Self, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(no_runtime)?;
        Ok(Self { client: Client::new(folders.clone()), folders, runtime })
    }

    /// Asks, and gives the reply that ends the exchange; `hear` gets what comes before: a sign-in page's address, a code.
    pub(crate) fn ask_hearing(&self, request: &Request, mut hear: impl FnMut(&Reply)) -> Result<Reply, Failure> {
        let exchange = async {
            let mut exchange = self.client.send(request).await?;
            loop {
                match exchange.next().await? {
                    Some(early @ (Reply::Open { .. } | Reply::Code { .. })) => hear(&early),
                    Some(reply) => return Ok(reply),
                    None => return Err(Error::new(Code::NoCore, "keybearer stopped while it was asked")),
                }
            }
        };
        self.runtime.block_on(exchange).map_err(|error| with_advice(&self.folders, error))
    }

    /// Asks, and gives the reply.
    pub(crate) fn ask(&self, request: &Request) -> Result<Reply, Failure> {
        self.ask_hearing(request, |_| {})
    }

    /// The core's state.
    pub(crate) fn status(&self) -> Result<Snapshot, Failure> {
        self.runtime.block_on(self.client.status()).map_err(|error| with_advice(&self.folders, error))
    }

    /// Asks the core to end, and waits until it has hung up.
    pub(crate) fn stop(&self) -> Result<(), Failure> {
        let exchange = async {
            let mut exchange = self.client.send(&Request::Stop).await?;
            match exchange.next().await? {
                Some(Reply::Done) | None => {}
                Some(_) => return Err(Error::new(Code::Internal, "keybearer did not understand that it should end")),
            }
            // It ends now: the connection closes with it, in whichever way.
            while let Ok(Some(_)) = exchange.next().await {}
            Ok(())
        };
        self.runtime.block_on(exchange).map_err(|error| with_advice(&self.folders, error))
    }
}

/// This user's folders.
pub(crate) fn folders() -> Result<Folders, Failure> {
    Folders::from_env().map_err(|error| Failure::new(Code::Internal, error.to_string()))
}

/// Waits until a core that has hung up is gone: it still writes what is to be recorded, and lets its lock go last.
fn until_gone(folders: &Folders) {
    for _look in 0..LOOKS {
        match CoreLock::acquire(folders) {
            Err(LockError::Taken) => std::thread::sleep(LOOK_AGAIN),
            Ok(_) | Err(LockError::Folders(_) | LockError::Failed { .. }) => return,
        }
    }
}

/// Turns Keybearer on and starts the core in the background, if none runs: what a person asks for.
pub(crate) fn turn_on(folders: &Folders) -> Result<Start, Failure> {
    switch::turn_on(folders).map_err(|error| Failure::new(Code::NoCore, error.to_string()))?;
    start(folders, start::start_core)
}

/// Turns Keybearer off and ends the core that runs, if one does.
pub(crate) fn turn_off(folders: &Folders) -> Result<(), Failure> {
    // First of all, so that no bridge that loses its core starts another one.
    switch::turn_off(folders).map_err(|error| Failure::new(Code::Internal, error.to_string()))?;
    end(folders).map(drop)
}

/// Has the core that runs, if one does, keep what it can; returns the servers whose sign-in would be lost with it even so.
pub(crate) fn losing(folders: &Folders) -> Result<Vec<String>, Failure> {
    match local::connect_blocking(folders, Name::Control) {
        Err(ConnectError::NotRunning) => Ok(Vec::new()),
        Err(error) => Err(not_connected(folders, &error)),
        Ok(_) => {
            let core = Core::of(folders.clone())?;
            match core.runtime.block_on(core.client.save_all()) {
                // It has ended meanwhile, with whatever it held.
                Err(error) if error.code == Code::NoCore => Ok(Vec::new()),
                answered => answered.map_err(|error| with_advice(folders, error)),
            }
        }
    }
}

/// Ends the core that runs, if one does, and waits until it is gone. It stays turned on.
pub(crate) fn end(folders: &Folders) -> Result<End, Failure> {
    let ended = match local::connect_blocking(folders, Name::Control) {
        Ok(_) => {
            Core::of(folders.clone())?.stop()?;
            End::Ended
        }
        // Nothing is made for somebody who has never had a core.
        Err(ConnectError::NotRunning) if !folders.runtime().exists() => return Ok(End::NoneRan),
        Err(ConnectError::NotRunning) => End::NoneRan,
        Err(error) => return Err(Error::new(Code::NoCore, error.to_string()).into()),
    };
    until_gone(folders);
    Ok(ended)
}

/// Starts the core in the background, if none runs and Keybearer is not turned off: what a command needs.
fn start_if_wanted(folders: &Folders) -> Result<Start, Failure> {
    start(folders, start::start_core_if_wanted)
}

type Starter = fn(&Folders, &std::path::Path) -> Result<(), StartError>;

fn start(folders: &Folders, starter: Starter) -> Result<Start, Failure> {
    match local::connect_blocking(folders, Name::Control) {
        Ok(_) => return Ok(Start::RanAlready),
        Err(ConnectError::NotRunning) => {}
        Err(error) => return Err(not_connected(folders, &error)),
    }
    // A core that ends at once because of its settings could say so to nobody.
    settings::check(folders)?;
    let executable = own_file::path().map_err(|cause| {
        Failure::new(Code::NoCore, format!("keybearer cannot be started: its own path is not known ({cause})"))
    })?;
    starter(folders, &executable).map_err(|error| {
        if matches!(error, StartError::TurnedOff) {
            return turned_off();
        }
        Failure::new(Code::NoCore, error.to_string()).hint("`keybearer serve` in a terminal shows what is wrong")
    })?;
    Ok(Start::Started)
}

/// A connection to the bridge's socket; the core is started where none runs.
pub(crate) fn bridge(folders: &Folders) -> Result<BlockingStream, Failure> {
    match local::connect_blocking(folders, Name::Bridge) {
        Err(ConnectError::NotRunning) => {
            start_if_wanted(folders)?;
            local::connect_blocking(folders, Name::Bridge).map_err(|error| not_connected(folders, &error))
        }
        other => other.map_err(|error| not_connected(folders, &error)),
    }
}

fn turned_off() -> Failure {
    Failure::new(Code::NoCore, "keybearer is turned off").hint("turn it on with `keybearer start`")
}

fn not_connected(folders: &Folders, error: &ConnectError) -> Failure {
    with_advice(folders, Error::new(Code::NoCore, error.to_string()))
}

fn with_advice(folders: &Folders, mut error: Error) -> Failure {
    if error.code == Code::NoCore && switch::is_off(folders) {
        return turned_off();
    }
    if error.code == Code::NoCore && error.hint.is_none() {
        error.hint = Some("start it with `keybearer start`".to_owned());
    }
    error.into()
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
fn no_runtime(cause: io::Error) -> Failure {
    Failure::new(Code::Internal, format!("the system gives no event queue: {cause}"))
}
