//! One client's session with Keybearer itself: behind it, on demand, one inner session for each server that the client may use.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use keybearer_core::broker::Broker;
use keybearer_core::clients::Registered;
use keybearer_core::keeper::Standing;
use keybearer_mcp::reply::{self, Obstacle};
use keybearer_model::caller::Caller;
use keybearer_model::name::ServerName;
use serde_json::json;
use tokio::sync::{broadcast, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::era::{self, Client, Era};
use super::inner::{self, Inner, Origin};
use super::open::{List, Open};
use super::outbox::{Asked, Outbox};
use super::raw::{Answer, Object, raw};
use super::tools;
use crate::stdio::Bridges;

/// How long a handshake with a server may take.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(60);

/// How long a server that could not be met is left alone.
const PAUSE: Duration = Duration::from_secs(2);

/// What a subscription is told.
#[derive(Clone, Debug)]
pub(super) enum Change {
    Listed(List),
    Updated(String),
}

/// A client's session.
pub(crate) struct Hub {
    pub(super) bridges: Bridges,
    pub(super) caller: Arc<Caller>,
    pub(super) registered: Option<Arc<Registered>>,
    /// Our own tools, and the handshakes of either era.
    pub(super) own: Arc<Inner>,
    pub(super) changes: broadcast::Sender<Change>,
    pub(super) asked: Arc<Asked>,
    /// The questions of servers that the client has not answered, by server and id.
    pub(super) asking: Mutex<HashMap<(ServerName, String), AbortHandle>>,
    pub(super) tasks: Mutex<JoinSet<()>>,
    /// The addresses that the client has subscribed to under another name than the server's.
    pub(super) subscribed: Mutex<HashMap<(ServerName, String), String>>,
    state: Mutex<State>,
    slots: Mutex<HashMap<ServerName, watch::Receiver<Slot>>>,
}

struct State {
    /// Where goes what belongs to no request.
    main: Outbox,
    /// The client, once it has said `initialize`.
    client: Option<Client>,
    /// It has said that it is ready for notifications.
    initialized: bool,
    /// The log level that it has set.
    level: Option<Object>,
}

/// How far a server is.
#[derive(Clone)]
enum Slot {
    Opening,
    Open(Arc<Open>),
    Failed(Answer, Instant),
}

impl Hub {
    /// A session of `caller`, who reads what belongs to no request from `main`.
    pub(super) fn new(
        bridges: Bridges,
        caller: Arc<Caller>,
        registered: Option<Arc<Registered>>,
        main: Outbox,
    ) -> Arc<Self> {
        let broker = bridges.broker.clone();
        let hub = Arc::new_cyclic(|hub: &Weak<Self>| Self {
            own: tools::start(Weak::clone(hub)),
            bridges,
            caller,
            registered,
            changes: broadcast::channel(256).0,
            asked: Arc::default(),
            asking: Mutex::default(),
            tasks: Mutex::default(),
            subscribed: Mutex::default(),
            state: Mutex::new(State { main, client: None, initialized: false, level: None }),
            slots: Mutex::default(),
        });
        hub.tasks().spawn(watch_servers(Arc::downgrade(&hub), broker));
        hub
    }

    pub(super) fn broker(&self) -> &Broker {
        &self.bridges.broker
    }

    /// Where goes what belongs to no request.
    pub(super) fn main(&self) -> Outbox {
        self.state().main.clone()
    }

    pub(super) fn set_main(&self, main: Outbox) {
        self.state().main = main;
    }

    /// The client of this session, if it has begun one in the legacy era.
    pub(super) fn legacy_client(&self) -> Option<Client> {
        self.state().client.clone()
    }

    pub(super) fn begins(&self, client: Client) {
        self.state().client = Some(client);
    }

    pub(super) fn is_initialized(&self) {
        self.state().initialized = true;
    }

    /// Every server that the client may use, with where its sign-in stands.
    pub(super) fn servers(&self) -> BTreeMap<ServerName, Standing> {
        let all = self.broker().servers().into_iter();
        all.filter(|(name, _)| self.may_use(name)).map(|(name, (_, state))| (name, state.standing)).collect()
    }

    pub(super) fn may_use(&self, server: &ServerName) -> bool {
        self.registered.as_ref().is_none_or(|client| client.may_use(server))
    }

    pub(super) fn needs_sign_in(&self, server: &ServerName) -> bool {
        let state = self.broker().sign_in_state(server);
        state.is_some_and(|state| needs_sign_in(&state.standing))
    }

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
                let level = self.state().level.clone();
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
        self.state().level = Some(params.clone());
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

    /// Tells the client that a list is not what it was.
    pub(super) async fn changed(&self, list: List) {
        let _ = self.changes.send(Change::Listed(list));
        let main = {
            let state = self.state();
            (state.initialized && state.client.is_some()).then(|| state.main.clone())
        };
        if let Some(main) = main {
            main.send(super::raw::message(None, list.notice(), None)).await;
        }
    }

    /// Lets go of the sessions with servers of which this is true; calls that are under way go on.
    fn forget(&self, gone: impl Fn(&ServerName) -> bool) {
        self.slots().retain(|server, _| !gone(server));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn slots(&self) -> MutexGuard<'_, HashMap<ServerName, watch::Receiver<Slot>>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks
    }
}

/// Whether a server offers nothing before somebody signs in.
pub(super) fn needs_sign_in(standing: &Standing) -> bool {
    match standing {
        Standing::Needed(_) | Standing::SigningIn => true,
        Standing::Unknown
        | Standing::Ready
        | Standing::SignedIn { .. }
        | Standing::Refused(_)
        | Standing::Unreachable(_)
        | Standing::KeyStore(_) => false,
    }
}

/// The answer where an obstacle stands in the way to a server.
pub(super) fn obstacle(obstacle: Obstacle, server: &ServerName) -> Answer {
    Answer::error(obstacle.code(), obstacle.stable(), &reply::sentence(obstacle, server))
}

/// Notices when servers come and go, and when somebody signs in or out.
async fn watch_servers(hub: Weak<Hub>, broker: Broker) {
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
