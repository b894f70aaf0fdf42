//! One connection to an upstream. It is driven by the task that uses it: no second task, no wake-ups between two.

use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest, handshake};
use hyper_util::rt::TokioIo;
use keybearer_model::reach::Reach;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

/// How long connecting may take, TLS included.
const CONNECT_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// The bytes' way to an upstream.
pub(crate) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

type Driver = Pin<Box<Connection<TokioIo<Wire>, Full<Bytes>>>>;

/// A connection that can carry one request at a time.
pub(crate) struct Line {
    sender: SendRequest<Full<Bytes>>,
    /// Absent once the connection has ended: it must not be polled again.
    driver: Option<Driver>,
}

/// Why a request got no answer.
pub(crate) enum SendError {
    /// Not a byte of it was sent: it can go over another line.
    NotSent(Box<Request<Full<Bytes>>>),
    /// It may have arrived: it must not be sent again.
    Interrupted(String),
}

/// Why there is no connection.
pub(crate) enum ConnectError {
    /// Nobody answers, or not as they should.
    Unreachable(String),
    /// The certificate is not trusted, for this reason.
    NotTrusted(String),
}

impl From<String> for ConnectError {
    fn from(cause: String) -> Self {
        Self::Unreachable(cause)
    }
}

impl From<&str> for ConnectError {
    fn from(cause: &str) -> Self {
        Self::Unreachable(cause.to_owned())
    }
}

impl Line {
    /// Connects to the origin of `url`.
    pub(crate) async fn open(url: &Url, tls: &Arc<rustls::ClientConfig>) -> Result<Self, ConnectError> {
        let connecting = async {
            let wire = connect(url, tls).await?;
            let (sender, driver) = handshake(TokioIo::new(wire)).await.map_err(|error| error.to_string())?;
            Ok(Self { sender, driver: Some(Box::pin(driver)) })
        };
        tokio::time::timeout(CONNECT_LIMIT, connecting).await.unwrap_or_else(|_| Err("no answer in 10 seconds".into()))
    }

    /// Lets the connection do what it can do now.
    pub(crate) fn drive(&mut self, context: &mut Context<'_>) {
        if let Some(driver) = &mut self.driver
            && driver.as_mut().poll(context).is_ready()
        {
            self.driver = None;
        }
    }

    /// Whether it can carry a request now; false when the upstream has hung up.
    pub(crate) async fn is_ready(&mut self) -> bool {
        poll_fn(|context| {
            self.drive(context);
            if self.driver.is_none() {
                Poll::Ready(false)
            } else {
                self.sender.poll_ready(context).map(|ready| ready.is_ok())
            }
        })
        .await
    }

    /// Sends a request and waits for the head of its answer.
    pub(crate) async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, SendError> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let driver = &mut self.driver;
        let result = poll_fn(|context| {
            if let Some(connection) = driver
                && connection.as_mut().poll(context).is_ready()
            {
                *driver = None;
            }
            answer.as_mut().poll(context)
        })
        .await;
        match result {
            // The line is no HTTP from here on, and nobody asked for anything else.
            Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => {
                Err(SendError::Interrupted("it changes the protocol unasked".into()))
            }
            Ok(answer) => Ok(answer),
            Err(mut error) => Err(match error.take_message() {
                Some(request) => SendError::NotSent(Box::new(request)),
                None => SendError::Interrupted(plain_cause(error.error())),
            }),
        }
    }
}

async fn connect(url: &Url, tls: &Arc<rustls::ClientConfig>) -> Result<Wire, ConnectError> {
    let port = url.port_or_known_default().ok_or("no port")?;
    let host = url.host().ok_or("no host")?;
    let stream = TcpStream::connect(&*places(&host, port).await?).await.map_err(|error| io_cause(&error))?;
    let _ = stream.set_nodelay(true);
    if url.scheme() == "http" {
        return Ok(Wire::Plain(stream));
    }
    let name = match host {
        Host::Domain(name) => {
            ServerName::try_from(name.to_owned()).map_err(|_| "its name cannot be in a certificate")?
        }
        Host::Ipv4(address) => ServerName::from(std::net::IpAddr::from(address)),
        Host::Ipv6(address) => ServerName::from(std::net::IpAddr::from(address)),
    };
    let connector = tokio_rustls::TlsConnector::from(Arc::clone(tls));
    let stream = connector.connect(name, stream).await.map_err(|error| tls_cause(&error))?;
    Ok(Wire::Tls(Box::new(stream)))
}

/// Where a host is. A URL that a person or IT typed may be private; link-local and a cloud's metadata nobody may be sent
/// to (SEC-20). What is judged is what is connected to.
async fn places(host: &Host<&str>, port: u16) -> Result<Vec<SocketAddr>, ConnectError> {
    let places = match host {
        Host::Domain(name) => lookup_host((*name, port)).await.map_err(|error| io_cause(&error))?.collect(),
        Host::Ipv4(address) => vec![SocketAddr::from((*address, port))],
        Host::Ipv6(address) => vec![SocketAddr::from((*address, port))],
    };
    if places.iter().any(|place| Reach::of_address(place.ip()) == Reach::Never) {
        return Err("its address is link-local, reserved or a cloud's metadata".into());
    }
    Ok(places)
}

fn io_cause(error: &io::Error) -> String {
    let kind = error.kind();
    if kind == io::ErrorKind::ConnectionRefused {
        return "nothing listens there".into();
    }
    if kind == io::ErrorKind::TimedOut { "no answer".into() } else { error.to_string() }
}

/// rustls' own words, which name what is wrong with a certificate.
fn tls_cause(error: &io::Error) -> ConnectError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(cause)) => ConnectError::NotTrusted(cause.to_string()),
        Some(other) => format!("no secure connection: {other}").into(),
        None => format!("no secure connection: {error}").into(),
    }
}

fn plain_cause(error: &hyper::Error) -> String {
    if error.is_incomplete_message() { "it hung up before it answered".into() } else { error.to_string() }
}

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Self::Tls(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
