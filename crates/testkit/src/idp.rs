//! `FakeIdp`: an authorization server with opinions, on a port of its own.
//!
//! RFC 8414 and OpenID metadata, dynamic registration, a sign-in page and a consent page, code with PKCE, resource
//! indicators compared byte by byte, rotation with replay detection, revocation, introspection, signed ID tokens.
//! What an RFC forbids is refused here. Absent: TLS, userinfo, the implicit and the password grant.

mod authorize;
mod book;
mod client_auth;
mod dials;
mod form;
mod gate;
mod keys;
pub(crate) mod mint;
mod page;
mod register;
mod revoke;
mod token;
mod wellknown;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use http::{HeaderValue, header};
use keybearer_core::ports::Clock;
use tokio::sync::watch;

pub use self::book::{Account, TokenFacts};
pub use self::dials::{Counts, IdTokens, IssParameter, PushedRequests, RefreshTokens, WaysBack};
pub use self::gate::Held;
use crate::serving::{self, Serving};

/// How long anybody waits here for something that should happen at once.
const PATIENCE: Duration = Duration::from_secs(20);

/// An authorization server on loopback, running while this value lives.
pub struct FakeIdp {
    desk: Arc<Desk>,
    _serving: Serving,
}

/// What every endpoint of the issuer shares.
struct Desk {
    issuer: String,
    name: String,
    clock: Arc<dyn Clock>,
    signer: keys::Signer,
    gate: gate::Gate,
    counts: watch::Sender<Counts>,
    // Endpoints answer in parallel and each needs the whole book for one short step: a lock is the shorter way to an owner.
    book: Mutex<book::Book>,
    dials: Mutex<dials::Dials>,
}

impl Desk {
    fn book(&self) -> MutexGuard<'_, book::Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dials(&self) -> MutexGuard<'_, dials::Dials> {
        self.dials.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, add: impl FnOnce(&mut Counts)) {
        self.counts.send_modify(add);
    }
}

