//! What a person or IT lets deviate from the standards, for one server. Without a setting, nothing may.

use keybearer_model::url::Issuer;

use crate::profile::{PkceSupport, RefreshReach};

/// The exceptions that the settings of one server make.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exceptions {
    /// What is done about `resource`, if not what the standard and the issuer's profile say.
    pub resource: Option<ResourceException>,
    /// The issuers whose names metadata may carry though another was asked (SEC-25); never a callback's `iss`.
    pub trusted_issuers: Vec<Issuer>,
    /// How PKCE is known to be checked, where metadata is silent (SEC-22).
    pub pkce: Option<PkceSupport>,
    /// For whom a refresh token gives bearers, where the issuer's profile does not know it.
    pub refresh_reach: Option<RefreshReach>,
}

/// What is sent as `resource` (RFC 8707), if not the server's own identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResourceException {
    /// Nothing.
    Omit,
    /// This, byte for byte.
    Send(String),
}

impl Exceptions {
    /// Whether metadata may carry `named` though another issuer was asked.
    pub(crate) fn trusts(&self, named: &str) -> bool {
        self.trusted_issuers.iter().any(|issuer| issuer.as_str() == named)
    }
}
