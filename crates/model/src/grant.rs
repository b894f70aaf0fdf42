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

/// How we became known to an issuer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Registration {
    /// A person or IT did it.
    #[default]
    Hand,
    /// It read our client id metadata document, whose address is our client id.
    Document,
    /// We registered ourselves; that client is known at this one issuer alone.
    Dynamic {
        /// The way back that we registered.
        redirect_uri: String,
    },
}

/// Who lets a sign-in deviate from the standards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// It is known of this kind of issuer.
    Profile,
    /// The settings of the server say so.
    Setting,
}

/// One deviation from the standards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deviation {
    /// In what.
    pub what: Deviating,
    /// Who lets it.
    pub by: Permission,
}

/// In what a sign-in deviates from the standards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "in", rename_all = "snake_case")]
pub enum Deviating {
    /// `resource` is not sent (RFC 8707).
    NoResource,
    /// Another `resource` is sent than the server's metadata names.
    OtherResource {
        /// This one.
        sent: String,
    },
    /// PKCE is taken for granted though the issuer's metadata does not promise it.
    UnadvertisedPkce,
    /// The issuer's metadata names another issuer than the one that was asked.
    OtherIssuer {
        /// The one that was asked.
        asked: String,
    },
}

/// For people: in the list of a server and in the audit trail.
impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            Deviating::NoResource => f.write_str("`resource` is not sent")?,
            Deviating::OtherResource { sent } => write!(f, "`resource` is sent as `{sent}`")?,
            Deviating::UnadvertisedPkce => f.write_str("PKCE is not advertised and taken for granted")?,
            Deviating::OtherIssuer { asked } => write!(f, "the metadata of `{asked}` names another issuer")?,
        }
        f.write_str(match self.by {
            Permission::Profile => " (known of this issuer)",
            Permission::Setting => " (set for this server)",
        })
    }
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
    /// The scopes that were asked for: a later sign-in that needs more asks for these, too.
    #[serde(default)]
    pub requested: Vec<String>,
    /// How we became known to the issuer.
    #[serde(default)]
    pub registration: Registration,
    /// Where the sign-in deviates from the standards, because a profile or a setting lets it (SEC-22, SEC-25).
    #[serde(default)]
    pub deviations: Vec<Deviation>,
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
