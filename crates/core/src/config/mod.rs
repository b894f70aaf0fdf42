//! The person's settings: `config.toml`, parsed strictly, with every problem told at once and by its line.
//!
//! Text in, values out: no file is read here, nothing is expanded (`${...}` stays what it is), and no secret has a
//! place in it. What exists as a [`Config`] is valid.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use http::HeaderName;
use keybearer_model::grant::ClientAuth;
use keybearer_model::name::ServerName;
use keybearer_model::url::{Issuer, Upstream};
use keybearer_oauth::document::ClientMetadataUrl;
use keybearer_oauth::exceptions::Exceptions;
use keybearer_policy::Policy;

pub mod edit;
mod passing;
mod problem;
mod reader;
mod rules;
mod servers;
mod shown;
mod sign_in;

pub use passing::{HeaderPattern, IdentityHeader, IdentityValue, Passing};
pub use problem::Problem;
pub use shown::Shown;

use reader::Reader;

/// The settings.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The servers, by name.
    pub servers: BTreeMap<ServerName, ServerConfig>,
    /// Who may do what.
    pub policy: Policy,
    /// Where secrets are kept.
    pub key_store: KeyStoreChoice,
    /// The port of the HTTP door; 0 means any free one, absent means the one that was taken the first time.
    pub http_port: Option<u16>,
    /// The address of this machine at which containers reach the container door; without it that door does not open.
    pub container_door: Option<Ipv4Addr>,
    /// How much one client may ask at the HTTP and socket doors.
    pub limits: CallLimits,
    /// How long a person has for an answer.
    pub ask_timeout: Duration,
    /// Where our client id metadata document is, if somebody hosts it.
    pub client_metadata_url: Option<ClientMetadataUrl>,
    /// Where people sign in to servers that say nothing else.
    pub surface: SurfaceChoice,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            servers: BTreeMap::new(),
            policy: Policy::default(),
            key_store: KeyStoreChoice::default(),
            http_port: None,
            container_door: None,
            limits: CallLimits::default(),
            ask_timeout: Duration::from_secs(45),
            client_metadata_url: None,
            surface: SurfaceChoice::Auto,
        }
    }
}

/// How much one client may ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// Calls that are open at a time.
    pub open: u32,
    /// Calls in a second, in the long run.
    pub per_second: u32,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self { open: 256, per_second: 1000 }
    }
}

/// Where secrets are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeyStoreChoice {
    /// In the operating system's keychain.
    #[default]
    System,
    /// In memory only: everybody signs in again after a restart.
    Memory,
}

/// One server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerConfig {
    /// Its MCP endpoint.
    pub url: Upstream,
    /// How calls to it are authorized.
    pub auth: AuthConfig,
    /// Headers beyond MCP's own that it is given.
    pub passing: Passing,
}

impl ServerConfig {
    /// A server that is given no headers beyond MCP's own.
    pub fn new(url: Upstream, auth: AuthConfig) -> Self {
        Self { url, auth, passing: Passing::default() }
    }
}

/// How calls to a server are authorized.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthConfig {
    /// By a sign-in.
    OAuth(OAuthConfig),
    /// By a header whose secret value is in the keychain.
    Header {
        /// The header.
        name: HeaderName,
    },
    /// Not at all.
    None,
}

/// What is set for the sign-in of a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OAuthConfig {
    /// The client id that the issuer gave; absent where clients register themselves.
    pub client_id: Option<String>,
    /// How that client authenticates, if not as the issuer's metadata has it.
    pub client_auth: Option<ClientAuth>,
    /// The issuer that gave it: no other is shown it.
    pub issuer: Option<Issuer>,
    /// Scopes to ask for instead of those that the server names; empty for the server's.
    pub scopes: Vec<String>,
    /// What may deviate from the standards.
    pub exceptions: Exceptions,
    /// How long a sign-in lasts there, whatever it is used for; absent where nobody has said.
    pub sign_in_life: Option<Duration>,
    /// Where the person signs in, where it is not as for the others.
    pub surface: Option<SurfaceChoice>,
}

/// Where a person signs in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SurfaceChoice {
    /// In the sign-in window, where there is one and the issuer's pages work there; else in the browser.
    #[default]
    Auto,
    /// In the sign-in window wherever there is one.
    Window,
    /// In the browser.
    Browser,
    /// By a code on any device, where somebody is told it; else in the browser.
    Device,
}

impl Config {
    /// Parses the text of `config.toml`.
    ///
    /// # Errors
    /// Every problem in it, in the order of lines.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        let (document, syntax) = toml::de::DeTable::parse_recoverable(text);
        let mut reader = Reader::new(text);
        for error in &syntax {
            reader.syntax(error);
        }
        let config = reader.config(document.get_ref());
        reader.finish(config)
    }
}

#[cfg(test)]
mod tests;
