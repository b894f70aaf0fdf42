//! A sign-in as a pure machine: inputs in, effects out. Each state is a file, and each file one step of the way.
//!
//! The driver carries out the effect that it was given and feeds in what came of it, until `Done` or `Fail`. What comes
//! in is another party's: the machine answers anything, and panics at nothing.

mod authorizing;
mod coding;
mod error;
mod finding_issuer;
mod finding_resource;
mod identifying;
mod opening;
mod pushing;
mod redeeming;
mod registering;

use std::fmt;
use std::time::Duration;

use http::{Request, Response};
use keybearer_model::grant::{ClientAuth, Grant, GrantFacts, Registration, Target};
use keybearer_model::secret::Secret;
use keybearer_model::time::Timestamp;
use keybearer_model::url::{Endpoint, Issuer, Upstream};

pub use self::error::LoginError;
use crate::challenge::Challenge;
use crate::device::DeviceCode;
use crate::document::ClientMetadataUrl;
use crate::exceptions::Exceptions;
use crate::profile::{RefreshReach, SignInPages};
use crate::registration::KnownClient;

/// What a sign-in starts from.
#[derive(Debug)]
pub struct LoginRequest {
    /// The server that it is for.
    pub upstream: Upstream,
    /// What the server said when it refused a request, if it was asked.
    pub challenge: Option<Challenge>,
    /// The client that the person or IT registered at the issuer.
    pub client: Option<PreRegistered>,
    /// Where our client id metadata document is, if it is hosted.
    pub document: Option<ClientMetadataUrl>,
    /// The clients that we registered before.
    pub known: Vec<KnownClient>,
    /// The scopes that the person or IT set.
    pub scopes: Vec<String>,
    /// The sign-in that this one replaces.
    pub before: Option<Before>,
    /// Whether it is for a move to another issuer only.
    pub purpose: Purpose,
    /// What the person or IT lets deviate from the standards.
    pub exceptions: Exceptions,
    /// How the person signs in.
    pub way: Way,
    /// The randomness of this sign-in.
    pub entropy: Entropy,
    /// The name under which we register.
    pub client_name: String,
    /// The time of day.
    pub now: Timestamp,
}

/// How the person signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// At the issuer's page, which brings them back here.
    Page,
    /// On any device, by a code that they type in there (RFC 8628).
    Code,
}

/// A client that the issuer knows already.
#[derive(Debug)]
pub struct PreRegistered {
    /// Its id there.
    pub client_id: String,
    /// Its secret, if it has one.
    pub secret: Option<Secret>,
    /// How it authenticates, where that is set; else as the issuer's metadata has it.
    pub auth: Option<ClientAuth>,
    /// Which issuer knows it, where that is set or was seen: no other is shown it.
    pub issuer: Option<Issuer>,
}

/// A sign-in that is replaced.
#[derive(Clone, Debug)]
pub struct Before {
    /// Whose it was: at another issuer its scopes say nothing.
    pub issuer: Issuer,
    /// The scopes that were asked for then.
    pub scopes: Vec<String>,
}

impl Before {
    /// The sign-in of a grant.
    pub fn of(facts: &GrantFacts) -> Self {
        Self { issuer: facts.issuer.clone(), scopes: facts.requested.clone() }
    }
}

/// What a sign-in is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// For tokens.
    Tokens,
    /// To find out whether the server's issuer has changed, and only then for tokens: nobody is asked anything, and
    /// nothing registered, where it is still the issuer of the sign-in before.
    Move,
}

/// The random values of one sign-in: each at least 256 bits in base64url, as `Secret::mint("")` gives them.
#[derive(Debug)]
pub struct Entropy {
    /// Ties the callback to the sign-in (SEC-23).
    pub state: Secret,
    /// Ties the code to us (RFC 7636).
    pub verifier: Secret,
    /// Ties the ID token to the sign-in.
    pub nonce: Secret,
}

