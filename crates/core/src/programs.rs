//! Whether a program that connects is a registered client, and what becomes of one whose program changed.
//!
//! Nothing here waits for a file to be read: what a connection is, it is by what is known when it comes. What is found
//! out later counts for the next one.

use std::sync::Arc;

use keybearer_model::caller::Caller;
use keybearer_model::name::ClientName;
use keybearer_model::program::{Pin, Process, ProgramFile};

use crate::audit::Event;
use crate::broker::Broker;
use crate::clients::{Recognition, Registered};
use crate::consent::ledger::Ending;

impl Broker {
    /// The caller behind a verified process chain, and its registration if it has one.
    pub fn caller_by_chain(&self, chain: Vec<Process>) -> (Arc<Caller>, Option<Arc<Registered>>) {
        if let Some(program) = chain.first() {
            self.note_program(program);
        }
        self.clients().by_chain(chain)
    }

    /// Looks whether the program of a registered client is still the one that was registered, and says so if not.
    /// Where that cannot be told yet, the hash is waited for beside.
    pub fn note_program(&self, program: &Process) {
        let clients = self.clients();
        let (Some((client, recognition)), Some(file)) = (clients.by_program(program), &program.file) else { return };
        let (client, file) = (Arc::clone(client), Arc::clone(file));
        match recognition {
            Recognition::Same if client.has_file(&file) => {}
            Recognition::Same | Recognition::Unsure => self.note_in_time(client, file, recognition),
            Recognition::Changed => self.program_changed(&client, &file),
        }
    }

    /// Whether this is the very file that a registered client is known by, so that it need not be read.
    pub fn knows_program(&self, program: &Process) -> bool {
        let clients = self.clients();
        let known = clients.by_program(program).zip(program.file.as_ref());
        known.is_some_and(|((client, _), file)| client.has_file(file))
    }

    /// Waits on a thread of its own until the hash of `file` is known.
    fn note_in_time(&self, client: Arc<Registered>, file: Arc<ProgramFile>, recognition: Recognition) {
        let broker = self.clone();
        tokio::task::spawn_blocking(move || {
            let Some(sha256) = file.wait_for_digest() else { return };
            match (recognition, client.recognise_file(&file)) {
                // What was the same without its hash is one that only the system's administrator can change.
                (Recognition::Same, _) | (_, Recognition::Same) => {
                    let pin = Pin { sha256, stamp: *file.stamp() };
                    client.pin(pin);
                    if let Err(cause) = broker.store().pin_client(&client.stored.name, &pin) {
                        tracing::warn!(client = %client.stored.name, %cause, "a client's program was not noted");
                    }
                    broker.touch();
                }
                (_, Recognition::Changed | Recognition::Unsure) => broker.program_changed(&client, &file),
            }
        });
    }

    fn program_changed(&self, client: &Registered, file: &ProgramFile) {
        if client.note_changed() {
            let (client, sha256) = (client.stored.name.clone(), file.digest());
            tracing::warn!(%client, "another program is in the place of a client's: it is not taken for that client");
            self.ledger().end(Ending::ProgramChanged, |consent| consent.client.as_ref() == Some(&client));
            self.trail().event(Event::ProgramChanged { client, sha256 });
            self.touch();
        }
    }

    /// The clients in whose place another program was found.
    pub fn changed_programs(&self) -> Vec<ClientName> {
        let clients = self.clients();
        let changed = clients.sorted().into_iter().filter(|client| client.is_changed());
        changed.map(|client| client.stored.name.clone()).collect()
    }
}