/// Every answer carries the time of the issuer's clock; a server would put the machine's there.
async fn dated(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let now = jiff::Timestamp::from_millisecond(desk.clock.now().as_millis()).unwrap_or_default();
    let date = HeaderValue::from_str(&now.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    response.headers_mut().extend(date.ok().map(|date| (header::DATE, date)));
    response
}

/// Sends those who hand in what is secret to where a test says.
async fn redirecting(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let redirect = desk.dials().redirect.clone();
    let secret = ["/token", "/register", "/revoke"].contains(&request.uri().path());
    match redirect
        .filter(|_| secret)
        .map(|(status, to)| Response::builder().status(status).header(header::LOCATION, to))
    {
        Some(redirect) => redirect.body(Body::empty()).unwrap_or_default(),
        None => next.run(request).await,
    }
}

impl FakeIdp {
    /// Starts an issuer that calls itself `name` on its pages and reads the time from `clock`.
    pub async fn start(name: &str, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (listener, address) = serving::bind().await?;
        let desk = Arc::new(Desk {
            issuer: format!("http://{address}"),
            name: name.to_owned(),
            clock,
            signer: keys::Signer::mint()?,
            gate: gate::Gate::default(),
            counts: watch::Sender::default(),
            book: Mutex::default(),
            dials: Mutex::default(),
        });
        let router = Router::new()
            .route("/.well-known/oauth-authorization-server", get(wellknown::metadata))
            .route("/.well-known/openid-configuration", get(wellknown::metadata))
            .route("/jwks", get(wellknown::jwks))
            .route("/register", post(register::register))
            .route("/authorize", get(authorize::authorize))
            .route("/par", post(authorize::push))
            .route("/signin", post(authorize::sign_in))
            .route("/consent", post(authorize::consent))
            .route("/token", post(token::token))
            .route("/revoke", post(revoke::revoke))
            .route("/introspect", post(revoke::introspect))
            .layer(middleware::from_fn_with_state(Arc::clone(&desk), redirecting))
            .layer(middleware::from_fn_with_state(Arc::clone(&desk), dated))
            .with_state(Arc::clone(&desk));
        Ok(Self { desk, _serving: Serving::start(listener, router) })
    }

    /// The issuer's identifier, without a slash at its end.
    pub fn issuer(&self) -> &str {
        &self.desk.issuer
    }

    /// Makes an account whose password is minted now.
    pub fn add_account(&self, user: &str, name: &str, email: &str) -> io::Result<Account> {
        let account = Account {
            user: user.to_owned(),
            name: name.to_owned(),
            email: email.to_owned(),
            password: mint::password()?,
        };
        self.desk.book().accounts.push(account.clone());
        Ok(account)
    }

    /// Makes `resource` one that tokens can be asked for, with the scopes that it knows.
    pub fn protect(&self, resource: &str, scopes: &[&str]) -> Verifier {
        let scopes = scopes.iter().map(|&scope| scope.to_owned()).collect();
        self.desk.book().resources.insert(resource.to_owned(), scopes);
        Verifier { desk: Arc::clone(&self.desk), resource: resource.to_owned() }
    }

    /// Registers a confidential client by hand; returns its secret. It authenticates with HTTP Basic.
    pub fn pre_register(&self, client_id: &str, redirect_uri: &str) -> io::Result<String> {
        let secret = mint::secret("cs")?;
        self.desk.book().clients.insert(
            client_id.to_owned(),
            book::Client {
                name: client_id.to_owned(),
                secret: Some(secret.clone()),
                auth: book::ClientAuth::Basic,
                redirect_uris: vec![redirect_uri.to_owned()],
                grant_types: vec!["authorization_code".to_owned(), "refresh_token".to_owned()],
            },
        );
        Ok(secret)
    }

    /// A bearer of `account` for the verifier's resource, as if somebody had signed in: for direct connections.
    pub fn bearer(&self, account: &Account, verifier: &Verifier) -> io::Result<String> {
        let mut book = self.desk.book();
        let scopes = book.resources.get(&verifier.resource).cloned().unwrap_or_default();
        let (family, token) = (book.families.len(), mint::secret("at")?);
        book.families.push(book::Family {
            began: self.desk.clock.boot(),
            revoked: false,
            client_id: "direct".to_owned(),
            user: account.user.clone(),
            resource: verifier.resource.clone(),
            scopes: scopes.clone(),
        });
        let ends = self.desk.clock.boot() + self.desk.dials().token_lifetime;
        book.access.insert(token.clone(), book::Access { family, scopes, ends, revoked: false });
        Ok(token)
    }

    /// How many access tokens are good for the verifier's resource now.
    pub fn live_tokens(&self, verifier: &Verifier) -> usize {
        let (book, now) = (self.desk.book(), self.desk.clock.boot());
        book.access.keys().filter(|token| book.judge(token, &verifier.resource, now).is_ok()).count()
    }

    /// What has happened so far.
    pub fn counts(&self) -> Counts {
        *self.desk.counts.borrow()
    }

    /// Waits until the counts are as `met` says, and returns them; fails after twenty seconds.
    pub async fn until(&self, met: impl FnMut(&Counts) -> bool) -> io::Result<Counts> {
        let mut counts = self.desk.counts.subscribe();
        let waiting = tokio::time::timeout(PATIENCE, counts.wait_for(met)).await;
        match waiting {
            Ok(Ok(counts)) => Ok(*counts),
            Ok(Err(closed)) => Err(io::Error::other(closed)),
            Err(_late) => Err(io::Error::new(io::ErrorKind::TimedOut, format!("still {:?}", self.counts()))),
        }
    }

    /// Every ID token issued so far: they are signed text in which no canary can be written.
    pub fn id_tokens(&self) -> Vec<String> {
        self.desk.book().id_tokens.clone()
    }
}

/// Judges bearers for one resource, as a server that trusts this issuer does.
#[derive(Clone)]
pub struct Verifier {
    desk: Arc<Desk>,
    resource: String,
}

impl Verifier {
    /// The issuer's identifier.
    pub fn issuer(&self) -> &str {
        &self.desk.issuer
    }

    /// The resource, byte for byte as tokens name it.
    pub fn resource(&self) -> &str {
        &self.resource
    }

    /// Whose token this is, if it is good for this resource now.
    pub fn judge(&self, token: &str) -> Result<TokenFacts, BadToken> {
        self.desk.book().judge(token, &self.resource, self.desk.clock.boot())
    }
}

/// Why a bearer is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// This issuer never gave it.
    #[error("unknown token")]
    Unknown,
    /// Its time is over.
    #[error("expired token")]
    Expired,
    /// It was revoked, or its family was.
    #[error("revoked token")]
    Revoked,
    /// It is for another resource.
    #[error("token for another resource")]
    WrongAudience,
}