impl Entropy {
    fn is_sound(&self) -> bool {
        [&self.state, &self.verifier, &self.nonce].into_iter().all(|secret| {
            let text = secret.expose();
            (43..=128).contains(&text.len()) && text.bytes().all(|c| c.is_ascii_alphanumeric() || b"-._~".contains(&c))
        })
    }
}

/// What happened.
pub enum Input {
    /// The answer to a `Fetch`.
    Fetched(Response<Vec<u8>>),
    /// There was none, and why.
    Unreachable(String),
    /// The way back is open, at this address.
    WayBack(String),
    /// The person was shown the page, or the code.
    Presented,
    /// The time that was to be waited is over.
    Waited,
    /// The browser came back; its query string.
    Callback(String),
    /// It was called off.
    Cancelled,
}

/// What is to be done next.
pub enum Effect {
    /// Send this, follow no redirect, and feed in the answer.
    Fetch(Request<Vec<u8>>),
    /// Open the way back from this issuer's pages, and feed in its address.
    OpenWayBack(SignInPages),
    /// Show this address to the person.
    Present {
        /// The address; it holds the state, and is nobody else's business.
        url: String,
        /// What the page is asked for.
        asks: Box<Asks>,
    },
    /// Wait for the browser to come back.
    AwaitCallback,
    /// Show this code to the person, and where to type it in.
    ShowCode(DeviceCode),
    /// Let this time pass.
    Wait(Duration),
    /// Signed in. The grant must be stored before its token is used.
    Done(Box<Obtained>),
    /// It is over.
    Fail(LoginError),
}

/// What a sign-in page is asked for: where one refresh token reaches every server of an issuer, a sign-in of before gives
/// it without the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asks {
    /// Whose page it is.
    pub issuer: Issuer,
    /// Where its tokens come from.
    pub token_endpoint: Endpoint,
    /// Who asks.
    pub client_id: String,
    /// How the issuer knows that client.
    pub registration: Registration,
    /// For what.
    pub target: Target,
    /// For whom a refresh token of this issuer gives bearers.
    pub reach: RefreshReach,
}

/// What a sign-in gave.
#[derive(Debug)]
pub struct Obtained {
    /// What lasts.
    pub grant: Grant,
    /// The first access token.
    pub access_token: Secret,
    /// How long it lives from its receipt, where the issuer says.
    pub expires_in: Option<Duration>,
    /// How long the refresh token lives, where the issuer says.
    pub refresh_expires_in: Option<Duration>,
}

/// A sign-in under way.
#[derive(Debug)]
pub struct Login(State);

#[derive(Debug)]
enum State {
    FindingResource(Box<finding_resource::FindingResource>),
    FindingIssuer(Box<finding_issuer::FindingIssuer>),
    Opening(Box<opening::Opening>),
    Registering(Box<registering::Registering>),
    Pushing(Box<pushing::Pushing>),
    Authorizing(Box<authorizing::Authorizing>),
    Coding(Box<coding::Coding>),
    Redeeming(Box<redeeming::Redeeming>),
    Identifying(Box<identifying::Identifying>),
    Ended,
}

impl Login {
    /// Begins a sign-in.
    pub fn begin(request: LoginRequest) -> (Self, Effect) {
        let (state, effect) = if !request.entropy.is_sound() {
            fail(LoginError::OutOfStep("its random values are too weak"))
        } else {
            finding_resource::FindingResource::begin(request)
        };
        (Self(state), effect)
    }

