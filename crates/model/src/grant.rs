//! One sign-in's lasting result.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::name::GrantId;
use crate::secret::Secret;
use crate::time::{BootTime, Timestamp};
use crate::url::{Endpoint, Issuer};

/// Who the person is at an issuer, from a verified ID token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The issuer's identifier of the person (`sub`).
    pub subject: Option<String>,
    /// The e-mail address, where the issuer told one.
    pub email: Option<String>,
    /// The name, where the issuer told one.
    pub name: Option<String>,
}

/// What a person recognises: e-mail, else name, else the issuer's identifier.
impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.email.as_deref().or(self.name.as_deref()).or(self.subject.as_deref());
        f.write_str(shown.unwrap_or("unknown account"))
    }
}

/// How a client authenticates at the token endpoint (RFC 7591 §2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    /// A public client: its id only.
    None,
    /// HTTP Basic with id and secret (RFC 6749 §2.3.1).
    ClientSecretBasic,
    /// Id and secret in the form.
    ClientSecretPost,
}

/// The parts of a grant that are no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantFacts {
    /// Which grant.
    pub id: GrantId,
    /// Who gave it.
    pub issuer: Issuer,
    /// Where its refresh token goes; pinned at sign-in, a refresh token goes nowhere else (SEC-27).
    pub token_endpoint: Endpoint,
    /// Where its tokens are revoked (RFC 7009), if the issuer has such a place.
    pub revocation_endpoint: Option<Endpoint>,
    /// Our client id at the issuer.
    pub client_id: String,
    /// How we authenticate there.
    pub client_auth: ClientAuth,
    /// The resource that was signed in for, byte for byte as the server's metadata wrote it (RFC 8707).
    pub resource: Option<String>,
    /// The scopes that were granted.
    pub scopes: Vec<String>,
    /// Who signed in.
    pub account: Account,
    /// When.
    pub signed_in_at: Timestamp,
}

impl GrantFacts {
    /// What the sign-in was for.
    pub fn target(&self) -> Target {
        Target { resource: self.resource.clone(), scopes: self.scopes.clone() }
    }

    /// The sign-in that this grant is a part of: one issuer, client and account, whatever it was for.
    pub fn sign_in(&self) -> GrantId {
        let account = self.account.subject.as_deref().unwrap_or_default();
        GrantId::derive(self.issuer.as_str(), &self.client_id, account, "")
    }
}

/// What bearers are asked for: one server's part in a grant that may serve several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// The server's resource, byte for byte; absent where the issuer takes none.
    pub resource: Option<String>,
    /// The server's scopes.
    pub scopes: Vec<String>,
}

/// A grant with its secrets, as the keychain holds it.
#[derive(Debug)]
pub struct Grant {
    /// The public parts.
    pub facts: GrantFacts,
    /// The client's secret, for a confidential client.
    pub client_secret: Option<Secret>,
    /// The refresh token; absent where the issuer gave none.
    pub refresh_token: Option<Secret>,
    /// Counts the renewals: a newer token has a higher generation, and only the same one may be deleted (SEC-44).
    pub generation: u64,
}

/// A fresh access token for one resource; in memory only.
#[derive(Debug)]
pub struct Bearer {
    /// The token.
    pub token: Secret,
    /// When it ends by the boot clock; absent where the issuer did not say.
    pub expires_at: Option<BootTime>,
    /// When it came.
    pub received_at: BootTime,
}

impl Bearer {
    /// Whether it can still be sent, with `margin` to spare for the way to the server.
    pub fn is_fresh(&self, now: BootTime, margin: std::time::Duration) -> bool {
        self.expires_at.is_none_or(|end| now + margin < end)
    }
}
