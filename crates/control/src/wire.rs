//! Requests and replies, one JSON object a line.

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::activity::Record;
use crate::connect::{Connected, Disconnected, KnownClient, Preview, Wish};
use crate::doctor::Diagnosis;
use crate::error::Error;
use crate::inspector::Exchange;
use crate::pages::{Found, Settings, Tool};
use crate::prompt::{Answer, Prompts};
use crate::sign_in_window::{WindowOrder, WindowSaid};
use crate::snapshot::{Client, Server, Snapshot};

/// A secret on its way in: read from standard input by the command line, kept in the keychain by the core.
#[derive(Clone, Serialize, Deserialize, TS)]
#[serde(transparent)]
pub struct Incoming(pub String);

impl std::fmt::Debug for Incoming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Incoming(…)")
    }
}

/// What a peer asks of the core.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Request {
    /// The state, once.
    Status,
    /// The state now, and again whenever it changes.
    Watch,
    /// Declare a server in `config.toml`.
    AddServer {
        /// Short name.
        name: String,
        /// URL of the MCP endpoint.
        url: String,
        /// A header that carries a secret, for servers that have nothing better.
        #[serde(default)]
        #[ts(optional)]
        header: Option<HeaderSecret>,
        /// A client id that the issuer gave, where clients cannot register themselves.
        #[serde(default)]
        #[ts(optional)]
        client_id: Option<String>,
        /// The issuer that gave it: no other is shown it.
        #[serde(default)]
        #[ts(optional)]
        issuer: Option<String>,
        /// That client's secret, for a confidential one; kept in the keychain.
        #[serde(default)]
        #[ts(optional)]
        client_secret: Option<Incoming>,
        /// Scopes to ask for instead of those that the server names.
        #[serde(default)]
        scopes: Vec<String>,
    },
    /// Remove a server from `config.toml`, its sign-in too.
    RemoveServer {
        /// Which.
        name: String,
    },
    /// Register a client by a key or by its executable.
    AddClient {
        /// Its name.
        name: String,
        /// The servers it may use; empty means all.
        #[serde(default)]
        servers: Vec<String>,
        /// Its executable; absent means that it gets a key.
        #[serde(default)]
        #[ts(optional)]
        program: Option<String>,
        /// It runs in a container: its key may come from there, too.
        #[serde(default)]
        container: bool,
    },
    /// Revoke a client: its key stops working and its open streams are cut.
    RevokeClient {
        /// Which.
        name: String,
    },
    /// Sign in to a server and wait for the end. A [`Reply::Open`] or [`Reply::Code`] line may come first.
    Login {
        /// To which server.
        server: String,
        /// Whether the core opens the browser; otherwise the address is only told.
        open_browser: bool,
        /// Whether the person signs in on any device, by a code that [`Reply::Code`] brings.
        #[serde(default)]
        by_code: bool,
    },
    /// Sign out of a server: revoke at the issuer, wipe here.
    Logout {
        /// Of which server.
        server: String,
    },
    /// Look at what a server and its company sign-in do, lack and contradict. Nobody is signed in.
    Doctor {
        /// A server's short name, or a URL.
        target: String,
    },
    /// The clients that can be connected, and how they stand.
    KnownClients,
    /// What connecting a client would do; nothing is written.
    ConnectPreview {
        /// Which, and how.
        wish: Wish,
    },
    /// Connect a client as the preview said.
    Connect {
        /// Which, and how.
        wish: Wish,
        /// The preview's token.
        token: String,
    },
    /// Take a client's connection back and revoke it.
    Disconnect {
        /// Which.
        client: String,
    },
    /// The last records of the audit trail, and then each that follows.
    Activity {
        /// How many of those that are there.
        last: u32,
    },
    /// The tools of a server, for the person at the window; nothing is called.
    Tools {
        /// Of which server.
        server: String,
    },
    /// What is at an address: it is asked without any credential, and nothing is kept.
    Look {
        /// The address.
        url: String,
    },
    /// The messages of calls from now on, with their secrets cut, until this peer hangs up. The core shows them to the
    /// desktop shell alone, and to one at a time.
    Inspect,
    /// The settings in force.
    Settings,
    /// Refuse every call until [`Request::ResumeAccess`].
    StopAccess,
    /// Judge calls again as before.
    ResumeAccess,
    /// Take the prompter lease: see the questions to the person, now and whenever they change, and answer them on this
    /// connection, which holds the lease until it ends. The core gives it to the desktop shell alone.
    TakePrompts,
    /// Answer a question.
    Answer {
        /// Which.
        question: String,
        /// What the person says.
        answer: Answer,
    },
    /// Give the person as much time again for a question, once.
    MoreTime {
        /// Which.
        question: String,
    },
    /// Take a permission back.
    RevokePermission {
        /// Its number.
        number: u64,
    },
    /// Offer to open sign-in windows. [`Reply::Window`] lines follow until one of both hangs up, and the same connection
    /// takes [`Request::WindowSaid`]. One peer at a time.
    OfferWindows,
    /// What a window says, from the peer that opened it.
    WindowSaid {
        /// Which window.
        #[ts(type = "number")]
        window: u64,
        /// What it says.
        said: WindowSaid,
    },
    /// The machine has come back from sleep or to a network: what waits for an issuer is tried again.
    ComeBack,
    /// Sign out of everything, and remove every secret of ours from the key store; the settings stay.
    LeaveForGood,
    /// Keep what is not kept yet, as far as the key store takes it within ten seconds: what to ask before
    /// [`Request::Stop`]. The answer is [`Reply::Unsaved`].
    SaveAll,
    /// End the core in good order.
    Stop,
    /// Hand over to another core: finish what is under way, and end. The answer is [`Reply::Draining`].
    Drain,
}

