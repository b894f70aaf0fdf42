//! The socket door: HTTP over a socket file (a named pipe on Windows) that the person's own processes alone can reach.
//!
//! It is always open and needs no key: the system names the process at the other end, and policy judges that program.

use std::sync::Arc;
use std::time::Duration;

use keybearer_os::local::{Listener, Stream};
use keybearer_os::peer;
use tokio::task::JoinSet;

use crate::connection::Connection;
use crate::gate::Door;
use crate::http_exchange::Exchange;
use crate::visitor::{Knocker, Program};

/// Serves programs until the task is dropped. When the core drains, those that are there are served to their end.
pub(crate) async fn accept(listener: Listener, exchange: Exchange) {
    let door = Arc::new(Door::Socket);
    let mut connections = JoinSet::new();
    let mut draining = exchange.draining.clone();
    loop {
        tokio::select! {
            () = draining.begun() => break,
            accepted = listener.accept() => match accepted {
                Ok(stream) => { connections.spawn(serve(stream, Arc::clone(&door), exchange.clone())); }
                Err(error) => {
                    tracing::warn!(%error, "a program could not come in at the socket door");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
    exchange.doorways.left(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve(stream: Stream, door: Arc<Door>, exchange: Exchange) {
    // Asked before anything is read: what a program says of itself is not what it is judged by.
    match peer::identify(&stream) {
        Ok(peer) => {
            let knocker = Knocker::Program(Program::new(peer.whole_chain()));
            // Where the system does not tell the end of sending from the end of all, it counts as the latter.
            Connection { door, knocker, exchange }.serve(stream, || true).await;
        }
        Err(cause) => tracing::info!(%cause, "a program at the socket door was turned away"),
    }
}
