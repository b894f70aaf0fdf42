//! The CRM's tools.

use std::fmt::Write as _;
use std::time::Duration;

use rmcp::handler::server::wrapper::Parameters;
use rmcp::model::{
    CallToolResult, ContentBlock, Implementation, ProgressNotificationParam, RequestMetaObject, ServerCapabilities,
    ServerConfig,
};
use rmcp::{ErrorData, Peer, RoleServer, ServerHandler, schemars, tool, tool_handler, tool_router};
use serde::Deserialize;
use serde_json::json;

use super::crm_records::{Change, Records};

/// One session's view of the CRM.
#[derive(Clone)]
pub(super) struct Crm {
    records: Records,
    pace: Duration,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct FindAccounts {
    /// Part of a name, a city or an owner; everything, if empty.
    #[serde(default)]
    query: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct GetAccount {
    /// The account's id, for example `A-1002`.
    id: String,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct UpdateAccount {
    /// The account's id, for example `A-1002`.
    id: String,
    /// The new owner's e-mail address.
    owner: Option<String>,
    /// The new stage: `lead`, `trial`, `customer`, `renewal` or `lost`.
    stage: Option<String>,
    /// What happens next.
    next_step: Option<String>,
}

#[derive(Debug, Deserialize, schemars::JsonSchema)]
struct ExportReport {
    /// The quarter, for example `2026-Q4`.
    quarter: String,
}

impl Crm {
    pub(super) fn new(records: Records, pace: Duration) -> Self {
        Self { records, pace }
    }
}

#[tool_router]
impl Crm {
    #[tool(description = "Find customer accounts", annotations(title = "Find accounts", read_only_hint = true))]
    fn find_accounts(&self, Parameters(FindAccounts { query }): Parameters<FindAccounts>) -> CallToolResult {
        CallToolResult::structured(json!({ "accounts": self.records.find(&query) }))
    }

    #[tool(description = "Get one customer account", annotations(title = "Get account", read_only_hint = true))]
    fn get_account(&self, Parameters(GetAccount { id }): Parameters<GetAccount>) -> CallToolResult {
        match self.records.get(&id) {
            Some(account) => CallToolResult::structured(json!(account)),
            None => unknown(&id),
        }
    }

    #[tool(
        description = "Change owner, stage or next step of a customer account",
        annotations(title = "Update account", read_only_hint = false, destructive_hint = false)
    )]
    fn update_account(&self, Parameters(wanted): Parameters<UpdateAccount>) -> CallToolResult {
        let UpdateAccount { id, owner, stage, next_step } = wanted;
        match self.records.change(&id, Change { owner, stage, next_step }) {
            Some(account) => CallToolResult::structured(json!(account)),
            None => unknown(&id),
        }
    }

    #[tool(
        description = "Export a quarter's report account by account; takes a while and tells its progress",
        annotations(title = "Export report", read_only_hint = true)
    )]
    async fn export_report(
        &self,
        Parameters(ExportReport { quarter }): Parameters<ExportReport>,
        meta: RequestMetaObject,
        client: Peer<RoleServer>,
    ) -> Result<CallToolResult, ErrorData> {
        let accounts = self.records.find("");
        let mut report = format!("id,name,stage,value {quarter}\n");
        for (done, account) in (1_u32..).zip(&accounts) {
            tokio::time::sleep(self.pace).await;
            let _ = writeln!(report, "{},{},{},{}", account.id, account.name, account.stage, account.value / 4);
            if let Some(token) = meta.get_progress_token() {
                let progress = ProgressNotificationParam::new(token, f64::from(done))
                    .with_total(accounts.len() as f64)
                    .with_message(account.name.clone());
                // A client that has gone away hears nothing more; the export goes on.
                let _ = client.notify_progress(progress).await;
            }
        }
        Ok(CallToolResult::success(vec![ContentBlock::text(report)]))
    }
}

#[tool_handler]
impl ServerHandler for Crm {
    fn get_info(&self) -> ServerConfig {
        ServerConfig::new(ServerCapabilities::builder().enable_tools().build())
            .with_server_info(Implementation::new("example-crm", "2.4.0"))
            .with_instructions("Example Corp's customers. Ask before changing anything.")
    }
}

fn unknown(id: &str) -> CallToolResult {
    CallToolResult::error(vec![ContentBlock::text(format!("there is no account `{id}`"))])
}
