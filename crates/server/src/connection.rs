//! One connection at the HTTP or the socket door, and its requests one after another.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::gate::Door;
use crate::half_closed::{Answered, Ear, Progress, Said};
use crate::http_exchange::Exchange;
use crate::visitor::Knocker;

/// How long a client may take to send a request's head.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// A connection: the door that it came in by, and who may be behind it.
pub(crate) struct Connection {
    pub(crate) door: Arc<Door>,
    pub(crate) knocker: Knocker,
    pub(crate) exchange: Exchange,
}

impl Connection {
    /// Serves its requests until it ends. `is_gone` tells whether nobody holds the other end any more; it is asked when
    /// the client sends no more while it is being answered.
    pub(crate) async fn serve(
        self,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        is_gone: impl Fn() -> bool + Send + 'static,
    ) {
        let (connection, progress) = (Arc::new(self), Progress::default());
        let stream = Ear::new(stream, progress.clone(), is_gone);
        let service = service_fn(move |request: Request<Incoming>| {
            let (connection, progress) = (Arc::clone(&connection), progress.clone());
            let request = request.map(|body| Said::new(body, progress.clone()));
            async move {
                let answer = connection.exchange.answer(&connection, request).await;
                Ok::<_, Infallible>(answer.map(|body| Answered::new(body, progress)))
            }
        });
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_LIMIT).max_headers(64);
        if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}
