//! The HTTP door: it listens only while a client holds a key, on each loopback family of the machine, on one port that
//! never changes by itself (SEC-01, SEC-07).

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use keybearer_control::snapshot::HttpDoor;
use keybearer_os::tcp_peer::{self, PeerUser};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::gate::{Door, Hosts};
use crate::http_exchange::Exchange;
use crate::lanes::{Lanes, Place};
use crate::visitor::{Knocker, Shown};

/// The setting under which the door's own port is remembered.
const PORT_SETTING: &str = "http_port";

/// The door as it was when the core started: looked at once before the core says that it is ready.
pub(crate) struct FirstLook {
    changes: watch::Receiver<u64>,
    listening: JoinSet<()>,
}

impl FirstLook {
    pub(crate) async fn new(exchange: &Exchange, state: &watch::Sender<HttpDoor>) -> Self {
        let mut look = Self { changes: exchange.broker.changes(), listening: JoinSet::new() };
        look.at(exchange, state).await;
        look
    }

    /// Opens and closes the door as clients come and go, until the task is dropped. When the core drains, those that
    /// are there are served to their end.
    pub(crate) async fn keep(mut self, exchange: Exchange, state: watch::Sender<HttpDoor>) {
        let mut draining = exchange.draining.clone();
        loop {
            tokio::select! {
                () = draining.begun() => break,
                changed = self.changes.changed() => match changed {
                    Ok(()) => self.at(&exchange, &state).await,
                    Err(_) => return,
                },
            }
        }
        while self.listening.join_next().await.is_some() {}
    }

    async fn at(&mut self, exchange: &Exchange, state: &watch::Sender<HttpDoor>) {
        self.changes.mark_unchanged();
        let wanted = exchange.broker.clients().any_key();
        let open = matches!(*state.borrow(), HttpDoor::Open { .. });
        if wanted && !open {
            state.send_replace(open_door(exchange, &mut self.listening).await);
        } else if !wanted && open {
            self.listening.shutdown().await;
            exchange.doorways.forget_tcp();
            state.send_replace(HttpDoor::Closed);
        }
    }
}

async fn open_door(exchange: &Exchange, listening: &mut JoinSet<()>) -> HttpDoor {
    let chosen = exchange.broker.config().http_port;
    let remembered = || exchange.broker.store().setting(PORT_SETTING).ok().flatten()?.parse().ok();
    let wanted = chosen.or_else(remembered);
    let given = exchange.doorways.given_tcp(wanted);
    let bound = match wanted {
        _ if !given.is_empty() => Ok(given),
        Some(port) => bind(port).await.map_err(|_| port),
        None => bind_somewhere().await.map_err(|_| 0),
    };
    let listeners = match bound {
        Ok(listeners) => listeners,
        Err(port) => {
            tracing::warn!(port, "the port of the HTTP door is taken by another program");
            return HttpDoor::Blocked { port };
        }
    };
    let lanes = match Lanes::open(&exchange.forwarder) {
        Ok(lanes) => Arc::new(lanes),
        Err(error) => {
            tracing::error!(%error, "the HTTP door has no thread to serve with");
            return HttpDoor::Closed;
        }
    };
    let mut addresses = Vec::new();
    for listener in listeners {
        let Ok(address) = listener.local_addr() else { continue };
        if chosen.is_none()
            && let Err(error) = exchange.broker.store().set(PORT_SETTING, &address.port().to_string())
        {
            tracing::warn!(%error, "the port of the HTTP door was not remembered");
        }
        addresses.push(format!("http://{address}"));
        exchange.doorways.note_tcp(&listener);
        listening.spawn(accept(listener, address, Arc::clone(&lanes), exchange.clone()));
    }
    HttpDoor::Open { addresses }
}

/// Binds a port on both loopback families, or on none: a stranger on the other one could pass for us.
async fn bind(port: u16) -> io::Result<Vec<TcpListener>> {
    let mut listeners = vec![TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?];
    match TcpListener::bind((Ipv6Addr::LOCALHOST, listeners[0].local_addr()?.port())).await {
        Ok(listener) => listeners.push(listener),
        // A machine without IPv6 has no such address; there nobody else can have it either.
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {}
        Err(error) if error.raw_os_error().is_some() && !has_ipv6().await => {}
        Err(error) => return Err(error),
    }
    Ok(listeners)
}

async fn has_ipv6() -> bool {
    TcpListener::bind((IpAddr::V6(Ipv6Addr::LOCALHOST), 0)).await.is_ok()
}

/// Binds a port that is free on both families.
async fn bind_somewhere() -> io::Result<Vec<TcpListener>> {
    let mut last = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..8 {
        match bind(0).await {
            Ok(listeners) => return Ok(listeners),
            Err(error) => last = error,
        }
    }
    Err(last)
}

async fn accept(listener: TcpListener, address: SocketAddr, lanes: Arc<Lanes>, exchange: Exchange) {
    let door = Arc::new(Door::Tcp(Hosts::of(address)));
    let mut connections = JoinSet::new();
    let mut draining = exchange.draining.clone();
    loop {
        tokio::select! {
            () = draining.begun() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let (lane, place) = lanes.next();
                    let exchange = Exchange { forwarder: Arc::clone(&lane.forwarder), ..exchange.clone() };
                    let moved = stream.into_std().map(|stream| serve(stream, peer, Arc::clone(&door), exchange, place));
                    if let Ok(serving) = moved {
                        connections.spawn_on(serving, &lane.runtime);
                    }
                }
                // Out of file handles, for example: wait for some to be given back rather than spin.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// Runs on a lane, whose event loop the connection is not known to yet.
async fn serve(stream: std::net::TcpStream, peer: SocketAddr, door: Arc<Door>, exchange: Exchange, _place: Place) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = TcpStream::from_std(stream) else { return };
    let Ok(local) = stream.local_addr() else { return };
    let knocker = knocker(peer, local);
    Connection { knocker, door, exchange }.serve(stream, move || tcp_peer::is_gone(peer, local)).await;
}

/// Whose the connection is. Another user's is answered as if its key were wrong, which tells nothing.
fn knocker(peer: SocketAddr, local: SocketAddr) -> Knocker {
    match tcp_peer::user_of(peer, local) {
        PeerUser::Ours | PeerUser::Untold => Knocker::KeyHolder(Shown::default()),
        PeerUser::Another => {
            tracing::warn!("a connection of another user at the HTTP door");
            Knocker::Foreigner
        }
    }
}
