//! How a grant ends, as data: the words are for whoever shows it.

use keybearer_model::time::Timestamp;
use serde::{Deserialize, Serialize};

/// How a grant ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Ending {
    /// The issuer does not renew it any more: its time was over, or somebody revoked it.
    Refused {
        /// When it said so.
        at: Timestamp,
    },
    /// It was interrupted while it was being renewed: the issuer's answer never came, and it takes the refresh token that
    /// is here no more.
    Interrupted {
        /// When that came out.
        at: Timestamp,
    },
    /// The person signed out.
    SignedOut,
}

/// What a grant that is given up is worth to its issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Farewell {
    /// It is told to revoke it.
    Revoke,
    /// It is told nothing: a revocation would end other grants of the same sign-in there.
    Forget,
}

/// What became of a token at the issuer on signing out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The issuer has revoked the token.
    Revoked,
    /// The issuer has no such service.
    NotOffered,
    /// The issuer could not be asked.
    Failed(String),
    /// There was nothing to revoke.
    Nothing,
}
