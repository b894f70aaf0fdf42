//! The five ports: what the core asks of the outside, each a narrow list of verbs with its failure contract.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keybearer_model::call::Call;
use keybearer_model::secret::Secret;
use keybearer_model::time::{BootTime, Timestamp};
use keybearer_model::verdict::AskReason;

/// The ports that a core is composed of.
#[derive(Clone)]
pub struct Ports {
    /// Where secrets are kept.
    pub keys: Arc<dyn KeyStore>,
    /// How issuers are asked.
    pub http: Arc<dyn Http>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where a person signs in: their own browser.
    pub browser: Arc<dyn LoginSurface>,
    /// Where a person signs in: the sign-in window, while a shell is attached that opens it.
    pub window: Arc<dyn LoginSurface>,
    /// Who answers questions.
    pub prompter: Arc<dyn Prompter>,
    /// A number from 0 to 1, another each time: it spreads those who try again.
    pub chance: Arc<dyn Fn() -> f64 + Send + Sync>,
}

/// Durable secret storage owned by the operating system.
///
/// Every call returns within ten seconds, with [`KeyStoreError::Timeout`] at the latest, and never blocks the executor.
#[async_trait]
pub trait KeyStore: Send + Sync {
    /// Returns `Ok(None)` only if the entry certainly does not exist; a locked store is `Err(Locked)`.
    async fn get(&self, key: &str) -> Result<Option<Secret>, KeyStoreError>;
    /// Stores under `key`, replacing what was there. `Ok` means that the store has said it is kept.
    async fn put(&self, key: &str, secret: &Secret) -> Result<(), KeyStoreError>;
    /// Removes the entry; absent is `Ok`.
    async fn delete(&self, key: &str) -> Result<(), KeyStoreError>;
    /// What the store is, and whether it outlives this process.
    fn kind(&self) -> KeyStoreKind;
}

/// What kind of key store is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyStoreKind {
    /// The operating system's keychain.
    System,
    /// Memory only, because `config.toml` says so.
    MemoryByChoice,
    /// Memory only, because there is no keychain.
    MemoryForWant,
}

/// Why the key store did not do as asked, by what the caller does next.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyStoreError {
    /// It waits for the person to unlock it.
    #[error("the keychain is locked")]
    Locked,
    /// It did not answer in time.
    #[error("the keychain does not answer")]
    Timeout,
    /// The entry is there and is not whole: a write broke off.
    #[error("an entry of the keychain is not whole")]
    Torn,
    /// There is none, or it failed in its own way; the text is the system's, without secrets.
    #[error("the keychain failed: {0}")]
    Failed(String),
}

/// The clock of the machine.
pub trait Clock: Send + Sync {
    /// Wall-clock time: for people and records.
    fn now(&self) -> Timestamp;
    /// Time since the machine started, sleep included: for lifetimes.
    fn boot(&self) -> BootTime;
    /// When the day ends where the person is.
    fn midnight(&self) -> Timestamp;
    /// Time that the machine was awake since some moment that stays the same: what it lags behind [`Clock::boot`] was
    /// slept.
    fn awake(&self) -> Duration;
}

/// Asks issuers and metadata addresses. Requests are small and answers are bounded; nothing here streams.
#[async_trait]
pub trait Http: Send + Sync {
    /// Sends one request and reads the whole answer: at most 1 MiB and ten seconds, no redirect followed.
    async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, HttpError>;
}

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// No connection: nothing was sent.
    #[error("`{host}` cannot be reached: {cause}")]
    Unreachable {
        /// Whom.
        host: String,
        /// The system's words, without query strings.
        cause: String,
    },
    /// Nobody may be sent there (SEC-19, SEC-20): nothing was sent.
    #[error("`{host}` must not be asked: {cause}")]
    Forbidden {
        /// Whom.
        host: String,
        /// Why.
        cause: String,
    },
    /// The server's certificate is not trusted.
    #[error("the certificate of `{host}` is not trusted: {cause}")]
    Certificate {
        /// Whose.
        host: String,
        /// What is wrong with it.
        cause: String,
    },
    /// It was sent, and the answer did not come, broke off, or was too large: what it did there is unknown.
    #[error("the answer of `{host}` did not arrive: {cause}")]
    Interrupted {
        /// Whose.
        host: String,
        /// What happened.
        cause: String,
    },
}

