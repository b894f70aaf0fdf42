//! One server as one row: name, host, account, state, one action.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Failure, host};
use crate::error::Error;
use crate::plain::{clean, middle};
use crate::snapshot::{Auth, Because, NearEnd, Server, SignIn};

/// Foreign text is shown to this length: enough for IT, too little to bury what stands below.
const LONGEST_QUOTE: usize = 300;

/// One server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Row {
    /// Its short name; what a request names it by.
    pub name: String,
    /// The host that it lives on.
    pub host: String,
    /// Who is signed in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<String>,
    /// How the state is meant.
    pub tone: Tone,
    /// Where it stands.
    pub state: State,
    /// When the sign-in ends, if it still serves and that is near: within a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ends: Option<NearEnd>,
    /// Why the person has to sign in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub because: Option<Because>,
    /// What a server or issuer said: foreign text, to be set apart from ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub quote: Option<String>,
    /// Why the last request for it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub failure: Option<Failure>,
    /// What the person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub action: Option<Action>,
}

/// Where a server stands, as one word or two; some have a sentence besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has signed in since the core started.
    NotSignedIn,
    /// Nobody has used it since the core started, and it needs no sign-in.
    NotUsed,
    /// It can be used without a sign-in.
    Ready,
    /// Signed in.
    SignedIn,
    /// Signed in, until the core ends.
    SignedInNotSaved,
    /// A sign-in is open in the browser.
    SigningIn,
    /// The person has to sign in.
    SignInNeeded,
    /// It does not accept the company's sign-in.
    Refused,
    /// It cannot be reached.
    Unreachable,
    /// The keychain is locked.
    KeychainLocked,
}

/// How a state is meant; each has its own colour and its own shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Tone {
    /// The person is wanted.
    Attention,
    /// It does not work, and the person alone cannot mend it.
    Danger,
    /// Something is under way.
    Waiting,
    /// It works.
    Good,
    /// Nothing to say.
    Quiet,
}

/// What a person can do for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Sign in.
    SignIn,
    /// Sign out.
    SignOut,
}

impl Row {
    /// The row of a server.
    pub(super) fn of(server: &Server, failure: Option<&Error>) -> Self {
        let (tone, state) = standing(server);
        Self {
            name: clean(&server.name),
            host: host(&server.url),
            account: server.account.as_deref().map(clean),
            tone,
            state,
            ends: near_end(server),
            because: because(&server.state),
            quote: quote(&server.state).map(|said| middle(&clean(said), LONGEST_QUOTE)),
            failure: failure.map(Failure::of),
            action: action(server),
        }
    }
}

impl Tone {
    /// Where rows of this tone stand in a list: who wants something comes first.
    pub(super) fn rank(self) -> u8 {
        match self {
            Self::Attention => 0,
            Self::Danger => 1,
            Self::Waiting | Self::Good | Self::Quiet => 2,
        }
    }
}

fn standing(server: &Server) -> (Tone, State) {
    match server.state {
        SignIn::Unknown if server.auth == Auth::Oauth => (Tone::Quiet, State::NotSignedIn),
        SignIn::Unknown => (Tone::Quiet, State::NotUsed),
        SignIn::Ready => (Tone::Good, State::Ready),
        SignIn::SignedIn { saved: true } if server.ends.is_some() => (Tone::Attention, State::SignedIn),
        SignIn::SignedIn { saved: true } => (Tone::Good, State::SignedIn),
        SignIn::SignedIn { saved: false } => (Tone::Good, State::SignedInNotSaved),
        SignIn::Renewing => (Tone::Good, State::SignedIn),
        SignIn::SigningIn => (Tone::Waiting, State::SigningIn),
        SignIn::Needed { .. } => (Tone::Attention, State::SignInNeeded),
        SignIn::Refused { .. } => (Tone::Danger, State::Refused),
        SignIn::Unreachable { .. } => (Tone::Danger, State::Unreachable),
        SignIn::KeyStore { .. } => (Tone::Attention, State::KeychainLocked),
    }
}

/// The near end of a sign-in which still serves.
fn near_end(server: &Server) -> Option<NearEnd> {
    match &server.state {
        SignIn::SignedIn { .. } | SignIn::Renewing => server.ends.clone(),
        SignIn::Unknown
        | SignIn::Ready
        | SignIn::SigningIn
        | SignIn::Needed { .. }
        | SignIn::Refused { .. }
        | SignIn::Unreachable { .. }
        | SignIn::KeyStore { .. } => None,
    }
}

/// Why the person has to sign in; what others wrote of it is clean.
fn because(state: &SignIn) -> Option<Because> {
    let SignIn::Needed { because } = state else { return None };
    Some(match because {
        Because::AccountChanged { before, now } => Because::AccountChanged { before: clean(before), now: clean(now) },
        Because::Failed { how, detail } => Because::Failed { how: *how, detail: middle(&clean(detail), LONGEST_QUOTE) },
        Because::NeverSignedIn
        | Because::Ended { .. }
        | Because::Interrupted { .. }
        | Because::SignedOut
        | Because::NotKept
        | Because::NoHeader
        | Because::UnusableHeader => because.clone(),
    })
}

fn quote(state: &SignIn) -> Option<&str> {
    match state {
        SignIn::Refused { detail } | SignIn::Unreachable { detail, .. } | SignIn::KeyStore { detail } => Some(detail),
        SignIn::Unknown
        | SignIn::Ready
        | SignIn::SignedIn { .. }
        | SignIn::Renewing
        | SignIn::SigningIn
        | SignIn::Needed { .. } => None,
    }
}

fn action(server: &Server) -> Option<Action> {
    if server.auth != Auth::Oauth {
        return None;
    }
    match server.state {
        SignIn::Ready | SignIn::SigningIn => None,
        SignIn::SignedIn { .. } | SignIn::Renewing if server.ends.is_some() => Some(Action::SignIn),
        SignIn::SignedIn { .. } | SignIn::Renewing | SignIn::Refused { .. } => Some(Action::SignOut),
        SignIn::Unreachable { .. } if server.account.is_some() => Some(Action::SignOut),
        SignIn::Unknown | SignIn::Needed { .. } | SignIn::Unreachable { .. } | SignIn::KeyStore { .. } => {
            Some(Action::SignIn)
        }
    }
}
