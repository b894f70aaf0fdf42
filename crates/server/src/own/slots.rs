//! The sessions with servers behind one client's session: opened on demand, kept while they last.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use keybearer_core::broker::Broker;
use keybearer_mcp::reply::Obstacle;
use keybearer_model::name::ServerName;
use serde_json::json;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use super::era::{self, Client, Era};
use super::hub::{Hub, needs_sign_in, obstacle};
use super::inner::{self, Inner, Origin};
use super::open::{List, Open};
use super::raw::{Answer, Object, raw};

/// How long a handshake with a server may take.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(60);

/// How long a server that could not be met is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// How far each server is.
pub(super) type Slots = Mutex<HashMap<ServerName, watch::Receiver<Slot>>>;

/// How far a server is.
#[derive(Clone)]
pub(super) enum Slot {
    Opening,
    Open(Arc<Open>),
    Failed(Answer, Instant),
}

impl Hub {
    /// The session with a server, opened if there is none. An error is for the client.
    pub(super) async fn opened(self: &Arc<Self>, server: &ServerName, client: &Client) -> Result<Arc<Open>, Answer> {
        let mut slot = self.slot(server, client);
        let decided = slot.wait_for(|slot| !matches!(slot, Slot::Opening)).await.map(|slot| slot.clone());
        match decided {
            Ok(Slot::Open(open)) => Ok(open),
            Ok(Slot::Failed(answer, _)) => Err(answer),
            Ok(Slot::Opening) | Err(_) => Err(obstacle(Obstacle::Internal, server)),
        }
    }

    /// The sessions that are open now.
    pub(super) fn open_now(&self) -> Vec<Arc<Open>> {
        let open = |slot: &watch::Receiver<Slot>| match &*slot.borrow() {
            Slot::Open(open) => Some(Arc::clone(open)),
            Slot::Opening | Slot::Failed(..) => None,
        };
        self.slots().values().filter_map(open).collect()
    }

    fn slot(self: &Arc<Self>, server: &ServerName, client: &Client) -> watch::Receiver<Slot> {
        let mut slots = self.slots();
        if let Some(slot) = slots.get(server) {
            let usable = match &*slot.borrow() {
                Slot::Opening => slot.has_changed().is_ok(),
                Slot::Open(open) => !open.inner.has_ended(),
                Slot::Failed(_, at) => at.elapsed() < PAUSE,
            };
            if usable {
                return slot.clone();
            }
        }
        let (state, slot) = watch::channel(Slot::Opening);
        slots.insert(server.clone(), slot.clone());
        let contact = Arc::clone(self).contact(server.clone(), client.clone());
        tokio::spawn(async move { state.send_replace(contact.await) });
        slot
    }

    async fn contact(self: Arc<Self>, server: ServerName, client: Client) -> Slot {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        let (reader, writer) = tokio::io::split(theirs);
        let (bridges, caller, registered) = (self.bridges.clone(), Arc::clone(&self.caller), self.registered.clone());
        let name = server.clone();
        tokio::spawn(async move { bridges.open(caller, registered, name, reader, writer).await });
        let (reader, writer) = tokio::io::split(ours);
        let inner = Inner::start(server.clone(), writer);
        let hub = Arc::downgrade(&self);
        let hear = move |inner, heard| {
            let hub = Weak::clone(&hub);
            async move {
                if let Some(hub) = hub.upgrade() {
                    hub.hear(inner, heard).await;
                }
            }
        };
        tokio::spawn(inner::listen(reader, Arc::downgrade(&inner), hear));
        let origin = Origin { stream: self.main(), id: None };
        let met = tokio::time::timeout(LONGEST_HANDSHAKE, era::meet(&inner, &client, &origin)).await;
        match met {
            Ok(Some(Ok(facts))) => {
                let open = Arc::new(Open::new(inner, facts));
                self.settle_in(&open, &client);
                Slot::Open(open)
            }
            Ok(Some(Err(answer))) => Slot::Failed(answer, Instant::now()),
            Ok(None) | Err(_) => Slot::Failed(obstacle(Obstacle::Unreachable, &server), Instant::now()),
        }
    }

    /// Tells a server that was just met what the client has asked of all of them.
    fn settle_in(&self, open: &Arc<Open>, client: &Client) {
        match open.facts.era {
            Era::Legacy => {
                let level = self.level();
                if let Some(level) = level {
                    self.set_level_of(open, level);
                }
            }
            Era::Modern => {
                let wanted =
                    json!({ "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true });
                self.listen_to(open, &wanted, client);
            }
        }
    }

    /// Opens a subscription at a modern server, as long as its session lasts.
    pub(super) fn listen_to(&self, open: &Arc<Open>, wanted: &serde_json::Value, client: &Client) -> AbortHandle {
        let mut params = Object::default();
        params.set("notifications", raw(wanted));
        let params = era::fit(params, client, Era::Modern);
        let (inner, origin) = (Arc::clone(&open.inner), Origin { stream: self.main(), id: None });
        open.tasks().spawn(async move {
            inner.request("subscriptions/listen", params, &origin).await;
        })
    }

    /// Sets the log level of every server, now and later.
    pub(super) fn set_level(&self, params: &Object) {
        self.note_level(params);
        self.open_now().iter().for_each(|open| self.set_level_of(open, params.clone()));
    }

    fn set_level_of(&self, open: &Arc<Open>, params: Object) {
        if open.facts.era == Era::Modern || !open.facts.offers("logging") {
            return;
        }
        let (inner, origin) = (Arc::clone(&open.inner), Origin { stream: self.main(), id: None });
        open.tasks().spawn(async move {
            inner.request("logging/setLevel", params, &origin).await;
        });
    }

    /// Lets go of the sessions with servers of which this is true; calls that are under way go on.
    fn forget(&self, gone: impl Fn(&ServerName) -> bool) {
        self.slots().retain(|server, _| !gone(server));
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<ServerName, watch::Receiver<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Notices when servers come and go, and when somebody signs in or out.
pub(super) async fn watch_servers(hub: Weak<Hub>, broker: Broker) {
    let mut changes = broker.changes();
    let look = |hub: &Hub| -> BTreeMap<ServerName, bool> {
        hub.servers().into_iter().map(|(name, standing)| (name, needs_sign_in(&standing))).collect()
    };
    let Some(mut before) = hub.upgrade().map(|hub| look(&hub)) else { return };
    while changes.changed().await.is_ok() {
        let Some(hub) = hub.upgrade() else { return };
        let now = look(&hub);
        if now == before {
            continue;
        }
        // What was met before a sign-in is met anew after it.
        hub.forget(|server| now.get(server) != before.get(server));
        before = now;
        for list in [List::Tools, List::Prompts, List::Resources] {
            hub.changed(list).await;
        }
    }
}
