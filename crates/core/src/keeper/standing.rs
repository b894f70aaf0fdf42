//! Where a server's sign-in stands, and why, as data: the words are for whoever shows it.

use keybearer_model::grant::Account;
use keybearer_model::name::GrantId;
use keybearer_model::time::Timestamp;
use keybearer_oauth::login::LoginError;

use crate::foresight::NearEnd;
use crate::grants::Ending;
use crate::ports::KeyStoreError;
use crate::sign_in::SignInError;

/// Where a server's sign-in stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is known yet.
    Unknown,
    /// No sign-in is needed, or its header is there.
    Ready,
    /// Signed in.
    SignedIn {
        /// Whether the grant outlives this process.
        saved: bool,
    },
    /// Signed in, and somebody waits for a fresh bearer.
    Renewing,
    /// A sign-in is open.
    SigningIn,
    /// The person has to sign in, for this reason.
    Needed(Because),
    /// The server refuses what it was sent.
    Refused(Offered),
    /// The issuer cannot be reached, or does not answer as one.
    Unreachable {
        /// What happened last.
        detail: String,
        /// Since when.
        since: Timestamp,
    },
    /// The keychain is locked or does not answer.
    KeyStore(KeyStoreError),
}

impl Standing {
    /// Whether somebody is signed in: bearers come without the person.
    pub(crate) fn is_signed_in(&self) -> bool {
        matches!(self, Self::SignedIn { .. } | Self::Renewing | Self::Unreachable { .. })
    }
}

/// Why the person has to sign in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Because {
    /// Nobody has signed in here yet.
    NeverSignedIn,
    /// The issuer ended the sign-in.
    Ended {
        /// When that came out.
        at: Timestamp,
    },
    /// The sign-in was interrupted while it was being renewed.
    Interrupted {
        /// When that came out.
        at: Timestamp,
    },
    /// The person signed out.
    SignedOut,
    /// The key store has lost it, or never had it.
    NotKept,
    /// Somebody else has signed in than before: that sign-in was not taken (SEC-30).
    AccountChanged {
        /// Whose sign-in is kept.
        before: Account,
        /// Who signed in.
        now: Account,
    },
    /// The last sign-in ended without success.
    Failed {
        /// How, for whoever says it in another language.
        how: Failure,
        /// The error, in English.
        detail: String,
    },
    /// The secret header is not in the key store.
    NoHeader,
    /// The secret header has characters that no header can hold.
    UnusableHeader,
}

/// How a sign-in failed, as far as a person is told the difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The person, or a rule of the issuer's, said no.
    Declined,
    /// Nobody answers, or with a trouble of its own.
    Away,
    /// The server says nowhere how to sign in.
    NoSignIn,
    /// What the server or its issuer says of itself cannot be used.
    Metadata,
    /// The issuer knows no app like us, and lets none become known.
    NotKnown,
    /// The client that is set belongs to another issuer.
    Moved,
    /// The issuer gives out no codes for other devices.
    NoCode,
    /// Nobody typed the code in while it was good.
    CodeEnded,
    /// The answer came from another issuer than the one that was asked.
    MixedUp,
    /// The issuer ended the sign-in with an error.
    Refused,
    /// The proof of who signed in does not hold.
    Unproven,
    /// The page could not be shown.
    NotShown,
    /// Nobody finished it in ten minutes.
    TimedOut,
    /// It was called off.
    CalledOff,
    /// Something else.
    Other,
}

impl Failure {
    /// How this one failed.
    pub fn of(error: &SignInError) -> Self {
        match error {
            SignInError::Login(error) => Self::of_login(error),
            SignInError::Surface(_) => Self::NotShown,
            SignInError::TimedOut => Self::TimedOut,
            SignInError::CalledOff => Self::CalledOff,
            SignInError::OtherAccount { .. } | SignInError::NoEntropy(_) => Self::Other,
        }
    }

    fn of_login(error: &LoginError) -> Self {
        match error {
            LoginError::Cancelled => Self::CalledOff,
            LoginError::Declined { .. } => Self::Declined,
            LoginError::Unreachable { .. } => Self::Away,
            LoginError::NoSignIn { .. } => Self::NoSignIn,
            LoginError::WrongResource { .. }
            | LoginError::WrongIssuer { .. }
            | LoginError::Unsound { .. }
            | LoginError::NoPkce { .. }
            | LoginError::BadReply { .. } => Self::Metadata,
            LoginError::NoWayToRegister { .. } | LoginError::RegistrationRefused { .. } => Self::NotKnown,
            LoginError::ClientOfAnotherIssuer { .. } => Self::Moved,
            LoginError::NoDeviceCode { .. } => Self::NoCode,
            LoginError::CodeEnded => Self::CodeEnded,
            LoginError::MixedUp { .. } => Self::MixedUp,
            LoginError::Refused { .. } => Self::Refused,
            LoginError::Unproven { .. } => Self::Unproven,
            LoginError::NotMoved { .. } | LoginError::OutOfStep(_) => Self::Other,
        }
    }
}

impl From<Ending> for Because {
    fn from(ending: Ending) -> Self {
        match ending {
            Ending::Refused { at } => Self::Ended { at },
            Ending::Interrupted { at } => Self::Interrupted { at },
            Ending::SignedOut => Self::SignedOut,
        }
    }
}

/// What a server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// A bearer that its issuer has just given.
    Bearer,
    /// The header that was set for it.
    Header,
    /// A call without a credential, as the settings say.
    Nothing,
}

/// What is known of a server's sign-in, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignInState {
    /// Where it stands.
    pub standing: Standing,
    /// Who is signed in.
    pub account: Option<Account>,
    /// At which issuer.
    pub issuer: Option<String>,
    /// Which sign-in it is: servers with the same one are signed out of together.
    pub sign_in: Option<GrantId>,
    /// Where that sign-in deviates from the standards, and who lets it: in words.
    pub deviations: Vec<String>,
    /// When it ends, if that is near.
    pub ends: Option<NearEnd>,
}
