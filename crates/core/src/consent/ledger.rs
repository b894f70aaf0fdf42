//! What persons have allowed, kept: a snapshot in memory for the way of a call, rows in the state database for the next
//! start.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use keybearer_model::call::Call;
use keybearer_model::caller::Principal;
use keybearer_model::consent::{Consent, Known, LONGEST_IDLE, LONGEST_SESSION, Lasting, Subject, Used};
use keybearer_model::program::{Process, ProcessId};
use keybearer_model::time::Timestamp;
use keybearer_policy::consents::Consents;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use crate::audit::{About, Event, Trail};
use crate::ports::Clock;
use crate::store::{Store, StoreError};

/// The consents. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Arc<Shared>);

struct Shared {
    consents: ArcSwap<Consents>,
    next: AtomicU64,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    trail: Trail,
    changed: watch::Sender<u64>,
    /// Held while rows are written: what is in the snapshot then is what is written.
    writing: Mutex<()>,
}

/// A consent as it is stored, besides its number and whose it is.
#[derive(Serialize, Deserialize)]
struct Facts {
    client: Option<keybearer_model::name::ClientName>,
    program: Option<std::path::PathBuf>,
    process: Option<ProcessId>,
    server: keybearer_model::name::ServerName,
    subject: Subject,
    account: Option<Box<str>>,
    lasting: Lasting,
    given: Timestamp,
    ends: Option<Timestamp>,
    idle_ms: Option<u64>,
}

/// Why a consent ends before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The person has revoked it.
    Revoked,
    /// Its program has closed.
    ProgramClosed,
    /// Another program is in the place of its client's.
    ProgramChanged,
    /// Its client was revoked.
    ClientRevoked,
    /// Its server was removed.
    ServerRemoved,
    /// Its time is over.
    RanOut,
}

impl Ending {
    const fn word(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::ProgramClosed => "program_closed",
            Self::ProgramChanged => "program_changed",
            Self::ClientRevoked => "client_revoked",
            Self::ServerRemoved => "server_removed",
            Self::RanOut => "ran_out",
        }
    }
}

impl Ledger {
    pub(crate) fn open(
        store: Arc<Store>,
        clock: Arc<dyn Clock>,
        trail: Trail,
        changed: watch::Sender<u64>,
    ) -> Result<Self, StoreError> {
        let (rows, last) = store.consents()?;
        let consents = rows.into_iter().filter_map(|(number, principal, facts)| {
            // A row that does not parse was not written by us: it allows nothing.
            let facts: Facts = serde_json::from_str(&facts).ok()?;
            Some(Arc::new(facts.of(number, Principal::from_bytes(principal))))
        });
        let (consents, next) = (ArcSwap::from_pointee(consents.collect()), AtomicU64::new(last + 1));
        Ok(Self(Arc::new(Shared { consents, next, store, clock, trail, changed, writing: Mutex::default() })))
    }

    /// All of them, as the way of a call reads them.
    pub fn consents(&self) -> arc_swap::Guard<Arc<Consents>> {
        self.0.consents.load()
    }

    /// Notes that a consent has let a call pass, and tells whether it counts for this account.
    pub(crate) fn counts_for(&self, call: &Call, number: u64, account: Option<&str>) -> bool {
        let consents = self.consents();
        let Some(consent) = consents.numbered(call.caller.principal(), number) else { return false };
        consent.used.note(self.0.clock.now());
        consent.is_for(account)
    }

    /// Gives a consent: it counts at once, and is kept beside.
    pub(crate) fn give(&self, call: &Call, account: Option<&str>, lasting: Lasting) {
        let number = self.0.next.fetch_add(1, Ordering::Relaxed);
        let consent = Arc::new(self.consent(number, call, account, lasting));
        self.0.trail.event(Event::PermissionGiven {
            permission: number,
            about: About::of_consent(&consent),
            lasts: lasting.word(),
        });
        let given = Arc::clone(&consent);
        self.0.consents.rcu(|consents| consents.with(Arc::clone(&given)));
        self.touch();
        let ledger = self.clone();
        tokio::task::spawn_blocking(move || {
            let _writing = ledger.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let still = ledger.consents().numbered(consent.principal, number).is_some();
            let facts = serde_json::to_string(&Facts::of_consent(&consent)).unwrap_or_default();
            if still && let Err(cause) = ledger.0.store.put_consent(number, consent.principal.as_bytes(), &facts) {
                tracing::warn!(number, %cause, "a permission is not saved: it counts until this core ends");
            }
        });
    }

