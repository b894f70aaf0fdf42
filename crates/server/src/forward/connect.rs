//! The way to a server: where it is, whether it may be gone to, and the bytes' way there.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use keybearer_model::reach::Reach;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::client::TlsStream;
use url::{Host, Url};

/// How long connecting may take, TLS included.
const CONNECT_LIMIT: std::time::Duration = std::time::Duration::from_secs(10);

/// The bytes' way to a server.
pub(super) enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Why there is no connection.
pub(super) enum ConnectError {
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

impl Wire {
    /// Connects to the origin of `url`.
    pub(super) async fn open(url: &Url, tls: &Arc<rustls::ClientConfig>) -> Result<Self, ConnectError> {
        let connecting = tokio::time::timeout(CONNECT_LIMIT, connect(url, tls));
        connecting.await.unwrap_or_else(|_| Err("no answer in 10 seconds".into()))
    }

    /// Whether what it takes goes out as it is: of TLS nobody knows how much the other side can read already.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
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
