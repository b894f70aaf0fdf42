//! Everything that runs during the demo, and how it is taken down.

use std::path::PathBuf;

use anyhow::Context as _;
use keybearer_testkit::canary::Canary;
use keybearer_testkit::client::http::HttpClient;
use keybearer_testkit::company::Company;
use serde_json::Value;
use tokio::process::Child;

use super::Mode;
use super::apps::DeskApp;
use super::house::House;
use super::telling::Teller;

/// Where sign-ins are kept in this demo.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    Keychain,
    Memory,
}

/// The company, Keybearer, and the apps.
pub(crate) struct Stage {
    pub(crate) kept: Kept,
    pub(crate) company: Company,
    pub(crate) house: House,
    pub(crate) core: Option<Child>,
    pub(crate) desktop: Option<Child>,
    pub(crate) desk: Option<DeskApp>,
    pub(crate) chat: Option<ChatApp>,
    pub(crate) stand_in: Option<tempfile::TempDir>,
}

/// An app that connects over HTTP with a key.
pub(crate) struct ChatApp {
    pub(crate) key: String,
    pub(crate) crm: HttpClient,
    pub(crate) wiki: HttpClient,
}

impl ChatApp {
    /// Everything that it ever received.
    pub(crate) fn received(&self) -> Vec<u8> {
        [self.crm.received(), self.wiki.received()].concat()
    }
}

impl Stage {
    /// The app that starts the bridge.
    pub(crate) fn desk(&mut self) -> anyhow::Result<&mut DeskApp> {
        self.desk.as_mut().context("the desk app is not there")
    }

    /// The app that connects over HTTP.
    pub(crate) fn chat(&self) -> anyhow::Result<&ChatApp> {
        self.chat.as_ref().context("the chat app is not there")
    }

    /// What to search for: everything that the company's sign-in gives.
    pub(crate) fn canary(&self) -> Canary {
        Canary::default().and_for(self.company.idp.id_tokens())
    }

    /// Where a server's sign-in stands, as the core tells it.
    pub(crate) async fn server(&mut self, name: &str) -> anyhow::Result<Value> {
        let status = self.house.run(&["status"]).await?;
        let servers = status["servers"].as_array().context("the status lists no servers")?;
        servers.iter().find(|server| server["name"] == name).cloned().with_context(|| format!("no server `{name}`"))
    }

    /// The folders that must hold no secret.
    pub(crate) fn leaks(&self) -> anyhow::Result<Vec<PathBuf>> {
        self.canary().files(self.house.folder()).context("search the home")
    }

    /// Ends everything in good order; what was kept in a keychain is removed from it.
    pub(crate) async fn close(&mut self, teller: &mut Teller) -> anyhow::Result<()> {
        if let Some(desk) = self.desk.take() {
            desk.close().await?;
        }
        if let Some(mut desktop) = self.desktop.take() {
            // Its tray icon can be closed by whoever looks at it; in a script nobody does.
            if self.house.mode == Mode::Script {
                teller.check("the desktop app was there to the end", desktop.try_wait()?.is_none());
            }
            let _ = desktop.kill().await;
        }
        let Some(mut core) = self.core.take() else { return Ok(()) };
        let ended = core.try_wait()?;
        if self.kept == Kept::Keychain {
            // A core that Ctrl-C has ended is started again for this.
            for server in ["crm", "wiki"] {
                let _ = self.house.run(&["logout", server]).await;
            }
        }
        if ended.is_none() || self.kept == Kept::Keychain {
            self.house.run(&["stop"]).await?;
        }
        let status = match ended {
            Some(status) => status,
            None => core.wait().await.context("wait for the core's end")?,
        };
        teller.check("the core ended in good order when it was told to", status.success());
        Ok(())
    }
}
