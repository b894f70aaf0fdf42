//! What the issuer remembers: accounts, clients, codes, and tokens by family.

use std::collections::HashMap;

use keybearer_model::time::BootTime;

use super::BadToken;

/// A person who can sign in.
#[derive(Clone)]
pub struct Account {
    /// What is typed into the first field.
    pub user: String,
    /// The name in ID tokens.
    pub name: String,
    /// The e-mail address in ID tokens.
    pub email: String,
    /// What is typed into the second field; minted when the account was made.
    pub password: String,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Account({})", self.email)
    }
}

/// What a good token says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// Whose it is.
    pub user: String,
    /// For which client.
    pub client_id: String,
    /// What it allows.
    pub scopes: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientAuth {
    None,
    Basic,
    Post,
}

#[derive(Clone)]
pub(super) struct Client {
    pub(super) name: String,
    pub(super) secret: Option<String>,
    pub(super) auth: ClientAuth,
    pub(super) redirect_uris: Vec<String>,
    pub(super) grant_types: Vec<String>,
}

/// An authorization request that was found in order.
#[derive(Clone)]
pub(super) struct Asked {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) challenge: String,
    pub(super) resource: String,
    pub(super) scopes: Vec<String>,
    pub(super) nonce: Option<String>,
}

/// A request whose person is at the sign-in page, or past it.
pub(super) struct Pending {
    pub(super) asked: Asked,
    pub(super) user: Option<String>,
}

pub(super) struct Code {
    pub(super) asked: Asked,
    pub(super) user: String,
    pub(super) ends: BootTime,
    pub(super) family: Option<usize>,
}

/// Everything that came from one code: one replay ends it all.
#[derive(Clone)]
pub(super) struct Family {
    /// When the person signed in.
    pub(super) began: BootTime,
    pub(super) revoked: bool,
    pub(super) client_id: String,
    pub(super) user: String,
    pub(super) resource: String,
    pub(super) scopes: Vec<String>,
}

pub(super) struct Access {
    pub(super) family: usize,
    pub(super) scopes: Vec<String>,
    pub(super) ends: BootTime,
    pub(super) revoked: bool,
}

pub(super) struct Refresh {
    pub(super) family: usize,
    pub(super) used_at: Option<BootTime>,
}

#[derive(Default)]
pub(super) struct Book {
    pub(super) accounts: Vec<Account>,
    pub(super) resources: HashMap<String, Vec<String>>,
    pub(super) clients: HashMap<String, Client>,
    pub(super) pending: HashMap<String, Pending>,
    /// Requests that were pushed, each until it is used.
    pub(super) pushed: HashMap<String, Asked>,
    pub(super) sessions: HashMap<String, String>,
    pub(super) codes: HashMap<String, Code>,
    pub(super) families: Vec<Family>,
    pub(super) access: HashMap<String, Access>,
    pub(super) refresh: HashMap<String, Refresh>,
    pub(super) id_tokens: Vec<String>,
    pub(super) introspection_secret: Option<String>,
}

impl Book {
    pub(super) fn account(&self, user: &str) -> Option<&Account> {
        self.accounts.iter().find(|account| account.user == user)
    }

    pub(super) fn family(&self, number: usize) -> Option<&Family> {
        self.families.get(number)
    }

    pub(super) fn revoke_family(&mut self, number: usize) {
        if let Some(family) = self.families.get_mut(number) {
            family.revoked = true;
        }
    }

    /// Every scope that can be asked for.
    pub(super) fn scopes(&self) -> Vec<String> {
        let mut scopes = ["openid", "profile", "email", "offline_access"].map(str::to_owned).to_vec();
        let mut own = self.resources.values().flatten().cloned().collect::<Vec<_>>();
        own.sort();
        own.dedup();
        scopes.extend(own);
        scopes
    }

    pub(super) fn judge(&self, token: &str, resource: &str, now: BootTime) -> Result<TokenFacts, BadToken> {
        let access = self.access.get(token).ok_or(BadToken::Unknown)?;
        let family = self.family(access.family).ok_or(BadToken::Unknown)?;
        if family.resource != resource {
            return Err(BadToken::WrongAudience);
        }
        if family.revoked || access.revoked {
            return Err(BadToken::Revoked);
        }
        if now >= access.ends {
            return Err(BadToken::Expired);
        }
        Ok(TokenFacts { user: family.user.clone(), client_id: family.client_id.clone(), scopes: access.scopes.clone() })
    }
}
