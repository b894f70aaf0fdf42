//! The app that starts `keybearer stdio crm`, as AI apps on the desktop do.

use std::time::Duration;

use anyhow::Context as _;
use keybearer_testkit::client::lines::LineClient;
use tokio::process::Child;

/// An app with a bridge to the CRM.
pub(crate) struct DeskApp {
    bridge: Child,
    pub(crate) crm: LineClient,
}

impl DeskApp {
    /// An app with this bridge.
    pub(crate) fn new(bridge: Child, crm: LineClient) -> Self {
        Self { bridge, crm }
    }

    /// Closes the pipe, as an app does that ends, and waits for the bridge to follow.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        let Self { mut bridge, crm } = self;
        drop(crm);
        let ended = tokio::time::timeout(Duration::from_secs(10), bridge.wait()).await;
        ended.context("the bridge outlives its app")?.context("wait for the bridge")?;
        Ok(())
    }
}
