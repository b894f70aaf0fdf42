//! Names and ids, one type each, so that two of them cannot be swapped by mistake.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;

/// Why a text is not a name: what names look like is the whole of the advice.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind}: use 1 to 48 of `a-z`, `0-9`, `-`, `_`, beginning with a letter or digit")]
pub struct InvalidName {
    kind: &'static str,
    text: String,
}

fn check(kind: &'static str, text: &str) -> Result<(), InvalidName> {
    let edge = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit();
    let good = (1..=48).contains(&text.len())
        && text.bytes().next().is_some_and(edge)
        && text.bytes().all(|c| edge(c) || c == b'-' || c == b'_')
        // `crm__find` is tool `find` of server `crm`: a server's own name must not look like that.
        && !text.contains("__");
    if good { Ok(()) } else { Err(InvalidName { kind, text: text.chars().take(64).collect() }) }
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(SmolStr);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                check($kind, text)?;
                Ok(Self(text.into()))
            }
        }

        impl TryFrom<String> for $type {
            type Error = InvalidName;
            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0.as_str().to_owned()
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// The short name of a server, as in `/mcp/crm` and `keybearer stdio crm`.
    ServerName,
    "server name"
);
name!(
    /// The name under which a person or IT registered a client.
    ClientName,
    "client name"
);

/// The name under which Keybearer's own tools are recorded; no server may have it.
pub const OWN_SERVER: &str = "keybearer";

/// Identifies a grant: a digest of what it belongs to, so that it is stable and tells nothing.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GrantId(Box<str>);

impl GrantId {
    /// The id of the grant that `client_id` holds at `issuer` for an account, first signed in for `resource`.
    pub fn derive(issuer: &str, client_id: &str, account: &str, resource: &str) -> Self {
        use sha2::{Digest, Sha256};
        let mut digest = Sha256::new();
        for part in [issuer, client_id, account, resource] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let hex = digest.finalize().iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>();
        Self(hex.into())
    }

    /// Takes an id back from where we stored it.
    pub fn from_stored(text: &str) -> Option<Self> {
        let good = text.len() == 24 && text.bytes().all(|c| c.is_ascii_hexdigit());
        good.then(|| Self(text.into()))
    }

    /// The id as 24 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_plain_and_unambiguous() {
        for good in ["crm", "a", "0", "wiki-2", "tea_m"] {
            assert_eq!(good.parse::<ServerName>().map(String::from).as_deref(), Ok(good));
        }
        for bad in ["", "-crm", "CRM", "crm__find", "c r m", "crm/..", "é", &"x".repeat(49)] {
            assert!(bad.parse::<ServerName>().is_err(), "{bad:?} was taken for a name");
        }
    }

    #[test]
    fn grant_ids_keep_their_parts_apart() {
        assert_ne!(GrantId::derive("ab", "c", "d", ""), GrantId::derive("a", "bc", "d", ""));
        let id = GrantId::derive("https://idp.test", "app", "dana", "https://crm.test/mcp");
        assert_eq!(GrantId::from_stored(id.as_str()), Some(id));
        assert_eq!(GrantId::from_stored("../../etc"), None);
    }
}
