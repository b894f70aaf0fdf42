//! The container door (SEC-17): for clients that run in containers of this machine and cannot reach its loopback.
//!
//! It does not exist unless the settings name one private address of this machine for it and a client holds a key that
//! is meant for a container. It answers to containers of this machine alone.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use keybearer_control::snapshot::ContainerDoor;
use keybearer_os::subnet;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::gate::{Door, Hosts};
use crate::http_exchange::Exchange;
use crate::visitor::{Knocker, Shown};

/// The setting under which the door's own port is remembered: it stands in the settings of programs in containers.
const PORT_SETTING: &str = "container_port";

/// Opens and closes the door as settings and clients change, until the task is dropped.
pub(crate) async fn keep(exchange: Exchange, state: watch::Sender<ContainerDoor>) {
    let mut changes = exchange.broker.changes();
    let mut listening = JoinSet::new();
    let mut stands_at = None;
    let mut draining = exchange.draining.clone();
    loop {
        changes.mark_unchanged();
        let needed = exchange.broker.clients().any_for_containers();
        let wanted = exchange.broker.config().container_door.filter(|_| needed);
        if wanted != stands_at {
            listening.shutdown().await;
            state.send_replace(match wanted {
                Some(address) => open(address, &exchange, &mut listening).await,
                None => ContainerDoor::Closed,
            });
            stands_at = wanted;
        }
        tokio::select! {
            () = draining.begun() => break,
            changed = changes.changed() => if changed.is_err() { return },
        }
    }
}

async fn open(address: Ipv4Addr, exchange: &Exchange, listening: &mut JoinSet<()>) -> ContainerDoor {
    let blocked = |detail: String| {
        tracing::warn!(%address, detail, "the container door stays closed");
        ContainerDoor::Blocked { detail }
    };
    if !subnet::is_near(address) {
        return blocked(format!("{address} is in no network of this machine"));
    }
    let remembered = exchange.broker.store().setting(PORT_SETTING).ok().flatten().and_then(|port| port.parse().ok());
    let bound = match listener(address, remembered).await {
        Ok(bound) => bound,
        Err(error) if error.kind() == io::ErrorKind::AddrNotAvailable => {
            return blocked(format!("{address} is no address of this machine"));
        }
        Err(error) => return blocked(format!("its port is not to be had: {error}")),
    };
    let (listener, local) = bound;
    if let Err(error) = exchange.broker.store().set(PORT_SETTING, &local.port().to_string()) {
        tracing::warn!(%error, "the port of the container door was not remembered");
    }
    listening.spawn(accept(listener, address, local, exchange.clone()));
    ContainerDoor::Open { address: format!("http://{local}") }
}

async fn listener(address: Ipv4Addr, port: Option<u16>) -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind((address, port.unwrap_or_default())).await?;
    let local = listener.local_addr()?;
    Ok((listener, local))
}

async fn accept(listener: TcpListener, ours: Ipv4Addr, local: SocketAddr, exchange: Exchange) {
    let door = Arc::new(Door::Container(Hosts::of(local)));
    let mut connections = JoinSet::new();
    let mut draining = exchange.draining.clone();
    loop {
        tokio::select! {
            () = draining.begun() => break,
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) if comes_from_container(peer, ours) => {
                    connections.spawn(serve(stream, Arc::clone(&door), exchange.clone()));
                }
                Ok((_, peer)) => tracing::warn!(%peer, "a connection from another network at the container door"),
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

fn comes_from_container(peer: SocketAddr, ours: Ipv4Addr) -> bool {
    match peer.ip() {
        IpAddr::V4(peer) => subnet::is_container(peer, ours),
        IpAddr::V6(_) => false,
    }
}

async fn serve(stream: TcpStream, door: Arc<Door>, exchange: Exchange) {
    let _ = stream.set_nodelay(true);
    // What goes on in a container the system does not tell.
    Connection { door, knocker: Knocker::KeyHolder(Shown::default()), exchange }.serve(stream, || true).await;
}
