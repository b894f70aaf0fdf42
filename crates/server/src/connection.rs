//! One connection at the HTTP or the socket door, and its requests one after another.

use std::convert::Infallible;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::{Method, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use keybearer_mcp::header::SESSION_ID;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Notify;

use crate::gate::Door;
use crate::half_closed::{Answered, Ear, Progress, Said};
use crate::head_timer::HeadTimer;
use crate::http_exchange::Exchange;
use crate::visitor::Knocker;

/// How long a client may take to send a request's head.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// How long a core that is about to end waits for the first request of a connection that was let in.
const FIRST_WORDS: Duration = Duration::from_secs(2);

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
        let mut draining = connection.exchange.draining.clone();
        let can_be_cut = Arc::new(AtomicBool::new(false));
        let asked = Arc::new(Notify::new());
        let (cut, heard) = (Arc::clone(&can_be_cut), Arc::clone(&asked));
        let service = service_fn(move |request: Request<Incoming>| {
            let (connection, progress) = (Arc::clone(&connection), progress.clone());
            cut.store(is_own_stream(&request), Ordering::Relaxed);
            heard.notify_one();
            let request = request.map(|body| Said::new(body, progress.clone()));
            async move {
                let answer = connection.exchange.answer(&connection, request).await;
                Ok::<_, Infallible>(answer.map(|body| Answered::new(body, progress)))
            }
        });
        let mut http = http1::Builder::new();
        // The ear hears a client that goes away.
        http.timer(HeadTimer::default()).header_read_timeout(HEAD_LIMIT).max_headers(64).half_close(true);
        let mut serving = pin!(http.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = serving.as_mut() => ended,
            () = draining.begun() => {
                if can_be_cut.load(Ordering::Relaxed) {
                    return;
                }
                // Whoever has just come in gets an answer: hanging up on a connection that was never used is a refusal.
                let asked = tokio::time::timeout(FIRST_WORDS, asked.notified());
                tokio::select! {
                    ended = serving.as_mut() => ended,
                    _ = asked => {
                        serving.as_mut().graceful_shutdown();
                        serving.await
                    }
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended early");
        }
    }
}

/// Whether it asks for the server's own stream of a session, which carries no answers and is asked for again when it
/// ends. Without a session it may be the stream of 2024-11-05, on which all answers come.
fn is_own_stream(request: &Request<Incoming>) -> bool {
    request.method() == Method::GET && request.headers().contains_key(SESSION_ID)
}
