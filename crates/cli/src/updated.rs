//! What a running core does when its own program is updated or removed.

use std::io::IsTerminal as _;

use keybearer_os::folders::Folders;
use keybearer_os::own_file::{self, Fate};
use keybearer_os::start;
use tokio::sync::oneshot;

/// The program's file, watched.
pub(crate) struct OwnFile {
    fate: Option<oneshot::Receiver<Fate>>,
    after_update: AfterUpdate,
}

/// Who starts the new program.
enum AfterUpdate {
    /// The service manager, as soon as somebody needs a core: it holds the sockets.
    ServiceManager,
    /// This core: the new one asks it to hand over.
    Us(Folders),
    /// The person in whose terminal it runs.
    Person,
}

/// What follows for this core.
pub(crate) enum Next {
    /// It finishes what is under way, and ends.
    End,
    /// Nothing.
    GoOn,
}

impl OwnFile {
    /// Begins to watch.
    pub(crate) fn watch(folders: Folders, supervised: bool) -> Self {
        let after_update = match (supervised, std::io::stdin().is_terminal()) {
            (true, _) => AfterUpdate::ServiceManager,
            (false, true) => AfterUpdate::Person,
            (false, false) => AfterUpdate::Us(folders),
        };
        let (told, fate) = oneshot::channel();
        let tell = move |fate| {
            // A core that has ended does not listen any more.
            let _ = told.send(fate);
        };
        if let Err(cause) = own_file::watch(tell) {
            tracing::warn!(%cause, "an update of this program will not be noticed before the next start");
        }
        Self { fate: Some(fate), after_update }
    }

    /// Waits until something follows; for ever, where nothing happens to the file.
    pub(crate) async fn next(&mut self) -> Next {
        let Some(fate) = &mut self.fate else { return std::future::pending().await };
        let Ok(fate) = fate.await else {
            self.fate = None;
            return Next::GoOn;
        };
        self.fate = None;
        match (fate, &self.after_update) {
            (Fate::Removed, _) => tracing::info!("ending: this program was removed"),
            (Fate::Replaced, AfterUpdate::ServiceManager) => {
                tracing::info!("ending: this program was updated, and the service manager starts the new one");
            }
            (Fate::Replaced, AfterUpdate::Us(folders)) => {
                follow(folders);
                return Next::GoOn;
            }
            (Fate::Replaced, AfterUpdate::Person) => {
                tracing::info!("this program was updated: end it and start it again to run the new one");
                return Next::GoOn;
            }
        }
        Next::End
    }
}

/// Has the new program take over; where it cannot, this one goes on.
fn follow(folders: &Folders) {
    tracing::info!("this program was updated: the new one is started, and takes over");
    let path = own_file::path().map_err(|cause| cause.to_string());
    if let Err(cause) = path.and_then(|path| start::start_successor(folders, &path).map_err(|cause| cause.to_string()))
    {
        tracing::warn!(%cause, "the new program does not start: this one goes on");
    }
}
