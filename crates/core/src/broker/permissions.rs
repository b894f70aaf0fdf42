//! What a person allows, and takes back: the consent desk and the ledger behind it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use keybearer_model::caller::Caller;
use keybearer_model::consent::{Consent, Lasting};
use keybearer_model::program::ProcessId;
use tokio::time::Instant;

use super::Broker;
use crate::audit::Event;
use crate::consent::desk::Desk;
use crate::consent::ledger::{Ending, Ledger};
use crate::consent::question::{Change, Given, Matter, Request, Topic};
use crate::inspector::{Inspector, Look};

/// Why a change that lets more in was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPermitted {
    /// The person said no.
    #[error("the person did not allow it")]
    Denied,
    /// Nobody answered.
    #[error("nobody answered the question in the Keybearer window in time")]
    NoAnswer,
    /// There are too many questions already.
    #[error("too many questions wait in the Keybearer window")]
    TooMany,
}

impl Broker {
    /// Where questions wait for a person at the shell.
    pub fn desk(&self) -> &Desk {
        &self.0.desk
    }

    /// Lets the verified shell look at the messages of calls; `None` while another one looks.
    pub fn inspect(&self, program: Option<&std::path::Path>) -> Option<Look> {
        let look = self.0.inspector.look()?;
        let program = program.map(|path| path.to_string_lossy().into_owned());
        self.trail().event(Event::InspectionBegun { program });
        Some(look)
    }

    /// Records that the shell looks no longer.
    pub fn inspection_ended(&self) {
        self.trail().event(Event::InspectionEnded);
    }

    pub(crate) fn inspector(&self) -> &Inspector {
        &self.0.inspector
    }

    pub(crate) fn ledger(&self) -> &Ledger {
        &self.0.ledger
    }

    /// Records that a program was let answer questions, or was not, and why.
    pub fn record_prompter(&self, program: Option<&std::path::Path>, refused: Option<&'static str>) {
        let program = program.map(|path| path.to_string_lossy().into_owned());
        self.trail().event(match refused {
            None => Event::PrompterAttached { program: program.unwrap_or_default() },
            Some(why) => Event::PrompterRefused { program, why },
        });
    }

    /// What persons have allowed and still counts, by number.
    pub fn permissions(&self) -> Vec<Arc<Consent>> {
        let (consents, now) = (self.ledger().consents(), self.now());
        consents.sorted().into_iter().filter(|consent| consent.is_in_force(now)).map(Arc::clone).collect()
    }

    /// Takes a permission back; false if there is none of this number.
    pub fn revoke_permission(&self, number: u64) -> bool {
        self.ledger().end(Ending::Revoked, |consent| consent.number == number) > 0
    }

    /// The processes whose end is the end of a permission.
    pub fn awaited_programs(&self) -> BTreeSet<ProcessId> {
        self.ledger().consents().sorted().into_iter().filter_map(|consent| consent.process).collect()
    }

    /// Ends the permissions of a program that has closed.
    pub fn program_closed(&self, process: ProcessId) {
        self.ledger().end(Ending::ProgramClosed, |consent| consent.process == Some(process));
    }

    /// Ends what has run out, and tells when to look again.
    pub fn sweep_permissions(&self) -> Option<Duration> {
        self.ledger().sweep();
        self.ledger().next_end()
    }

    /// Asks the person for a change that lets more in, if there is a shell to ask in; without one, the change is the
    /// command line's, as it would be with an editor.
    ///
    /// # Errors
    /// Why it must not be made.
    pub async fn permit_change(&self, change: Change, caller: Arc<Caller>) -> Result<(), NotPermitted> {
        if !self.desk().is_attended() {
            return Ok(());
        }
        let lives = self.config().ask_timeout;
        let topic = Topic::Change(self.0.changes.fetch_add(1, std::sync::atomic::Ordering::Relaxed));
        let request = Request { topic, matter: Matter::Change { change, caller }, offers: vec![Lasting::Once], lives };
        // The question ends before the patience does: whoever asks is there as long as it stands, more time included.
        let patience = Instant::now() + lives * 4;
        match self.desk().ask(request, patience).await {
            Given::Allowed => Ok(()),
            Given::Denied => Err(NotPermitted::Denied),
            Given::NoAnswer => Err(NotPermitted::NoAnswer),
            Given::TooMany => Err(NotPermitted::TooMany),
        }
    }
}
