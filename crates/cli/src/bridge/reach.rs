//! The way to a core: the one that runs, or one that is started for this.

use keybearer_model::name::ServerName;
use keybearer_os::folders::Folders;
use keybearer_os::switch;

use super::connection::{Connection, NotWelcome, Opened};
use crate::ask;
use crate::failure::Failure;

/// Where a bridge connects to, and for which server.
pub(super) struct Reach {
    folders: Folders,
    /// `None`: Keybearer's own MCP server.
    server: Option<ServerName>,
}

/// Why there is no connection.
pub(super) enum Unreached {
    /// The person has turned Keybearer off.
    TurnedOff,
    /// The core said no.
    Refused(Failure),
    /// The core was ending: another one may follow.
    Ending,
    /// There is none, or it cannot be trusted.
    Failed(Failure),
}

impl Reach {
    pub(super) fn new(folders: Folders, server: Option<ServerName>) -> Self {
        Self { folders, server }
    }

    pub(super) fn is_turned_off(&self) -> bool {
        switch::is_off(&self.folders)
    }

    /// Connects to a core that welcomes us.
    pub(super) fn bridge(&self) -> Result<Opened, Unreached> {
        // Looked at first: a service manager that listens for the core would start it.
        if self.is_turned_off() {
            return Err(Unreached::TurnedOff);
        }
        let stream = ask::bridge(&self.folders)
            .map_err(|failure| if self.is_turned_off() { Unreached::TurnedOff } else { Unreached::Failed(failure) })?;
        Connection::open(stream, self.server.as_ref()).map_err(|why| match why {
            NotWelcome::Refused(error) => Unreached::Refused(error.into()),
            NotWelcome::HungUp => Unreached::Ending,
            NotWelcome::Senseless => Unreached::Refused(Failure::unexpected_answer()),
        })
    }
}
