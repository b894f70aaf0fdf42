//! A running core: all doors open over one broker, and the way to end it in good order.

use std::sync::Arc;
use std::time::Duration;

use keybearer_control::snapshot::{ContainerDoor, HttpDoor};
use keybearer_core::broker::Broker;
use keybearer_os::local::{self, BindError, Name};
use keybearer_os::lock::CoreLock;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::container_door;
use crate::control::Control;
use crate::doors::Doors;
use crate::draining::{self, Drain};
use crate::forward::Forwarder;
use crate::http_door;
use crate::http_exchange::Exchange;
use crate::own;
use crate::programs;
use crate::limits::Limits;
use crate::sessions::Sessions;
use crate::socket_door;
use crate::turned_away::TurnedAway;
use crate::stdio::Bridges;

/// What a running core is made of.
pub struct Parts<'a> {
    /// The broker that decides.
    pub broker: Broker,
    /// How secure connections to servers are made.
    pub tls: Arc<rustls::ClientConfig>,
    /// The proof that this is the only core here.
    pub lock: &'a CoreLock,
    /// After how long a silence an event stream gets a comment; [`SILENCE`](crate::SILENCE) but in tests.
    pub silence: Duration,
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
    drain: Drain,
    tasks: JoinSet<()>,
}

/// Opens every door.
///
/// # Errors
/// If a socket of ours cannot be opened. A taken HTTP port is no error: that door stays closed and says so.
pub async fn start(parts: Parts<'_>) -> Result<Running, BindError> {
    let Parts { broker, tls, lock, silence } = parts;
    let forwarder = Arc::new(Forwarder::new(tls));
    let (bridges, controls) = (local::bind(lock, Name::Bridge)?, local::bind(lock, Name::Control)?);
    let programs = local::bind(lock, Name::Http)?;
    let (state, door) = watch::channel(HttpDoor::Closed);
    let stop = Arc::new(Notify::new());
    let (drain, draining) = draining::channel();
    let stdio = Bridges { broker: broker.clone(), forwarder: Arc::clone(&forwarder), draining };
    let exchange = Exchange {
        broker: broker.clone(),
        forwarder,
        sessions: Arc::new(Sessions::new()),
        endpoints: Arc::default(),
        limits: Arc::new(Limits::new()),
        turned_away: TurnedAway::new(broker.clone()),
        own: Arc::new(own::HttpDoor::new(stdio.clone(), silence)),
        silence,
    };
    let (container_state, container) = watch::channel(ContainerDoor::Closed);
    let first = http_door::FirstLook::new(&exchange, &state).await;
    let mut tasks = JoinSet::new();
    tasks.spawn(programs::look_at_all(broker.clone()));
    tasks.spawn(socket_door::accept(programs, exchange.clone()));
    tasks.spawn(container_door::keep(exchange.clone(), container_state));
    tasks.spawn(first.keep(exchange, state));
    tasks.spawn(stdio.accept(bridges));
    let socket = local::address(lock.folders(), Name::Http).ok().map(|path| path.display().to_string());
    let doors = Doors { http: door, container, socket };
    let control = Control {
        broker: broker.clone(),
        doors: doors.clone(),
        stop: Arc::clone(&stop),
        folders: lock.folders().clone(),
        connecting: Arc::default(),
    };
    tasks.spawn(control.accept(controls));
    Ok(Running { broker, doors, stop, drain, tasks })
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

    /// Tells the bridges that another core takes over; [`Running::stop`] follows.
    pub fn begin_drain(&self) {
        self.drain.begin();
    }

    /// Closes the doors, ends what is open, and writes what is still to be recorded.
    pub async fn stop(mut self) {
        self.tasks.shutdown().await;
        self.broker.flush();
    }
}
