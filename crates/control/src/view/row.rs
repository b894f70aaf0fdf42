//! One server as one row: name, host, account, state as a word, one action.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Notice, host};
use crate::error::Error;
use crate::plain::{clean, middle, sentence};
use crate::snapshot::{Auth, Server, SignIn};

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
    /// The state as a word or two.
    pub state: String,
    /// The state as a sentence, where a word is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub note: Option<String>,
    /// What a server or issuer said: foreign text, to be set apart from ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub quote: Option<String>,
    /// Why the last request for it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub failure: Option<Notice>,
    /// What the person can do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub action: Option<Action>,
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
        let Words { tone, state, note, quote } = words(server);
        Self {
            name: clean(&server.name),
            host: host(&server.url),
            account: server.account.as_deref().map(clean),
            tone,
            state: state.into(),
            note,
            quote: quote.map(|said| middle(&clean(said), LONGEST_QUOTE)),
            failure: failure.map(Notice::of),
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

struct Words<'a> {
    tone: Tone,
    state: &'static str,
    note: Option<String>,
    quote: Option<&'a str>,
}

fn words(server: &Server) -> Words<'_> {
    let name = clean(&server.name);
    let (tone, state, note, quote) = match &server.state {
        SignIn::Unknown if server.auth == Auth::Oauth => (Tone::Quiet, "not signed in", None, None),
        SignIn::Unknown => (Tone::Quiet, "not used yet", None, None),
        SignIn::Ready => (Tone::Good, "ready", None, None),
        SignIn::SignedIn { saved: true } => (Tone::Good, "signed in", None, None),
        SignIn::SignedIn { saved: false } => (Tone::Good, "signed in, not saved", None, None),
        SignIn::SigningIn => (Tone::Waiting, "signing in", Some("Finish in your browser.".into()), None),
        SignIn::Needed { reason } => (Tone::Attention, "sign-in needed", Some(sentence(reason)), None),
        SignIn::Refused { detail } => {
            let note = format!("{name} does not accept your company sign-in. This is for your IT team:");
            (Tone::Danger, "refused", Some(note), Some(detail.as_str()))
        }
        SignIn::Unreachable { detail } => {
            let note = format!("{name} cannot be reached from here:");
            (Tone::Danger, "not reachable", Some(note), Some(detail.as_str()))
        }
        SignIn::KeyStore { detail } => {
            let note = "Unlock your keychain, or you will have to sign in again after a restart.";
            (Tone::Attention, "keychain locked", Some(note.into()), Some(detail.as_str()))
        }
    };
    Words { tone, state, note, quote }
}

fn action(server: &Server) -> Option<Action> {
    if server.auth != Auth::Oauth {
        return None;
    }
    match server.state {
        SignIn::Ready | SignIn::SigningIn => None,
        SignIn::SignedIn { .. } | SignIn::Refused { .. } => Some(Action::SignOut),
        SignIn::Unreachable { .. } if server.account.is_some() => Some(Action::SignOut),
        SignIn::Unknown | SignIn::Needed { .. } | SignIn::Unreachable { .. } | SignIn::KeyStore { .. } => {
            Some(Action::SignIn)
        }
    }
}
