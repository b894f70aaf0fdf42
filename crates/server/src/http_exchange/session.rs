//! Where a request stands in a session of its server, and what the answer changes about that.

use std::sync::Arc;

use http::{Method, Response, StatusCode};
use keybearer_core::admission::Permit;
use keybearer_core::audit::Outcome;
use keybearer_mcp::header::SESSION_ID;
use keybearer_model::grant::Account;

use super::{Errand, Exchange, Stopped};
use crate::forward::Relay;
use crate::sessions::Bound;

/// The session that a request is part of.
pub(super) enum Session<'a> {
    /// None yet, or its era has none.
    None,
    /// The caller's own.
    Of(&'a str, Arc<Bound>),
}

/// Not known, or not the caller's.
pub(super) struct Unknown;

impl Session<'_> {
    /// Whose account a session would be that is opened now.
    pub(super) fn account_to_bind(&self, permit: &Permit) -> Option<Arc<Account>> {
        match self {
            Self::None => permit.account().map(Arc::clone),
            Self::Of(..) => None,
        }
    }
}

impl Exchange {
    /// The session that the request names.
    pub(super) fn session<'a>(&self, errand: &Errand<'a>) -> Result<Session<'a>, Unknown> {
        let mut named = errand.head.headers.get_all(SESSION_ID).iter();
        let (false, Some(id)) = (errand.modern, named.next()) else { return Ok(Session::None) };
        let (Ok(id), None) = (id.to_str(), named.next()) else { return Err(Unknown) };
        let bound = self.sessions.find(id, errand.server, errand.visitor).ok_or(Unknown)?;
        Ok(Session::Of(id, bound))
    }

    /// Lets a permit through that is for the account which the session is used as; another one ends the session.
    pub(super) fn in_session(&self, session: &Session<'_>, permit: Permit) -> Result<Permit, Stopped> {
        match session {
            Session::Of(id, bound) if !bound.is_as(permit.account().map(|account| &**account)) => {
                self.sessions.end(id, bound);
                permit.settle(Outcome::UnknownSession);
                Err(Stopped::UnknownSession)
            }
            Session::None | Session::Of(..) => Ok(permit),
        }
    }

    /// Binds the session that the server has opened, or forgets the one that has ended.
    pub(super) fn follow(
        &self,
        errand: &Errand<'_>,
        session: &Session<'_>,
        account: Option<&Account>,
        relayed: &Response<Relay>,
    ) {
        match session {
            Session::Of(id, bound) => {
                let ended = errand.head.method == Method::DELETE && relayed.status().is_success();
                if ended || relayed.status() == StatusCode::NOT_FOUND {
                    self.sessions.end(id, bound);
                }
            }
            Session::None if errand.modern || !relayed.status().is_success() => {}
            Session::None => {
                let opened = relayed.headers().get(SESSION_ID).and_then(|id| id.to_str().ok());
                if let Some(id) = opened {
                    self.sessions.bind(id, errand.server, errand.visitor, account);
                }
            }
        }
    }
}
