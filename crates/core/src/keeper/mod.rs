//! The token keeper: one per server, the only owner of its bearer. What lasts belongs to the owners of [`crate::grants`].
//!
//! The way of a call reads [`Keeper::ready`] and touches no lock. Whatever takes time (loading, renewing, signing in)
//! is done once for all who wait, by an owner task that no caller can cancel.

mod further;
mod keeping;
mod next;
mod owner;
mod signing;
mod single_flight;
mod standing;
mod sync;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use http::header::{HeaderName, HeaderValue};
use keybearer_model::grant::{Account, Bearer};
use keybearer_model::name::ServerName;
use keybearer_model::time::BootTime;
use keybearer_oauth::challenge::Challenge;
use keybearer_oauth::document::ClientMetadataUrl;
use tokio::sync::{mpsc, oneshot, watch};

use self::single_flight::{AtHand, Numbered};
pub use self::standing::{Because, Failure, Offered, SignInState, Standing};
use crate::audit::Trail;
use crate::config::{ServerConfig, SurfaceChoice};
use crate::custody::Custody;
use crate::foresight::Foresight;
use crate::grants::Grants;
pub use crate::grants::Revocation;
use crate::ports::{Clock, Ports};
use crate::registrations::Registrations;
use crate::rounds::Rounds;
use crate::sign_in::{Opening, SignInError};
use crate::store::Store;

/// A credential that is ready to be sent.
#[derive(Debug)]
pub(crate) struct Held {
    /// Which header carries it.
    pub(crate) name: HeaderName,
    /// Its value, marked sensitive.
    pub(crate) value: HeaderValue,
    /// The bearer, for its lifetime; absent for a static header.
    bearer: Option<Bearer>,
    /// Whose it is; absent for a static header.
    pub(crate) account: Option<Arc<Account>>,
    /// Counts the credentials of this keeper, so that "this one was refused" names one.
    pub(crate) serial: u64,
    /// The server has taken it at least once.
    accepted: AtomicBool,
}

impl Held {
    /// Notes that the server has taken it: when it is refused later, it has ended early.
    pub(crate) fn accept(&self) {
        // Looked at first: all calls share it, and each write would take it away from the other processors.
        if !self.accepted.load(Ordering::Relaxed) {
            self.accepted.store(true, Ordering::Relaxed);
        }
    }
}

impl Numbered for Held {
    fn serial(&self) -> u64 {
        self.serial
    }
}

/// What stands between a call and its credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The person has to sign in.
    #[error("sign-in needed")]
    SignInNeeded,
    /// The server refuses a bearer that its issuer has just given.
    #[error("the server does not accept the company sign-in")]
    RefusedByServer,
    /// The issuer does not answer; later may help.
    #[error("the company sign-in does not answer: {0}")]
    IssuerUnavailable(String),
    /// The keychain does not give what it holds.
    #[error("the keychain does not answer: {0}")]
    KeyStore(String),
}

/// How signing out went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedOut {
    /// What became of the token at the issuer.
    pub revocation: Revocation,
    /// The other servers of the same sign-in: they are signed out, too.
    pub with: Vec<ServerName>,
}

/// A need for a credential.
pub(crate) struct Need {
    /// When it arose: a key store that has failed since need not be asked again for it.
    since: BootTime,
    /// The serial of the credential that the server has just refused.
    refused: Option<u64>,
    /// The server has refused a message without a credential.
    challenged: bool,
    /// What it said with that.
    challenge: Option<Challenge>,
    /// Whether a sign-in may be opened for it.
    initiative: Initiative,
}

/// Whether a message may open a sign-in by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initiative {
    /// It may: somebody waits for what it asks.
    OpensSignIn,
    /// It may not: a program that only starts must not open windows.
    Waits,
}

/// A need for a credential that allows more.
pub(crate) struct More {
    /// The serial of the one that did not.
    refused: u64,
    /// What the server said.
    challenge: Challenge,
    /// Whether a sign-in may be opened for it.
    initiative: Initiative,
}

enum Command {
    Need(Need, oneshot::Sender<Result<Option<Arc<Held>>, CredentialError>>),
    StepUp(More, oneshot::Sender<Result<Option<Arc<Held>>, CredentialError>>),
    /// The credential of this serial is nearly over.
    RenewAhead(u64),
    SignIn(Opening, oneshot::Sender<Result<(), Arc<SignInError>>>),
    SignOut(oneshot::Sender<SignedOut>),
    /// The server is removed: what it shares with others goes on for them.
    Leave(oneshot::Sender<()>),
    Reload(oneshot::Sender<()>),
    /// The core ends: the answer comes when what is under way is kept.
    Finish(oneshot::Sender<()>),
}

/// What the handle and its owner task share.
struct Shared {
    at_hand: AtHand<Held>,
    /// The server has answered without a credential and nothing says that it needs one.
    bare: AtomicBool,
    state: watch::Sender<SignInState>,
}

/// What a keeper is composed of.
pub(crate) struct Parts {
    pub(crate) server: ServerName,
    pub(crate) config: ServerConfig,
    /// Where our client id metadata document is, if somebody hosts it.
    pub(crate) document: Option<ClientMetadataUrl>,
    pub(crate) ports: Ports,
    pub(crate) custody: Custody,
    pub(crate) grants: Grants,
    pub(crate) registrations: Registrations,
    pub(crate) foresight: Foresight,
    pub(crate) rounds: Rounds,
    pub(crate) store: Arc<Store>,
    pub(crate) trail: Trail,
    /// Told whenever the state changes, so that a watcher of everything wakes up.
    pub(crate) changed: watch::Sender<u64>,
    /// Where people sign in to servers that say nothing else.
    pub(crate) surface: watch::Receiver<SurfaceChoice>,
}