    /// Goes on with what happened.
    #[must_use = "the effect is the next step"]
    pub fn step(self, input: Input) -> (Self, Effect) {
        let (state, effect) = match (self.0, input) {
            (State::Ended, _) => fail(LoginError::OutOfStep("it is over")),
            (_, Input::Cancelled) => fail(LoginError::Cancelled),
            (State::FindingResource(state), Input::Fetched(reply)) => state.fetched(&reply),
            (State::FindingResource(state), Input::Unreachable(cause)) => state.unreachable(&cause),
            (State::FindingIssuer(state), Input::Fetched(reply)) => state.fetched(&reply),
            (State::FindingIssuer(state), Input::Unreachable(cause)) => state.unreachable(&cause),
            (State::Opening(state), Input::WayBack(address)) => state.opened(address),
            (State::Registering(state), Input::Fetched(reply)) => state.fetched(&reply),
            (State::Registering(state), Input::Unreachable(cause)) => fail(state.unreachable(&cause)),
            (State::Pushing(state), Input::Fetched(reply)) => state.fetched(&reply),
            (State::Pushing(state), Input::Unreachable(cause)) => state.unreachable(&cause),
            (State::Authorizing(state), Input::Callback(query)) => state.callback(&query),
            (
                State::Authorizing(state),
                Input::Presented | Input::Fetched(_) | Input::Unreachable(_) | Input::Waited | Input::WayBack(_),
            ) => (State::Authorizing(state), Effect::AwaitCallback),
            (State::Coding(state), Input::Fetched(reply)) => state.fetched(reply),
            (State::Coding(state), Input::Unreachable(cause)) => state.unreachable(&cause),
            (State::Coding(state), Input::Waited) => state.waited(),
            // Nothing comes back here: whatever comes is not of this sign-in.
            (State::Coding(state), Input::Presented | Input::Callback(_) | Input::WayBack(_)) => state.wait(),
            (State::Redeeming(state), Input::Fetched(reply)) => state.fetched(reply),
            (State::Redeeming(state), Input::Unreachable(cause)) => fail(state.unreachable(&cause)),
            (State::Identifying(state), Input::Fetched(reply)) => state.fetched(&reply),
            (State::Identifying(state), Input::Unreachable(cause)) => fail(state.unreachable(&cause)),
            (
                State::FindingResource(_)
                | State::FindingIssuer(_)
                | State::Registering(_)
                | State::Pushing(_)
                | State::Redeeming(_)
                | State::Identifying(_),
                Input::Presented | Input::Callback(_) | Input::Waited | Input::WayBack(_),
            ) => fail(LoginError::OutOfStep("an answer was expected")),
            (
                State::Opening(_),
                Input::Fetched(_) | Input::Unreachable(_) | Input::Presented | Input::Callback(_) | Input::Waited,
            ) => fail(LoginError::OutOfStep("a way back was expected")),
        };
        (Self(state), effect)
    }
}

fn fail(error: LoginError) -> (State, Effect) {
    (State::Ended, Effect::Fail(error))
}

/// Requests hold codes and secrets: only their addresses are printed, without their queries.
impl fmt::Debug for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetch(request) => {
                let host = request.uri().authority().map_or("", |authority| authority.as_str());
                write!(f, "Fetch({} {host}{})", request.method(), request.uri().path())
            }
            Self::OpenWayBack(pages) => write!(f, "OpenWayBack({pages:?})"),
            Self::Present { url, .. } => write!(f, "Present({})", url.split('?').next().unwrap_or_default()),
            Self::AwaitCallback => f.write_str("AwaitCallback"),
            Self::ShowCode(_) => f.write_str("ShowCode(…)"),
            Self::Wait(time) => write!(f, "Wait({time:?})"),
            Self::Done(_) => f.write_str("Done(…)"),
            Self::Fail(error) => write!(f, "Fail({error})"),
        }
    }
}

/// Answers hold tokens, and callbacks codes: only what kind they are is printed.
impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fetched(reply) => write!(f, "Fetched({})", reply.status().as_u16()),
            Self::Unreachable(cause) => write!(f, "Unreachable({cause})"),
            Self::WayBack(address) => write!(f, "WayBack({address})"),
            Self::Presented => f.write_str("Presented"),
            Self::Waited => f.write_str("Waited"),
            Self::Callback(_) => f.write_str("Callback(…)"),
            Self::Cancelled => f.write_str("Cancelled"),
        }
    }
}
