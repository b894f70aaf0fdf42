//! Stage 7 of a call: the judged bytes go upstream with the credential of a permit, and the answer comes back.

mod body;
mod chunks;
mod connect;
mod head;
mod line;
mod pool;
mod relay;
mod route;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use http::{Method, Response, StatusCode};
use keybearer_core::admission::{Permit, Refusal, StepUp};
use keybearer_core::keeper::CredentialError;
use keybearer_model::name::ServerName;
use url::Url;

use self::connect::ConnectError;
use self::head::Head;
use self::line::{Line, SendError};
use self::pool::Pool;
pub(crate) use self::relay::{BrokenOff, Relay};
use self::route::{Message, Route};

/// A call is sent again at most this often, each time after a definite refusal (ARCHITECTURE.md, rule 9).
const MOST_TRIES: usize = 3;

/// So many spare maps at most, each for so many fields at most.
const MOST_SPARE: usize = 64;
const MOST_ROOM: usize = 64;

/// Sends calls upstream and keeps lines open for the next ones. It belongs to one event loop, as its lines do.
pub(crate) struct Forwarder {
    // Held for a look-up, never across an await.
    known: Mutex<Known>,
    /// Empty maps for the fields of answers. Held for a push or a pop.
    spare: Mutex<Vec<HeaderMap>>,
    tls: Arc<rustls::ClientConfig>,
}

/// What has been used so far.
#[derive(Default)]
struct Known {
    /// By origin.
    pools: HashMap<String, Arc<Pool>>,
    /// To where each server was last.
    routes: HashMap<ServerName, Arc<Route>>,
}

/// What goes upstream, besides the credential: fields that passed the allow list, and the bytes that were judged.
pub(crate) struct Outgoing<'a> {
    pub(crate) method: Method,
    /// The client's own fields as they came: those go on that pass.
    pub(crate) client: Option<Passing<'a>>,
    /// Others, which go before any of the client's under the same name.
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Fields of which some go on.
pub(crate) struct Passing<'a> {
    pub(crate) headers: &'a HeaderMap,
    pub(crate) passes: fn(&HeaderName) -> bool,
}

impl Outgoing<'_> {
    fn fields(&self) -> impl Iterator<Item = (&HeaderName, &HeaderValue)> {
        let client = self.client.iter().flat_map(|client| {
            client.headers.iter().filter(|(name, _)| (client.passes)(name) && !self.headers.contains_key(*name))
        });
        client.chain(&self.headers)
    }
}

impl Forwarder {
    pub(crate) fn new(tls: Arc<rustls::ClientConfig>) -> Self {
        Self { known: Mutex::default(), spare: Mutex::default(), tls }
    }

    /// One like this for another event loop, with no line yet.
    pub(crate) fn another(&self) -> Self {
        Self::new(Arc::clone(&self.tls))
    }

    /// Sends a call and returns the head of its answer with the body still to come. Where the upstream refuses the
    /// credential, another is obtained, and the call is sent again.
    ///
    /// # Errors
    /// A refusal, already recorded.
    pub(crate) async fn forward(&self, permit: Permit, outgoing: &Outgoing<'_>) -> Result<Response<Relay>, Refusal> {
        match self.route(permit.server(), permit.upstream().as_url()) {
            Ok(route) => self.forward_along(route, permit, outgoing).await,
            Err(cause) => Err(permit.refused(Refusal::Unreachable(cause))),
        }
    }

    /// The same to another address of the server's origin.
    ///
    /// # Errors
    /// A refusal, already recorded.
    pub(crate) async fn forward_to(
        &self,
        url: &Url,
        permit: Permit,
        outgoing: &Outgoing<'_>,
    ) -> Result<Response<Relay>, Refusal> {
        let pool = self.known().pool(url);
        match Route::to(url.clone(), pool) {
            Ok(route) => self.forward_along(Arc::new(route), permit, outgoing).await,
            Err(cause) => Err(permit.refused(Refusal::Unreachable(cause))),
        }
    }