/// A header with a secret value.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct HeaderSecret {
    /// Its name, for example `X-API-Key`.
    pub name: String,
    /// Its whole value.
    pub value: Incoming,
}

/// What the core answers.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
#[serde(tag = "reply", rename_all = "snake_case")]
pub enum Reply {
    /// The state.
    Snapshot {
        /// The state.
        snapshot: Snapshot,
    },
    /// A server as it stands now.
    Server {
        /// The server.
        server: Server,
    },
    /// A client was registered.
    ClientAdded {
        /// The client.
        client: Client,
        /// Its key, shown this once; absent for a client known by its executable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        key: Option<String>,
        /// Where it connects to, for each server: the HTTP door's URLs.
        urls: Vec<String>,
    },
    /// The sign-in page's address, for a person who opens it by hand. More lines follow.
    Open {
        /// The address; it is of use to this sign-in only, and only for ten minutes.
        url: String,
    },
    /// What a person needs to sign in on any device. More lines follow.
    Code {
        /// Where they go.
        address: String,
        /// What they type in there.
        code: String,
        /// The same address with the code in it, where there is one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        whole: Option<String>,
    },
    /// Signed out.
    SignedOut {
        /// What became of the refresh token at the issuer.
        revocation: Revocation,
        /// The other servers of the same sign-in: they are signed out, too.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        with: Vec<String>,
    },
    /// Signed out of everything; nothing of ours is in the key store.
    LeftForGood {
        /// What came of it at each server.
        ends: Vec<SignInEnd>,
    },
    /// What the doctor found.
    Diagnosis {
        /// What was found.
        diagnosis: Diagnosis,
    },
    /// The clients that can be connected.
    KnownClients {
        /// Each of them.
        clients: Vec<KnownClient>,
    },
    /// What connecting would do.
    ConnectPreview {
        /// What it would do.
        preview: Preview,
    },
    /// A client is connected.
    Connected {
        /// What was done.
        connected: Connected,
    },
    /// A client is disconnected.
    Disconnected {
        /// What was taken back.
        disconnected: Disconnected,
    },
    /// What waits for an answer. More lines follow.
    Prompts {
        /// All of it.
        prompts: Prompts,
    },
    /// An answer was brought, or more time asked for. More lines follow.
    Answered {
        /// To which question.
        question: String,
        /// Why it does not count, if it does not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[ts(optional)]
        refused: Option<Error>,
    },
    /// An order for a sign-in window; one that is not open yet is opened.
    Window {
        /// Which window.
        #[ts(type = "number")]
        window: u64,
        /// The order.
        order: WindowOrder,
    },
    /// What would be lost if the core ended now.
    Unsaved {
        /// The servers that the person would have to sign in to again.
        servers: Vec<String>,
    },
    /// This core ends when what is under way is done, at the latest after half a minute.
    Draining {
        /// The names of the listening sockets that come with this line, in their order.
        sockets: Vec<String>,
    },
    /// Records of the audit trail, the oldest first. More lines follow.
    Activity {
        /// The records.
        records: Vec<Record>,
    },
    /// Messages of calls that have ended. More lines follow.
    Exchanges {
        /// The calls, as they ended.
        exchanges: Vec<Exchange>,
    },
    /// A server's tools.
    Tools {
        /// The tools, in the server's order.
        tools: Vec<Tool>,
    },
    /// What is at an address.
    Found {
        /// What was found.
        found: Found,
    },
    /// The settings in force.
    Settings {
        /// The settings.
        settings: Settings,
    },
    /// Done, and nothing to tell.
    Done,
    /// It failed.
    Failed {
        /// Why.
        error: Error,
    },
}

/// How a server was signed out of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
pub struct SignInEnd {
    /// The server.
    pub server: String,
    /// What became of the refresh token at the issuer.
    pub revocation: Revocation,
}

/// What became of a token at the issuer on signing out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Revocation {
    /// The issuer has revoked it (RFC 7009).
    Revoked,
    /// The issuer has no such service; the token ends by itself.
    NotOffered,
    /// The issuer could not be asked; the token may live on there until it ends by itself.
    Failed {
        /// Why.
        detail: String,
    },
    /// There was nothing to revoke.
    Nothing,
}