/// Where a person signs in.
#[async_trait]
pub trait LoginSurface: Send + Sync {
    /// Whether anybody can be shown a page there now. What follows may fail all the same.
    fn is_there(&self) -> bool;
    /// Opens the way back before the sign-in begins, so that its address can be registered and sent.
    async fn prepare(&self) -> Result<Box<dyn PreparedSurface>, SurfaceError>;
}

/// A way back that is open and waits.
#[async_trait]
pub trait PreparedSurface: Send {
    /// The redirect URI of this sign-in.
    fn redirect_uri(&self) -> String;
    /// Whether a person may open the page by hand, in any browser, and comes back here all the same.
    fn takes_any_browser(&self) -> bool;
    /// Shows `authorization_url` to the person (browser or window) and returns at once.
    async fn present(&mut self, authorization_url: &str) -> Result<(), SurfaceError>;
    /// Waits for the next redirect and returns its query string. Ones that do not belong to this sign-in may come too:
    /// the caller judges, and calls again.
    async fn callback(&mut self) -> Result<String, SurfaceError>;
    /// Tells the person in the same place how it ended. Consumes the way back: it is closed afterwards.
    async fn finish(self: Box<Self>, ending: SurfaceEnding);
}

/// How a sign-in ended, for the page that the person is looking at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SurfaceEnding {
    /// Signed in.
    SignedIn,
    /// Not signed in; the app says why.
    Failed,
}

/// Why a person cannot be shown a sign-in.
#[derive(Debug, thiserror::Error)]
pub enum SurfaceError {
    /// No browser could be opened; the person can open the address by hand.
    #[error("no browser could be opened")]
    NoBrowser,
    /// The way back could not be opened, or broke.
    #[error("the way back from the browser could not be opened: {0}")]
    NoWayBack(String),
    /// No sign-in window could be opened, for this reason; the browser can do instead.
    #[error("no sign-in window could be opened: {0}")]
    NoWindow(String),
    /// The person closed the window.
    #[error("the sign-in window was closed")]
    Closed,
    /// The person wants the browser, or the issuer's pages do not work in the window: begin anew there.
    #[error("the sign-in goes on in the browser")]
    GoOnInBrowser,
    /// The certificate of a host that the sign-in led to is not trusted.
    #[error("the certificate of `{0}` is not trusted")]
    Untrusted(String),
    /// An address that must not be opened.
    #[error("the sign-in page's address cannot be opened")]
    RefusedUrl,
}

/// A question to the person.
#[derive(Clone, Debug)]
pub struct Question {
    /// What is asked for.
    pub call: Arc<Call>,
    /// Why it is asked.
    pub reason: AskReason,
    /// The arguments as the message has them, to be shown as quoted plain text; empty where there are none.
    pub arguments: Box<str>,
    /// How long the answer may take; no answer in time means deny.
    pub deadline: Duration,
}

/// The person's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// This one call.
    AllowOnce,
    /// No.
    Deny,
    /// Nobody is there to ask.
    NobodyThere,
    /// Nobody answered in time.
    TimedOut,
}

/// Puts questions to the person.
#[async_trait]
pub trait Prompter: Send + Sync {
    /// Asks, and returns at the deadline at the latest. Dropping the future withdraws the question.
    async fn ask(&self, question: Question) -> Answer;
}

/// Marks a request, in its extensions, with the server on whose behalf it is sent (SEC-20).
///
/// A person or IT typed that server's URL, so its host may lie in a private network or on loopback; an address learned
/// from metadata may only if that host does. Without the mark, nothing private may be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MayBePrivate {
    /// The typed host, as a URL writes it: a name, an IPv4 literal or an IPv6 literal in brackets.
    pub like: Box<str>,
}

impl MayBePrivate {
    /// As private as the host of `upstream` is.
    pub fn as_is(upstream: &keybearer_model::url::Upstream) -> Self {
        Self { like: upstream.as_url().host_str().unwrap_or_default().into() }
    }
}
