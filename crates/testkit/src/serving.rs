//! A router that serves on a free loopback port until it is dropped.

use std::io;
use std::net::SocketAddr;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// A free port on loopback, taken before anybody needs to know its number.
pub async fn bind() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// A server that runs while this value lives; open streams may end after it.
#[derive(Debug)]
pub struct Serving {
    stop: Option<oneshot::Sender<()>>,
}

impl Serving {
    /// Serves `router` on `listener`.
    pub fn start(listener: TcpListener, router: Router) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let ended = async {
            let _ = stopped.await;
        };
        tokio::spawn(async move { axum::serve(listener, router).with_graceful_shutdown(ended).await });
        Self { stop: Some(stop) }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}
