//! The one-shot way back from the browser: `http://127.0.0.1:PORT/callback`, open for one sign-in (RFC 8252 §7.3).

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{HOST, HeaderMap};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::page::{Page, bare};

/// How long the browser is kept waiting for how it ended.
const HELD: Duration = Duration::from_secs(30);
/// How long the head of a request may take.
const HEAD: Duration = Duration::from_secs(5);
/// How long the last answers may take to leave.
const LEAVING: Duration = Duration::from_secs(2);
/// The longest query: codes and states of some issuers take several thousand characters.
const LONGEST: usize = 8 * 1024;
/// The largest head of a request.
const LARGEST: usize = 32 * 1024;
/// How many ports are tried until one is free on both.
const PORTS: usize = 16;
/// How many connections may be open: a browser opens a few ahead.
const CONNECTIONS: usize = 16;

/// A way back that is open. Dropped, it closes, and the browser reads that nobody signed in.
pub(super) struct WayBack {
    port: u16,
    hits: mpsc::Receiver<Hit>,
    /// The browser that waits for the verdict on the redirect that was handed out last.
    waiting: Option<oneshot::Sender<Page>>,
    open: watch::Sender<()>,
    doorkeepers: Vec<JoinHandle<()>>,
}

/// One redirect that arrived, and where its answer goes.
struct Hit {
    query: String,
    answer: oneshot::Sender<Page>,
}

/// What every connection needs.
struct Desk {
    /// By its address, and by the machine's name: some issuers register only that.
    hosts: [String; 2],
    hits: mpsc::Sender<Hit>,
}

impl WayBack {
    pub(super) async fn open() -> io::Result<Self> {
        let listeners = listen().await?;
        let port = listeners.first().ok_or(io::ErrorKind::AddrNotAvailable)?.local_addr()?.port();
        let (arrived, hits) = mpsc::channel(CONNECTIONS);
        let (open, closing) = watch::channel(());
        let hosts = [format!("127.0.0.1:{port}"), format!("localhost:{port}")];
        let desk = Arc::new(Desk { hosts, hits: arrived });
        let keep = |listener| tokio::spawn(keep_door(listener, Arc::clone(&desk), closing.clone()));
        let doorkeepers = listeners.into_iter().map(keep).collect();
        Ok(Self { port, hits, waiting: None, open, doorkeepers })
    }

    pub(super) fn redirect_uri(&self) -> String {
        format!("http://127.0.0.1:{}/callback", self.port)
    }

    /// The query of the next redirect. Asking for another one is the verdict on the one before: it did not belong here.
    pub(super) async fn next(&mut self) -> Option<String> {
        self.verdict(Page::Stray);
        let hit = self.hits.recv().await?;
        self.waiting = Some(hit.answer);
        Some(hit.query)
    }

    /// Shows `page` to the browser that waits, and returns when the last byte has left or two seconds are over.
    pub(super) async fn close(mut self, page: Page) {
        self.verdict(page);
        while let Ok(hit) = self.hits.try_recv() {
            let _ = hit.answer.send(Page::Stray);
        }
        drop(self.open);
        for doorkeeper in self.doorkeepers {
            let _ = doorkeeper.await;
        }
    }

    fn verdict(&mut self, page: Page) {
        if let Some(browser) = self.waiting.take() {
            // It may have gone away meanwhile.
            let _ = browser.send(page);
        }
    }
}

/// Listens on 127.0.0.1, and at the same port on ::1 where the machine has that: browsers look for the machine's name on
/// both, and nobody else shall answer there.
async fn listen() -> io::Result<Vec<TcpListener>> {
    for _try in 0..PORTS {
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        match TcpListener::bind((Ipv6Addr::LOCALHOST, first.local_addr()?.port())).await {
            Ok(second) => return Ok(vec![first, second]),
            Err(cause) if cause.kind() == io::ErrorKind::AddrInUse => {}
            // No IPv6.
            Err(_) => return Ok(vec![first]),
        }
    }
    Err(io::ErrorKind::AddrInUse.into())
}

async fn keep_door(listener: TcpListener, desk: Arc<Desk>, mut closing: watch::Receiver<()>) {
    let mut open = JoinSet::new();
    loop {
        tokio::select! {
            biased;
            _ = closing.changed() => break,
            Some(_) = open.join_next() => {}
            accepted = listener.accept(), if open.len() < CONNECTIONS => match accepted {
                Ok((stream, _)) => drop(open.spawn(converse(stream, Arc::clone(&desk), closing.clone()))),
                // Out of descriptors, most likely: others must end something first.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(LEAVING, async { while open.join_next().await.is_some() {} }).await;
}

async fn converse(stream: TcpStream, desk: Arc<Desk>, mut closing: watch::Receiver<()>) {
    let service = service_fn(|request| {
        let desk = Arc::clone(&desk);
        async move { Ok::<_, Infallible>(answer(&desk, request).await) }
    });
    let mut server = http1::Builder::new();
    server.timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(LARGEST).keep_alive(false);
    let mut connection = pin!(server.serve_connection(TokioIo::new(stream), service));
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = closing.changed() => connection.as_mut().graceful_shutdown(),
    }
    // A connection that ends in an error has nobody left to tell it to.
    let _ = connection.await;
}

async fn answer(desk: &Desk, request: Request<Incoming>) -> Response<Full<Bytes>> {
    if let Err(status) = admit(desk, &request) {
        return bare(status);
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (answer, verdict) = oneshot::channel();
    let held = async {
        desk.hits.send(Hit { query, answer }).await.ok()?;
        verdict.await.ok()
    };
    match tokio::time::timeout(HELD, held).await {
        Ok(Some(page)) => page.response(),
        Ok(None) => Page::NotSignedIn.response(),
        Err(_) => Page::Working.response(),
    }
}

fn admit(desk: &Desk, request: &Request<Incoming>) -> Result<(), StatusCode> {
    if !only(request.headers(), HOST.as_str(), |host| desk.hosts.iter().any(|own| own.as_bytes() == host)) {
        return Err(StatusCode::MISDIRECTED_REQUEST);
    }
    if request.uri().path() != "/callback" {
        return Err(StatusCode::NOT_FOUND);
    }
    if request.method() != Method::GET {
        return Err(StatusCode::METHOD_NOT_ALLOWED);
    }
    // A redirect is a navigation; an image, a frame or a script of some other page is not.
    let headers = request.headers();
    if headers.contains_key("sec-fetch-dest") && !only(headers, "sec-fetch-dest", |dest| dest == b"document") {
        return Err(StatusCode::FORBIDDEN);
    }
    if request.uri().query().is_some_and(|query| query.len() > LONGEST) {
        return Err(StatusCode::URI_TOO_LONG);
    }
    Ok(())
}

/// Whether a header is there exactly once and as it must be.
fn only(headers: &HeaderMap, name: &str, good: impl Fn(&[u8]) -> bool) -> bool {
    let mut values = headers.get_all(name).iter();
    values.next().is_some_and(|value| good(value.as_bytes())) && values.next().is_none()
}
