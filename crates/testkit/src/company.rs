//! Example Corp, small: a company sign-in and two MCP servers that it protects, CRM and Wiki.
//!
//! The servers are made with `rmcp`, as a company would make them; in front of each stands a check of its own that takes
//! bearers for this very server and no other. Stories and the demo use the same company.

mod crm;
mod crm_records;
mod guard;
mod wiki;
mod wiki_pages;

#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use keybearer_core::ports::Clock;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use self::guard::Guard;
use crate::idp::{Account, FakeIdp, Verifier};
use crate::serving::{self, Serving};

/// The company's servers and its sign-in, running while this value lives.
pub struct Company {
    /// "Example Corp sign-in".
    pub idp: FakeIdp,
    /// The employee.
    pub dana: Account,
    /// Customers: `find_accounts`, `get_account`, `update_account`, `export_report`.
    pub crm: ProtectedServer,
    /// Pages: `search`, `read_page`, `edit_page`.
    pub wiki: ProtectedServer,
}

/// One of the company's MCP servers.
pub struct ProtectedServer {
    url: String,
    guard: Guard,
    _serving: Serving,
}

impl Company {
    /// Opens the company by `clock`; each step of the long export takes `pace`.
    pub async fn open(clock: Arc<dyn Clock>, pace: Duration) -> io::Result<Self> {
        let idp = FakeIdp::start("Example Corp sign-in", clock).await?;
        let dana = idp.add_account("dana", "Dana Ortiz", "dana@example.com")?;
        let records = crm_records::Records::default();
        let crm = ProtectedServer::start(&idp, "CRM", &["crm:read", "crm:write"], move || {
            crm::Crm::new(records.clone(), pace)
        });
        let pages = wiki_pages::Pages::default();
        let wiki =
            ProtectedServer::start(&idp, "Wiki", &["wiki:read", "wiki:write"], move || wiki::Wiki::new(pages.clone()));
        let (crm, wiki) = (crm.await?, wiki.await?);
        Ok(Self { idp, dana, crm, wiki })
    }
}

impl ProtectedServer {
    async fn start<S>(
        idp: &FakeIdp,
        name: &'static str,
        scopes: &[&str],
        make: impl Fn() -> S + Send + Sync + 'static,
    ) -> io::Result<Self>
    where
        S: rmcp::ServerHandler + Send + 'static,
    {
        let (listener, address) = serving::bind().await?;
        let url = format!("http://{address}/mcp");
        let guard = Guard::new(name, &format!("http://{address}"), idp.protect(&url, scopes), scopes);
        let mcp = StreamableHttpService::new(
            move || Ok(make()),
            Arc::new(LocalSessionManager::default()),
            StreamableHttpServerConfig::default(),
        );
        let router = guard.protect(Router::new().route_service("/mcp", mcp));
        Ok(Self { url, guard, _serving: Serving::start(listener, router) })
    }

    /// Where it is: `http://127.0.0.1:…/mcp`, which is also its resource identifier.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// What judges its bearers.
    pub fn verifier(&self) -> &Verifier {
        self.guard.verifier()
    }

    /// How many requests came to the MCP endpoint, those that were refused too.
    pub fn requests(&self) -> usize {
        self.guard.log().requests
    }

    /// How many requests were refused for want of a good bearer.
    pub fn refused(&self) -> usize {
        self.guard.log().refused
    }

    /// How many different bearers were good.
    pub fn bearers(&self) -> usize {
        self.guard.log().bearers.len()
    }

    /// Whether any head of any request so far contained `text`.
    pub fn heard(&self, text: &str) -> bool {
        self.guard.log().heads.iter().any(|head| head.contains(text))
    }
}