/// A handle on one server's keeper.
pub(crate) struct Keeper {
    shared: Arc<Shared>,
    clock: Arc<dyn Clock>,
    commands: mpsc::Sender<Command>,
}

impl Keeper {
    /// Starts the keeper's owner task on the current runtime. It ends when the handle is dropped.
    pub(crate) fn start(parts: Parts) -> Self {
        let state = SignInState {
            standing: Standing::Unknown,
            account: None,
            issuer: None,
            sign_in: None,
            deviations: Vec::new(),
            ends: None,
        };
        let shared = Arc::new(Shared {
            at_hand: AtHand::nothing(),
            bare: AtomicBool::new(false),
            state: watch::Sender::new(state),
        });
        let (commands, inbox) = mpsc::channel(64);
        let clock = Arc::clone(&parts.ports.clock);
        tokio::spawn(owner::Owner::new(parts, Arc::clone(&shared)).run(inbox));
        Self { shared, clock, commands }
    }

    /// The credential, if one is at hand: no lock, no allocation, no waiting. `Some(None)` means that none is needed.
    pub(crate) fn ready(&self) -> Option<Option<Arc<Held>>> {
        let Some(held) = self.shared.at_hand.load() else {
            return self.shared.bare.load(Ordering::Relaxed).then_some(None);
        };
        let Some(bearer) = &held.bearer else { return Some(Some(held)) };
        let now = self.clock.boot();
        let life = bearer.expires_at.map_or(Duration::MAX, |end| end.since(bearer.received_at));
        if !bearer.is_fresh(now, (life / 10).min(Duration::from_secs(5))) {
            return None;
        }
        // Ahead of expiry the next one is fetched while this one still serves.
        if !bearer.is_fresh(now, (life / 5).min(Duration::from_secs(60)))
            && self.shared.at_hand.is_first_to_ask(held.serial)
            && self.commands.try_send(Command::RenewAhead(held.serial)).is_err()
        {
            self.shared.at_hand.may_ask_again(held.serial);
        }
        Some(Some(held))
    }

    /// The credential, waiting for it as long as it takes: whoever cannot wait drops the future, which cancels nothing.
    pub(crate) async fn obtain(&self, initiative: Initiative) -> Result<Option<Arc<Held>>, CredentialError> {
        let since = self.clock.boot();
        match self.ready() {
            Some(held) => Ok(held),
            None => self.need(Need { since, refused: None, challenged: false, challenge: None, initiative }).await,
        }
    }

    /// Another credential than the one the server has just refused with `challenge`.
    pub(crate) async fn after_refusal(
        &self,
        refused: Option<u64>,
        challenge: Option<Challenge>,
        initiative: Initiative,
    ) -> Result<Option<Arc<Held>>, CredentialError> {
        self.need(Need { since: self.clock.boot(), refused, challenged: true, challenge, initiative }).await
    }

    /// A credential that allows more than the one with which the server has just answered 403; `None` where no sign-in can
    /// help.
    pub(crate) async fn reach_further(
        &self,
        refused: u64,
        challenge: Challenge,
        initiative: Initiative,
    ) -> Result<Option<Arc<Held>>, CredentialError> {
        let (reply, answer) = oneshot::channel();
        let ended = || CredentialError::IssuerUnavailable("Keybearer is ending".to_owned());
        let more = More { refused, challenge, initiative };
        self.commands.send(Command::StepUp(more, reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    async fn need(&self, need: Need) -> Result<Option<Arc<Held>>, CredentialError> {
        let (reply, answer) = oneshot::channel();
        let ended = || CredentialError::IssuerUnavailable("Keybearer is ending".to_owned());
        self.commands.send(Command::Need(need, reply)).await.map_err(|_| ended())?;
        answer.await.map_err(|_| ended())?
    }

    /// Signs in, or joins the sign-in that is open.
    pub(crate) async fn sign_in(&self, opening: Opening) -> Result<(), Arc<SignInError>> {
        let (reply, answer) = oneshot::channel();
        let called_off = || Arc::new(SignInError::CalledOff);
        self.commands.send(Command::SignIn(opening, reply)).await.map_err(|_| called_off())?;
        answer.await.map_err(|_| called_off())?
    }

    /// Signs out: here at once, at the issuer as far as it answers.
    pub(crate) async fn sign_out(&self) -> SignedOut {
        let (reply, answer) = oneshot::channel();
        let nothing = SignedOut { revocation: Revocation::Nothing, with: Vec::new() };
        if self.commands.send(Command::SignOut(reply)).await.is_err() {
            return nothing;
        }
        answer.await.unwrap_or(nothing)
    }

    /// Gives up what the server has, before it is removed.
    pub(crate) async fn leave(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Leave(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }

    /// Ends the keeper: no sign-in is waited for any more, and a renewal that is under way goes on with its owner.
    pub(crate) async fn finish(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Finish(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }

    /// Looks into the key store again, after a secret was put there.
    pub(crate) async fn reload(&self) {
        let (reply, answer) = oneshot::channel();
        if self.commands.send(Command::Reload(reply)).await.is_ok() {
            let _ = answer.await;
        }
    }

    /// Where the sign-in stands.
    pub(crate) fn state(&self) -> SignInState {
        self.shared.state.borrow().clone()
    }
}