    async fn forward_along(
        &self,
        mut route: Arc<Route>,
        mut permit: Permit,
        outgoing: &Outgoing<'_>,
    ) -> Result<Response<Relay>, Refusal> {
        permit.watch_sent(&outgoing.body);
        for attempt in 1..=MOST_TRIES {
            let message = Message { route: &route, permit: &permit, outgoing };
            let (answer, line) = match self.exchange(&message).await {
                Ok(exchanged) => exchanged,
                Err(refusal) => return Err(permit.refused(refusal)),
            };
            permit.watch_answer(answer.status.as_u16());
            match answer.status {
                StatusCode::UNAUTHORIZED => match permit.renew(&answer.headers).await {
                    Ok(()) => continue,
                    Err(error) => return Err(permit.refused(error.into())),
                },
                StatusCode::FORBIDDEN if attempt < MOST_TRIES => match permit.step_up(&answer.headers).await {
                    Ok(StepUp::Further) => continue,
                    Ok(StepUp::LastWord) => {}
                    Err(error) => return Err(permit.refused(error.into())),
                },
                status if status.is_redirection() => match self.followed(&route.url, &answer) {
                    Ok(target) => {
                        route = target;
                        continue;
                    }
                    Err(cause) => return Err(permit.refused(Refusal::Unreachable(cause))),
                },
                _ => {}
            }
            if answer.status.is_success() {
                permit.accepted();
            }
            let relay = Relay::new(line, Arc::clone(&route.pool), permit, answer.status.as_u16());
            let mut response = Response::new(relay);
            (*response.status_mut(), *response.headers_mut()) = (answer.status, answer.headers);
            return Ok(response);
        }
        Err(permit.refused(CredentialError::RefusedByServer.into()))
    }

    /// Takes the map of a request's fields that has done its duty, for those of a later answer. What HTTP reads the next
    /// request into is this answer's: so the maps go round, and a call needs no new one.
    pub(crate) fn spare(&self, mut fields: HeaderMap) {
        if fields.capacity() > MOST_ROOM {
            return;
        }
        fields.clear();
        let mut spare = self.spare.lock().unwrap_or_else(PoisonError::into_inner);
        if spare.len() < MOST_SPARE {
            spare.push(fields);
        }
    }

    fn empty_map(&self) -> HeaderMap {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or_default()
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The way to a server, which is at `url` now.
    fn route(&self, server: &ServerName, url: &Url) -> Result<Arc<Route>, String> {
        let mut known = self.known();
        if let Some(route) = known.routes.get(server).filter(|route| route.url == *url) {
            return Ok(Arc::clone(route));
        }
        let route = Arc::new(Route::to(url.clone(), known.pool(url))?);
        known.routes.insert(server.clone(), Arc::clone(&route));
        Ok(route)
    }

    /// The way to where a redirect leads.
    fn followed(&self, url: &Url, answer: &Head) -> Result<Arc<Route>, String> {
        let target = same_origin_target(url, answer).ok_or("it redirects to another place")?;
        let pool = self.known().pool(&target);
        Route::to(target, pool).map(Arc::new)
    }

    async fn exchange(&self, message: &Message<'_>) -> Result<(Head, Box<Line>), Refusal> {
        while let Some(mut line) = message.route.pool.take() {
            if !line.is_ready().await {
                continue;
            }
            match line.send(message, self.empty_map()).await {
                Ok(answer) => return Ok((answer, line)),
                Err(SendError::NotSent) => {}
                Err(SendError::Interrupted(cause)) => return Err(Refusal::Interrupted(cause)),
            }
        }
        let mut line = Line::open(&message.route.url, &self.tls).await.map_err(|error| match error {
            ConnectError::Unreachable(cause) => Refusal::Unreachable(cause),
            ConnectError::NotTrusted(cause) => Refusal::NotTrusted(cause),
        })?;
        match line.send(message, self.empty_map()).await {
            Ok(answer) => Ok((answer, line)),
            Err(SendError::NotSent) => Err(Refusal::Unreachable("it hung up at once".into())),
            Err(SendError::Interrupted(cause)) => Err(Refusal::Interrupted(cause)),
        }
    }
}

impl Known {
    /// The lines to the origin of `url`.
    fn pool(&mut self, url: &Url) -> Arc<Pool> {
        let origin = &url[..url::Position::BeforePath];
        match self.pools.get(origin) {
            Some(pool) => Arc::clone(pool),
            None => Arc::clone(self.pools.entry(origin.to_owned()).or_default()),
        }
    }
}

/// Where a redirect leads, if it keeps method and body (307, 308) and stays at the origin that the credential is for.
fn same_origin_target(url: &Url, answer: &Head) -> Option<Url> {
    if !matches!(answer.status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT) {
        return None;
    }
    let target = url.join(answer.headers.get(LOCATION)?.to_str().ok()?).ok()?;
    (target.origin() == url.origin() && target.username().is_empty() && target.password().is_none()).then_some(target)
}
