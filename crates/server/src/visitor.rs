//! Stage 2 of a call at the HTTP and socket doors: who it is, by the key that was presented or by what the system says
//! of the process at the other end.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use keybearer_core::broker::Broker;
use keybearer_core::clients::{Clients, Registered};
use keybearer_model::caller::{Caller, Principal, Process};
use keybearer_model::secret::Secret;

/// Who has come, for one request.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub(crate) caller: Arc<Caller>,
    /// Its registration, if it has one.
    pub(crate) registered: Option<Arc<Registered>>,
}

/// Whose something is that outlives a request: a session, a stream.
pub(crate) struct Owner {
    principal: Principal,
    /// A client that was revoked and registered again under its name is another one.
    registered: Option<Weak<Registered>>,
}

impl Owner {
    pub(crate) fn of(visitor: &Visitor) -> Self {
        let registered = visitor.registered.as_ref().map(Arc::downgrade);
        Self { principal: visitor.caller.principal(), registered }
    }

    /// Whether this visitor is the one.
    pub(crate) fn is(&self, visitor: &Visitor) -> bool {
        let registered = match (&self.registered, &visitor.registered) {
            (Some(then), Some(now)) => std::ptr::eq(then.as_ptr(), Arc::as_ptr(now)),
            (None, None) => true,
            (Some(_), None) | (None, Some(_)) => false,
        };
        registered && self.principal == visitor.caller.principal()
    }
}

/// Who may be behind a connection.
pub(crate) enum Knocker {
    /// Anybody who presents a key.
    KeyHolder(Shown),
    /// Somebody whom no key lets in: another user of this machine (SEC-09).
    Foreigner,
    /// This program, whatever it says of itself; a key that it presents besides names the client.
    Program(Program),
}

/// The key that was presented last, and whose it is: on one connection it is the same each time.
#[derive(Default)]
pub(crate) struct Shown {
    // Looked up anew only when clients have come or gone. Held for a look, never across an await.
    last: Mutex<Option<Known>>,
}

struct Known {
    clients: Arc<Clients>,
    key: Secret,
    visitor: Visitor,
}

/// A program that the system has named, and what it is registered as.
pub(crate) struct Program {
    chain: Vec<Process>,
    // Looked up anew only when clients have come or gone. Held for a look, never across an await.
    known: Mutex<Option<(Arc<Clients>, Visitor)>>,
}

impl Visitor {
    /// Whether its key is meant for a container.
    pub(crate) fn may_come_from_container(&self) -> bool {
        self.registered.as_ref().is_some_and(|registered| registered.stored.container)
    }

    fn by_key(clients: &Clients, key: &str) -> Option<Self> {
        let registered = clients.by_key(key).map(Arc::clone)?;
        Some(Self { caller: Arc::clone(&registered.caller), registered: Some(registered) })
    }
}

impl Knocker {
    /// Who comes with this request; `None` for a key that is missing or nobody's.
    pub(crate) fn visitor(&self, broker: &Broker, key: Option<&str>) -> Option<Visitor> {
        match (self, key) {
            (Self::Foreigner, _) => None,
            (Self::KeyHolder(shown), Some(key)) => shown.visitor(broker, key),
            (Self::KeyHolder(_), None) => None,
            (Self::Program(_), Some(key)) => Visitor::by_key(&broker.clients(), key),
            (Self::Program(program), None) => Some(program.visitor(broker)),
        }
    }
}

impl Shown {
    fn visitor(&self, broker: &Broker, key: &str) -> Option<Visitor> {
        let clients = broker.clients();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*last
            && Arc::ptr_eq(&known.clients, &clients)
            && known.key.matches(key)
        {
            return Some(known.visitor.clone());
        }
        let visitor = Visitor::by_key(&clients, key)?;
        *last =
            Some(Known { clients: Arc::clone(&clients), key: Secret::new(key.to_owned()), visitor: visitor.clone() });
        Some(visitor)
    }
}

impl Program {
    /// The program whose chain this is, itself first.
    pub(crate) fn new(chain: Vec<Process>) -> Self {
        Self { chain, known: Mutex::default() }
    }

    fn visitor(&self, broker: &Broker) -> Visitor {
        let clients = broker.clients();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((then, visitor)) = &*known
            && Arc::ptr_eq(then, &clients)
        {
            return visitor.clone();
        }
        let (caller, registered) = clients.by_chain(self.chain.clone());
        let visitor = Visitor { caller, registered };
        *known = Some((Arc::clone(&clients), visitor.clone()));
        visitor
    }
}
