//! Small requests to issuers, guarded: no redirect is followed, nothing large is read, and no address is reached that
//! lies nearer than the server on whose behalf it is asked (SEC-20).

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hyper_util::client::proxy::matcher::Matcher;
use keybearer_core::ports::{Http, HttpError};
use keybearer_model::reach::Reach;
use url::Url;

mod failure;
mod guard;

use crate::tls::{self, NoTls};

/// How long a whole exchange may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a connection may take: shorter, so that a host that swallows packets is known to have received nothing.
const CONNECT_PATIENCE: Duration = Duration::from_secs(7);
/// The largest answer that is read.
const LARGEST: usize = 1 << 20;

/// The core's `Http` port on this machine's network.
#[derive(Debug)]
pub struct PlainHttp {
    proxies: Matcher,
    /// Through the proxy, which resolves the names.
    proxied: reqwest::Client,
    /// One for each reach: connections of one are never used for another.
    direct: [(Reach, reqwest::Client); 3],
    names: Arc<guard::Names>,
}

impl PlainHttp {
    /// Reads the system's trust and its proxy settings.
    pub fn new() -> Result<Self, NoHttp> {
        let mut tls = (*tls::client_config()?).clone();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let builder = || {
            reqwest::Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .redirect(reqwest::redirect::Policy::none())
                .referer(false)
                .retry(reqwest::retry::never())
                // After sleep or a change of network an idle connection is dead, and of what is sent over it nobody
                // knows whether it arrived: a refresh token may be spent by that. Each question has a connection anew.
                .pool_max_idle_per_host(0)
                .timeout(PATIENCE)
                .connect_timeout(CONNECT_PATIENCE)
                .user_agent(concat!("keybearer/", env!("CARGO_PKG_VERSION")))
        };
        let names = Arc::default();
        let direct = |reach| {
            let client = builder().no_proxy().dns_resolver(guard::Resolver::new(&names, reach)).build()?;
            Ok::<_, NoHttp>((reach, client))
        };
        Ok(Self {
            proxies: Matcher::from_system(),
            proxied: builder().build()?,
            direct: [direct(Reach::Public)?, direct(Reach::Private)?, direct(Reach::Loopback)?],
            names,
        })
    }

    /// The client that may send this request, or why none may.
    async fn client(&self, request: &http::Request<Vec<u8>>, url: &Url) -> Result<&reqwest::Client, guard::Refused> {
        let near = Reach::of_url(url);
        // The same rule as reqwest's own for the system's proxies; this machine itself is never asked through one.
        let proxied = near != Reach::Loopback && self.proxies.intercept(request.uri()).is_some();
        let within = guard::allowed(url, request.extensions().get(), (!proxied).then_some(&*self.names)).await;
        guard::check(url, near, within)?;
        if proxied {
            return Ok(&self.proxied);
        }
        let found = self.direct.iter().find(|(reach, _)| *reach == within);
        found.map(|(_, client)| client).ok_or(guard::Refused::Never)
    }
}

#[async_trait]
impl Http for PlainHttp {
    async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, HttpError> {
        let unusable = |cause: String| HttpError::Unreachable { host: failure::host_of(request.uri()), cause };
        let url = Url::parse(&request.uri().to_string()).map_err(|cause| unusable(cause.to_string()))?;
        let host = failure::host_of(request.uri());
        let client = self.client(&request, &url).await;
        let client =
            client.map_err(|refused| HttpError::Forbidden { host: host.clone(), cause: refused.to_string() })?;
        let request = reqwest::Request::try_from(request).map_err(|cause| failure::translated(&host, cause))?;
        let answer = client.execute(request).await.map_err(|cause| failure::translated(&host, cause))?;
        read(&host, answer).await
    }
}

async fn read(host: &str, mut answer: reqwest::Response) -> Result<http::Response<Vec<u8>>, HttpError> {
    let too_large = || HttpError::Interrupted { host: host.to_owned(), cause: "it is larger than 1 MiB".into() };
    let mut body = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(|cause| failure::translated(host, cause))? {
        if body.len() + piece.len() > LARGEST {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    let mut response = http::Response::new(body);
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

/// HTTP cannot be spoken on this machine.
#[derive(Debug, thiserror::Error)]
pub enum NoHttp {
    /// For want of TLS.
    #[error(transparent)]
    Tls(#[from] NoTls),
    /// The system's settings cannot be used.
    #[error("http cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

#[cfg(test)]
mod tests;
