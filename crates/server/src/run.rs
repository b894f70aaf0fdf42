//! A running core: all doors open over one broker, and the way to end it in good order.

use std::sync::Arc;
use std::time::Duration;

use keybearer_control::snapshot::{ContainerDoor, HttpDoor};
use keybearer_core::admission;
use keybearer_core::broker::Broker;
use keybearer_os::local::{self, BindError, Listener, Name};
use keybearer_os::lock::CoreLock;
use keybearer_os::passed::Given;
use keybearer_os::shell::Shell;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::calls;
use crate::closing;
use crate::container_door;
use crate::control::Control;
use crate::doors::Doors;
use crate::doorways::Doorways;
use crate::draining::{self, Drain};
use crate::forward::Forwarder;
use crate::http_door;
use crate::http_exchange::Exchange;
use crate::limits::Limits;
use crate::own;
use crate::programs;
use crate::sessions::Sessions;
use crate::sign_in_windows::SignInWindows;
use crate::socket_door;
use crate::stdio::Bridges;
use crate::turned_away::TurnedAway;

/// How long the end waits for a refresh token that is on its way: one that is lost would sign the person out.
const LAST_TOKENS: Duration = Duration::from_secs(2);

/// What a running core is made of.
pub struct Parts<'a> {
    /// The broker that decides.
    pub broker: Broker,
    /// How secure connections to servers are made.
    pub tls: Arc<rustls::ClientConfig>,
    /// The proof that this is the only core here.
    pub lock: &'a CoreLock,
    /// Listening sockets that somebody else has opened for this core.
    pub given: Given,
    /// Which program may put questions to the person and answer them.
    pub shell: Shell,
    /// After how long a silence an event stream gets a comment; [`SILENCE`](crate::SILENCE) but in tests.
    pub silence: Duration,
    /// The sign-in windows that the broker's port shows.
    pub windows: SignInWindows,
}

/// What is known once the doors are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Startup {
    /// The HTTP door.
    pub http_door: HttpDoor,
    /// Where programs that speak HTTP over a local socket come in.
    pub socket_door: Option<String>,
}

/// A core whose doors are open. Dropping it closes them and ends every session.
pub struct Running {
    broker: Broker,
    doors: Doors,
    stop: Arc<Notify>,
    asked_to_drain: Arc<Notify>,
    drain: Drain,
    tasks: JoinSet<()>,
    /// The doors that clients come in by; they end by themselves when the core drains.
    visited: JoinSet<()>,
}

/// Opens every door.
///
/// # Errors
/// If a socket of ours cannot be opened. A taken HTTP port is no error: that door stays closed and says so.
pub async fn start(parts: Parts<'_>) -> Result<Running, BindError> {
    let Parts { broker, tls, lock, given, shell, silence, windows } = parts;
    let forwarder = Arc::new(Forwarder::new(tls));
    let doorways = Doorways::new(given);
    let open = |name| open(lock, name, &doorways);
    let (bridges, controls, programs) = (open(Name::Bridge)?, open(Name::Control)?, open(Name::Http)?);
    let (state, door) = watch::channel(HttpDoor::Closed);
    let (stop, asked_to_drain) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (drain, draining) = draining::channel();
    let stdio = Bridges {
        broker: broker.clone(),
        forwarder: Arc::clone(&forwarder),
        draining: draining.clone(),
        doorways: doorways.clone(),
        begun: admission::Session::Unasked,
    };
    let exchange = Exchange {
        broker: broker.clone(),
        forwarder,
        sessions: Arc::new(Sessions::new()),
        endpoints: Arc::default(),
        limits: Arc::new(Limits::new()),
        turned_away: TurnedAway::new(broker.clone()),
        own: Arc::new(own::HttpDoor::new(stdio.clone(), silence)),
        doorways: doorways.clone(),
        draining: draining.clone(),
        silence,
    };
    let (container_state, container) = watch::channel(ContainerDoor::Closed);
    let first = http_door::FirstLook::new(&exchange, &state).await;
    let (mut tasks, mut visited) = (JoinSet::new(), JoinSet::new());
    tasks.spawn(programs::look_at_all(broker.clone()));
    tasks.spawn(closing::watch(broker.clone()));
    visited.spawn(socket_door::accept(programs, exchange.clone()));
    visited.spawn(container_door::keep(exchange.clone(), container_state));
    visited.spawn(first.keep(exchange, state));
    visited.spawn(stdio.clone().accept(bridges));
    let socket = local::address(lock.folders(), Name::Http).ok().map(|path| path.display().to_string());
    let doors = Doors { http: door, container, socket };
    let control = Control {
        broker: broker.clone(),
        bridges: stdio.clone(),
        doors: doors.clone(),
        stop: Arc::clone(&stop),
        drain: Arc::clone(&asked_to_drain),
        draining,
        doorways,
        folders: lock.folders().clone(),
        shell: Arc::new(shell),
        connecting: Arc::default(),
        windows,
    };
    tasks.spawn(control.accept(controls));
    Ok(Running { broker, doors, stop, asked_to_drain, drain, tasks, visited })
}

/// A socket of ours: the one that was given, or one that is opened here.
fn open(lock: &CoreLock, name: Name, doorways: &Doorways) -> Result<Listener, BindError> {
    let listener = match doorways.given(name.as_str()) {
        Some(socket) => local::adopt(lock, name, socket)?,
        None => local::bind(lock, name)?,
    };
    doorways.note(name.as_str(), listener.share());
    Ok(listener)
}

impl Running {
    /// What is known now that the doors are open.
    pub fn startup(&self) -> Startup {
        Startup { http_door: self.doors.http.borrow().clone(), socket_door: self.doors.socket.clone() }
    }

    /// Waits until somebody asks over the control API that the core ends.
    pub async fn asked_to_stop(&self) {
        self.stop.notified().await;
    }

    /// Waits until another core asks for this one's place.
    pub async fn asked_to_drain(&self) {
        self.asked_to_drain.notified().await;
    }

    /// Lets nobody in any more, and waits until what is under way is done; [`Running::stop`] follows.
    pub async fn drain(&mut self) {
        self.drain.begin();
        let done = async { while self.visited.join_next().await.is_some() {} };
        if tokio::time::timeout(calls::PATIENCE_AT_A_DRAIN, done).await.is_err() {
            tracing::warn!("what is still under way is cut: another core waits");
        }
    }

    /// Closes the doors, ends what is open, and writes what is still to be recorded.
    pub async fn stop(mut self) {
        self.visited.shutdown().await;
        self.tasks.shutdown().await;
        if tokio::time::timeout(LAST_TOKENS, self.broker.finish()).await.is_err() {
            tracing::warn!("a sign-in or a renewal is cut short");
        }
        self.broker.flush();
    }
}
