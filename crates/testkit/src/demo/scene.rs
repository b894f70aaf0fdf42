//! Leaves everything running for a program that looks at it.

use std::io::Read as _;
use std::time::Duration;

use anyhow::Context as _;

use super::stage::Stage;

/// Nothing ends while somebody looks.
const LIFETIME: Duration = Duration::from_secs(3600);

/// Says where the home is, and waits until whoever has started this closes its input.
pub(crate) async fn hold(stage: &mut Stage) -> anyhow::Result<()> {
    stage.company.idp.token_lifetime(LIFETIME);
    println!("{}", serde_json::json!({ "home": stage.house.home() }));
    let read = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new())).await;
    read.context("wait for the end")?.map(drop).context("wait for the end")
}
