//! What the core shows of itself: one value, sent whole whenever it changes.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::error::Error;
use crate::prompt::Permission;

/// The state of a core at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Snapshot {
    /// The core's version.
    pub version: String,
    /// The core's process id.
    pub pid: u32,
    /// Every configured server, by name.
    pub servers: Vec<Server>,
    /// Every registered client, by name.
    pub clients: Vec<Client>,
    /// Where sign-ins are kept.
    pub key_store: KeyStore,
    /// The HTTP door.
    pub http_door: HttpDoor,
    /// The door for programs in containers.
    #[serde(default)]
    pub container_door: ContainerDoor,
    /// Where programs that speak HTTP over a local socket come in: a path, or a pipe's name on Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub socket_door: Option<String>,
    /// Whether the person has stopped all access: every call is refused.
    #[serde(default)]
    pub stopped: bool,
    /// What persons have allowed beyond one call, by number.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// What is wrong with the whole and needs somebody: a broken `config.toml`, for example.
    pub problems: Vec<Error>,
}

/// One configured server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Server {
    /// Its short name.
    pub name: String,
    /// Its URL.
    pub url: String,
    /// How it is authenticated to.
    pub auth: Auth,
    /// Where its sign-in stands.
    pub state: SignIn,
    /// Who is signed in there, as a person recognises it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub account: Option<String>,
    /// The company sign-in (issuer) that it uses, once known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub issuer: Option<String>,
    /// When the sign-in ends, if that is near.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub ends: Option<NearEnd>,
    /// The other servers of the same sign-in: signing out of one signs out of all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shares_with: Vec<String>,
    /// Where that sign-in deviates from the standards, and who lets it: in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deviations: Vec<String>,
}

/// The near end of a sign-in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct NearEnd {
    /// When, RFC 3339.
    pub at: String,
    /// How that is known.
    pub by: Evidence,
    /// When the person was told of it, RFC 3339: a shell announces it when this comes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub told_at: Option<String>,
}

/// How an end is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The company sign-in has said so.
    Issuer,
    /// It is set, or known of this kind of sign-in.
    Set,
    /// Earlier sign-ins there lasted so long.
    Experience,
}

/// How a server is authenticated to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum Auth {
    /// By OAuth, as the server's metadata says.
    Oauth,
    /// By a static header from the keychain.
    Header,
    /// Not at all.
    None,
}

/// Where a server's sign-in stands. It always says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SignIn {
    /// Nothing is known: it was not used since the core started, and there is no grant.
    Unknown,
    /// It needs no sign-in, or its header is in the keychain.
    Ready,
    /// Signed in.
    SignedIn {
        /// Whether the grant outlives this core: false means "memory only".
        saved: bool,
    },
    /// Signed in, and somebody waits while it is renewed.
    Renewing,
    /// A sign-in is open in the browser.
    SigningIn,
    /// The person has to sign in.
    Needed {
        /// Why.
        because: Because,
    },
    /// The server refuses a bearer that its issuer has just given: something for IT.
    Refused {
        /// What IT needs to know.
        detail: String,
    },
    /// Server or issuer cannot be reached.
    Unreachable {
        /// What was tried.
        detail: String,
        /// Since when, RFC 3339.
        since: String,
    },
    /// The keychain is locked or does not answer.
    KeyStore {
        /// What it said.
        detail: String,
    },
}

/// How a sign-in failed; each has a sentence in every language.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignInFailure {
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
    #[default]
    Other,
}

/// Why the person has to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "why", rename_all = "snake_case")]
pub enum Because {
    /// Nobody has signed in here yet.
    NeverSignedIn,
    /// The issuer ended the sign-in.
    Ended {
        /// When that came out, RFC 3339.
        at: String,
    },
    /// The sign-in was interrupted while it was being renewed.
    Interrupted {
        /// When that came out, RFC 3339.
        at: String,
    },
    /// The person signed out.
    SignedOut,
    /// The keychain has lost it, or never had it.
    NotKept,
    /// Somebody else has signed in than before: that sign-in was not taken.
    AccountChanged {
        /// Whose sign-in is kept.
        before: String,
        /// Who signed in.
        now: String,
    },
    /// The last sign-in did not work.
    Failed {
        /// How.
        #[serde(default)]
        how: SignInFailure,
        /// Why not, in our words and perhaps the issuer's.
        detail: String,
    },
    /// The secret header is not set.
    NoHeader,
    /// The secret header has characters that no header can hold.
    UnusableHeader,
}

/// One registered client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// What identifies it.
    pub by: ClientBy,
    /// The servers it may use; empty means all.
    pub servers: Vec<String>,
    /// When it was registered, RFC 3339.
    pub since: String,
    /// When it was last seen, RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[ts(optional)]
    pub last_seen: Option<String>,
}

/// What identifies a client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ClientBy {
    /// A key, for the HTTP door.
    Key,
    /// The path of its executable, for the stdio door.
    Program {
        /// The path.
        path: String,
    },
}

/// Where sign-ins are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum KeyStore {
    /// In the operating system's keychain.
    System,
    /// In memory only, as `config.toml` says.
    MemoryByChoice,
    /// In memory only, because there is no keychain: signing in again after a restart.
    MemoryForWant,
}

/// The door for programs in containers of this machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ContainerDoor {
    /// It is not wanted, or no client needs it.
    #[default]
    Closed,
    /// It listens.
    Open {
        /// Its URL without a path; programs in containers write `host.docker.internal` for the address.
        address: String,
    },
    /// It is wanted and cannot be opened.
    Blocked {
        /// Why.
        detail: String,
    },
}

/// The HTTP door.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum HttpDoor {
    /// No client needs it, so no port is open.
    Closed,
    /// It listens.
    Open {
        /// The addresses, for example `http://127.0.0.1:41234`.
        addresses: Vec<String>,
    },
    /// Its port is taken by another program: it stays closed.
    Blocked {
        /// Which port.
        port: u16,
    },
}
