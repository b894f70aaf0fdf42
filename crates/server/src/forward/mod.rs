//! Stage 7 of a call: the judged bytes go upstream with the credential of a permit, and the answer comes back.

mod line;
mod pool;
mod relay;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::header::{ACCEPT_ENCODING, HOST, HeaderMap, HeaderValue, LOCATION};
use http::{Method, Request, Response, StatusCode, Uri};
use http_body_util::Full;
use hyper::body::Incoming;
use keybearer_core::admission::{Permit, Refusal};
use keybearer_core::keeper::CredentialError;
use url::Url;

use self::line::{ConnectError, Line, SendError};
use self::pool::Pool;
pub(crate) use self::relay::{BrokenOff, Relay};

/// A call is sent again at most this often, each time after a definite refusal (ARCHITECTURE.md, rule 9).
const MOST_TRIES: usize = 3;

/// Sends calls upstream and keeps lines open for the next ones.
pub(crate) struct Forwarder {
    // Held for a look-up, never across an await.
    pools: Mutex<HashMap<String, Arc<Pool>>>,
    tls: Arc<rustls::ClientConfig>,
}

/// What goes upstream, besides the credential: headers that passed the allow list, and the bytes that were judged.
pub(crate) struct Outgoing {
    pub(crate) method: Method,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Forwarder {
    pub(crate) fn new(tls: Arc<rustls::ClientConfig>) -> Self {
        Self { pools: Mutex::default(), tls }
    }

    /// Sends a call and returns the head of its answer with the body still to come. Where the upstream refuses the
    /// credential, another is obtained, and the call is sent again.
    ///
    /// # Errors
    /// A refusal, already recorded.
    pub(crate) async fn forward(&self, mut permit: Permit, outgoing: &Outgoing) -> Result<Response<Relay>, Refusal> {
        let mut url = permit.upstream().as_url().clone();
        for _ in 0..MOST_TRIES {
            let request = match request(&url, &permit, outgoing) {
                Ok(request) => request,
                Err(cause) => return Err(permit.refused(Refusal::Unreachable(cause))),
            };
            let pool = self.pool(&url);
            let (answer, line) = match self.exchange(&url, &pool, request).await {
                Ok(exchanged) => exchanged,
                Err(refusal) => return Err(permit.refused(refusal)),
            };
            if answer.status() == StatusCode::UNAUTHORIZED {
                if let Err(error) = permit.renew(answer.headers()).await {
                    return Err(permit.refused(error.into()));
                }
            } else if answer.status().is_redirection() {
                match same_origin_target(&url, &answer) {
                    Some(target) => url = target,
                    None => return Err(permit.refused(Refusal::Unreachable("it redirects to another place".into()))),
                }
            } else {
                let status = answer.status().as_u16();
                return Ok(answer.map(|incoming| Relay::new(incoming, line, pool, permit, status)));
            }
        }
        Err(permit.refused(CredentialError::RefusedByServer.into()))
    }

    fn pool(&self, url: &Url) -> Arc<Pool> {
        let origin = &url[..url::Position::BeforePath];
        let mut pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        match pools.get(origin) {
            Some(pool) => Arc::clone(pool),
            None => Arc::clone(pools.entry(origin.to_owned()).or_default()),
        }
    }

    async fn exchange(
        &self,
        url: &Url,
        pool: &Pool,
        mut request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Line), Refusal> {
        while let Some(mut line) = pool.take() {
            if !line.is_ready().await {
                continue;
            }
            match line.send(request).await {
                Ok(answer) => return Ok((answer, line)),
                Err(SendError::NotSent(unsent)) => request = *unsent,
                Err(SendError::Interrupted(cause)) => return Err(Refusal::Interrupted(cause)),
            }
        }
        let mut line = Line::open(url, &self.tls).await.map_err(|error| match error {
            ConnectError::Unreachable(cause) => Refusal::Unreachable(cause),
            ConnectError::NotTrusted(cause) => Refusal::NotTrusted(cause),
        })?;
        match line.send(request).await {
            Ok(answer) => Ok((answer, line)),
            Err(SendError::NotSent(_)) => Err(Refusal::Unreachable("it hung up at once".into())),
            Err(SendError::Interrupted(cause)) => Err(Refusal::Interrupted(cause)),
        }
    }
}

fn request(url: &Url, permit: &Permit, outgoing: &Outgoing) -> Result<Request<Full<Bytes>>, String> {
    let target: Uri = url[url::Position::BeforePath..url::Position::AfterQuery]
        .parse()
        .map_err(|_| "its address cannot be asked over HTTP".to_owned())?;
    let host = HeaderValue::from_str(&url[url::Position::BeforeHost..url::Position::AfterPort])
        .map_err(|_| "its name cannot be asked over HTTP".to_owned())?;
    let mut request = Request::new(Full::new(outgoing.body.clone()));
    *request.method_mut() = outgoing.method.clone();
    *request.uri_mut() = target;
    let mut headers = outgoing.headers.clone();
    headers.insert(HOST, host);
    // Answers are looked through for our own secrets, which compression would hide.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    permit.authorize(&mut headers);
    *request.headers_mut() = headers;
    Ok(request)
}

/// Where a redirect leads, if it keeps method and body (307, 308) and stays at the origin that the credential is for.
fn same_origin_target(url: &Url, answer: &Response<Incoming>) -> Option<Url> {
    if !matches!(answer.status(), StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
        return None;
    }
    let target = url.join(answer.headers().get(LOCATION)?.to_str().ok()?).ok()?;
    (target.origin() == url.origin() && target.username().is_empty() && target.password().is_none()).then_some(target)
}