    /// Ends those of which `ends` is true, here at once and on the disk beside; tells how many there were.
    pub(crate) fn end(&self, why: Ending, ends: impl Fn(&Consent) -> bool) -> usize {
        let before = self.0.consents.rcu(|consents| consents.without(&ends));
        let ended: Vec<_> = before.sorted().into_iter().filter(|consent| ends(consent)).map(Arc::clone).collect();
        if ended.is_empty() {
            return 0;
        }
        for consent in &ended {
            let (permission, about) = (consent.number, About::of_consent(consent));
            self.0.trail.event(Event::PermissionEnded { permission, about, why: why.word() });
        }
        self.touch();
        let (ledger, numbers) = (self.clone(), ended.iter().map(|consent| consent.number).collect::<Vec<_>>());
        tokio::task::spawn_blocking(move || {
            let _writing = ledger.0.writing.lock().unwrap_or_else(PoisonError::into_inner);
            if let Err(cause) = ledger.0.store.remove_consents(&numbers) {
                tracing::warn!(%cause, "a permission that has ended is still in the state database");
            }
        });
        ended.len()
    }

    /// Ends what has run out.
    pub(crate) fn sweep(&self) {
        let now = self.0.clock.now();
        self.end(Ending::RanOut, |consent| !consent.is_in_force(now));
    }

    /// How long until the next one may run out.
    pub(crate) fn next_end(&self) -> Option<Duration> {
        let now = self.0.clock.now();
        let ends = |consent: &Consent| {
            let idle = consent.idle.map(|idle| consent.used.last() + idle);
            consent.ends.into_iter().chain(idle).min()
        };
        self.consents().sorted().into_iter().filter_map(|consent| ends(consent)).min().map(|end| end.since(now))
    }

    /// Tells whoever watches that something may pass now which did not before.
    pub(crate) fn touch(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    fn consent(&self, number: u64, call: &Call, account: Option<&str>, lasting: Lasting) -> Consent {
        let (clock, caller) = (&self.0.clock, &call.caller);
        let given = clock.now();
        let (ends, process, idle) = match lasting {
            Lasting::Once => (Some(given), None, None),
            Lasting::Session => {
                let idle = (Known::of(caller) == Known::Weak).then_some(LONGEST_IDLE);
                (Some(given + LONGEST_SESSION), caller.root().map(Process::id), idle)
            }
            Lasting::Today => (Some(clock.midnight()), None, None),
            Lasting::Always => (None, None, None),
        };
        Consent {
            number,
            principal: caller.principal(),
            client: caller.client.clone(),
            program: caller.executable().cloned(),
            process,
            server: call.server.clone(),
            subject: Subject::of(call),
            account: account.map(Into::into),
            lasting,
            given,
            ends,
            idle,
            used: Used::at(given),
        }
    }
}

impl Facts {
    fn of_consent(consent: &Consent) -> Self {
        Self {
            client: consent.client.clone(),
            program: consent.program.clone(),
            process: consent.process,
            server: consent.server.clone(),
            subject: consent.subject.clone(),
            account: consent.account.clone(),
            lasting: consent.lasting,
            given: consent.given,
            ends: consent.ends,
            idle_ms: consent.idle.and_then(|idle| u64::try_from(idle.as_millis()).ok()),
        }
    }

    fn of(self, number: u64, principal: Principal) -> Consent {
        let Self { client, program, process, server, subject, account, lasting, given, ends, idle_ms } = self;
        let (idle, used) = (idle_ms.map(Duration::from_millis), Used::at(given));
        Consent {
            number,
            principal,
            client,
            program,
            process,
            server,
            subject,
            account,
            lasting,
            given,
            ends,
            idle,
            used,
        }
    }
}
