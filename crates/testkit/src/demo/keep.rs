//! Leaves everything running, for an app of the person's own.

use std::time::Duration;

use anyhow::Context as _;

use super::stage::Stage;
use super::telling::Teller;

/// Access tokens live longer from now on, as in a real company.
const LIFETIME: Duration = Duration::from_secs(300);

/// Says how to connect, and waits for Ctrl-C.
pub(crate) async fn stay(stage: &mut Stage, teller: &mut Teller) -> anyhow::Result<()> {
    stage.company.idp.token_lifetime(LIFETIME);
    let home = stage.house.home().display().to_string();
    let program = stage.house.program().display().to_string();
    teller.step("It goes on running: connect an app of yours");
    teller.says("An app that starts a command (most desktop apps). Put this into its MCP settings:");
    teller.says("");
    let entry = serde_json::json!({ "mcpServers": { "crm": {
        "command": program, "args": ["stdio", "crm"], "env": { "KEYBEARER_HOME": home },
    } } });
    let entry = serde_json::to_string_pretty(&entry).context("write the settings")?;
    entry.lines().for_each(|line| teller.says(&format!("  {line}")));
    teller.says("");
    teller.says("An app that connects to an address gets one, and a key, from:");
    teller.says(&format!("  KEYBEARER_HOME={home} {program} clients add my-app"));
    teller.says("");
    teller.says("Look at it, or sign out:");
    teller.says(&format!("  KEYBEARER_HOME={home} {program} status"));
    teller.says(&format!("  KEYBEARER_HOME={home} {program} logout crm"));
    teller.says("");
    teller.fact("user name", &stage.company.dana.user);
    teller.fact("password", &stage.company.dana.password);
    teller.says("What no rule decides is asked here, in this terminal. Ctrl-C ends everything.");
    tokio::signal::ctrl_c().await.context("wait for Ctrl-C")?;
    teller.says("");
    // The terminal told the core, too: it ends by itself.
    if let Some(core) = &mut stage.core {
        let _ = tokio::time::timeout(Duration::from_secs(10), core.wait()).await;
    }
    Ok(())
}
