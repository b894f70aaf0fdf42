//! URLs that we send something to, parsed where they come in.

use std::fmt;
use std::str::FromStr;

use ::url::{Host, Url};
use serde::{Deserialize, Serialize};

use crate::reach::Reach;

/// The longest URL that we take from anybody.
const LONGEST: usize = 2048;

/// Why a URL cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// Not a URL at all, or one with characters that a URL cannot hold.
    #[error("`{0}` is not a URL")]
    NotAUrl(String),
    /// Plain http to somewhere else than this machine, or another scheme.
    #[error("`{0}` must begin with `https://`, or with `http://` for a server on this machine")]
    Scheme(String),
    /// A user name or password in the URL, or a fragment.
    #[error("`{0}` must have no user name, password or `#` part")]
    Extra(String),
}

/// The endpoint of a remote MCP server: `https`, or `http` on loopback; no userinfo, no fragment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Upstream(Url);

impl Upstream {
    /// The parsed URL.
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Whether an address that this server's metadata named may be asked, by its literal or name (SEC-20): it may lie
    /// only as near to us as the server itself. Who sends the request judges what the name resolves to.
    pub fn may_lead_to(&self, to: &Url) -> bool {
        Reach::of_url(&self.0).may_name(Reach::of_url(to))
    }
}

impl FromStr for Upstream {
    type Err = InvalidUrl;
    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        Endpoint::from_str(text).map(|endpoint| Self(endpoint.url))
    }
}

impl fmt::Display for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str())
    }
}

/// An endpoint that metadata named: judged like [`Upstream`], kept byte for byte as it was written.
///
/// RFC 8707 and RFC 9207 compare identifiers as strings, so that a parser's added slash would break them.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Endpoint {
    text: Box<str>,
    url: Url,
}

impl Endpoint {
    /// The text as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parsed URL, for sending a request to it.
    pub fn as_url(&self) -> &Url {
        &self.url
    }
}

impl FromStr for Endpoint {
    type Err = InvalidUrl;
    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let shown = || text.chars().filter(|c| !c.is_control()).take(120).collect::<String>();
        // `url` drops tabs and line breaks silently; what it would repair, we refuse.
        if text.len() > LONGEST || text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return Err(InvalidUrl::NotAUrl(shown()));
        }
        let url = Url::parse(text).map_err(|_| InvalidUrl::NotAUrl(shown()))?;
        if !(url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url)) || url.host().is_none() {
            return Err(InvalidUrl::Scheme(shown()));
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err(InvalidUrl::Extra(shown()));
        }
        Ok(Self { text: text.into(), url })
    }
}

impl TryFrom<String> for Endpoint {
    type Error = InvalidUrl;
    fn try_from(text: String) -> Result<Self, InvalidUrl> {
        text.parse()
    }
}

impl From<Endpoint> for String {
    fn from(endpoint: Endpoint) -> String {
        endpoint.text.into()
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// An authorization server's identifier (RFC 8414 §2): compared as a string, never normalised.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Issuer(Endpoint);

impl Issuer {
    /// The identifier as it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The parsed URL, for building metadata addresses.
    pub fn as_url(&self) -> &Url {
        self.0.as_url()
    }
}

impl FromStr for Issuer {
    type Err = InvalidUrl;
    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        text.parse().map(Self)
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether a URL's host is this machine by its literal: `127.0.0.0/8`, `[::1]` or `localhost`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_are_https_or_loopback_and_keep_their_bytes() {
        for good in ["https://crm.example.com/mcp", "http://127.0.0.1:9/x", "http://[::1]:80", "https://Example.com"] {
            assert_eq!(good.parse::<Endpoint>().unwrap().as_str(), good);
        }
        for bad in [
            "http://crm.example.com/",
            "http://127.0.0.1.evil.test/",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://u@host/",
            "https://host/#f",
            "https://ho st/",
            "https://host/\n",
            "crm",
            "",
        ] {
            assert!(bad.parse::<Endpoint>().is_err(), "{bad:?} was taken");
        }
    }
}
