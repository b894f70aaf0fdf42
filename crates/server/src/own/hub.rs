//! One client's session with Keybearer itself: behind it, on demand, one inner session for each server that the client may use.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use keybearer_core::broker::Broker;
use keybearer_core::clients::Registered;
use keybearer_core::keeper::Standing;
use keybearer_mcp::reply::{self, Obstacle};
use keybearer_model::caller::Caller;
use keybearer_model::name::ServerName;
use tokio::sync::broadcast;
use tokio::task::{AbortHandle, JoinSet};

use super::era::Client;
use super::inner::Inner;
use super::open::List;
use super::outbox::{Asked, Outbox};
use super::raw::{Answer, Object, message};
use super::slots::{Slots, watch_servers};
use super::tools;
use crate::stdio::Bridges;

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
    pub(super) slots: Slots,
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
            slots: Slots::default(),
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

    pub(super) fn level(&self) -> Option<Object> {
        self.state().level.clone()
    }

    pub(super) fn note_level(&self, params: &Object) {
        self.state().level = Some(params.clone());
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

    /// Tells the client that a list is not what it was.
    pub(super) async fn changed(&self, list: List) {
        let _ = self.changes.send(Change::Listed(list));
        let main = {
            let state = self.state();
            (state.initialized && state.client.is_some()).then(|| state.main.clone())
        };
        if let Some(main) = main {
            main.send(message(None, list.notice(), None)).await;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        | Standing::Renewing
        | Standing::Unreachable { .. }
        | Standing::KeyStore(_) => false,
    }
}

/// The answer where an obstacle stands in the way to a server.
pub(super) fn obstacle(obstacle: Obstacle, server: &ServerName) -> Answer {
    Answer::error(obstacle.code(), obstacle.stable(), &reply::sentence(obstacle, server))
}
