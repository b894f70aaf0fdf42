//! Keybearer's own tools, on the official library: what there is, where each sign-in stands, and signing in.

use std::borrow::Cow;
use std::sync::{Arc, Weak};

use keybearer_core::audit::Outcome;
use keybearer_model::call::{Call, MethodClass, RiskClass};
use keybearer_model::name::OWN_SERVER;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, CallToolResult, ContentBlock, ErrorData, Implementation, JsonObject,
    ListToolsResult, PaginatedRequestParams, ServerCapabilities, ServerConfig, SubscriptionFilter, Tool,
    ToolAnnotations,
};
use rmcp::service::{RequestContext, RoleServer, SubscriptionContext};
use rmcp::{ServerHandler, serve_server};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use super::hub::{Change, Hub};
use super::inner::{self, Inner};
use super::open::List;
use super::words;

const STATUS: &str = "status";
const SIGN_IN: &str = "sign_in";
const LIST_SERVERS: &str = "list_servers";

const INSTRUCTIONS: &str = "Keybearer brings the company's tools. A tool `crm__find` is the tool `find` of the server \
    `crm`. Call `status` to see which servers there are and which need a sign-in, and `sign_in` to sign in to one.";

/// Whether a tool is one of ours.
pub(super) fn is_ours(tool: &str) -> bool {
    matches!(tool, STATUS | SIGN_IN | LIST_SERVERS)
}

/// Starts our own server for one session.
pub(super) fn start(hub: Weak<Hub>) -> Arc<Inner> {
    let (ours, theirs) = tokio::io::duplex(64 << 10);
    tokio::spawn(async move {
        if let Ok(running) = serve_server(Own { hub }, theirs).await {
            let _ = running.waiting().await;
        }
    });
    let (reader, writer) = tokio::io::split(ours);
    let inner = Inner::start(words::ours(), writer);
    // It says nothing that does not belong to a request.
    tokio::spawn(inner::listen(reader, Arc::downgrade(&inner), |_, _| std::future::ready(())));
    inner
}

#[derive(Clone)]
struct Own {
    hub: Weak<Hub>,
}

impl ServerHandler for Own {
    fn get_info(&self) -> ServerConfig {
        let mut capabilities = ServerCapabilities::builder()
            .enable_completions()
            .enable_prompts()
            .enable_prompts_list_changed()
            .enable_resources()
            .enable_resources_list_changed()
            .enable_resources_subscribe()
            .enable_tools()
            .enable_tool_list_changed()
            .build();
        capabilities.logging = Some(JsonObject::new());
        ServerConfig::new(capabilities)
            .with_server_info(Implementation::new(OWN_SERVER, env!("CARGO_PKG_VERSION")).with_title("Keybearer"))
            .with_instructions(INSTRUCTIONS)
    }

    async fn list_tools(
        &self,
        _: Option<PaginatedRequestParams>,
        _: RequestContext<RoleServer>,
    ) -> Result<ListToolsResult, ErrorData> {
        Ok(ListToolsResult::with_all_items(tools()))
    }

    async fn call_tool(
        &self,
        request: CallToolRequestParams,
        context: RequestContext<RoleServer>,
    ) -> Result<CallToolResponse, ErrorData> {
        let hub = self.hub.upgrade().ok_or_else(|| ErrorData::internal_error("Keybearer is ending", None))?;
        let arguments = request.arguments.unwrap_or_default();
        // Dropped with the call, if the client calls it off.
        let record = hub.broker().record_own(call(&hub, &request.name, &arguments));
        let result = match &*request.name {
            STATUS => words::status(&hub.servers()),
            LIST_SERVERS => words::servers(&hub.servers()),
            SIGN_IN => {
                super::sign_in::sign_in(&hub, arguments.get("server").and_then(|value| value.as_str()), &context).await
            }
            _ => return Err(ErrorData::invalid_params("Keybearer: there is no tool of this name.", None)),
        };
        record.settle(Outcome::Answered { status: 200 });
        let text = vec![ContentBlock::text(result.text)];
        let mut told = if result.is_error { CallToolResult::error(text) } else { CallToolResult::success(text) };
        told.structured_content = result.structured;
        Ok(told.into())
    }

    fn accepted_subscription_filter(&self, requested: &SubscriptionFilter) -> Option<SubscriptionFilter> {
        Some(requested.clone())
    }

    async fn listen(&self, subscription: SubscriptionContext) -> Result<(), ErrorData> {
        let Some(mut changes) = self.hub.upgrade().map(|hub| hub.changes.subscribe()) else { return Ok(()) };
        let sink = subscription.sink();
        loop {
            let change = tokio::select! {
                () = subscription.cancelled() => return Ok(()),
                change = changes.recv() => change,
            };
            // What was not asked for is not sent; that is no failure.
            let _ = match change {
                Ok(Change::Listed(List::Tools)) => sink.notify_tool_list_changed().await,
                Ok(Change::Listed(List::Prompts)) => sink.notify_prompt_list_changed().await,
                Ok(Change::Listed(List::Resources | List::Templates)) => sink.notify_resource_list_changed().await,
                Ok(Change::Updated(uri)) => sink.notify_resource_updated(uri).await,
                Err(RecvError::Lagged(_)) => Ok(()),
                Err(RecvError::Closed) => return Ok(()),
            };
        }
    }
}

fn tools() -> Vec<Tool> {
    let tool = |name: &'static str, title: &str, description: &'static str, input: serde_json::Value, reads: bool| {
        let schema: JsonObject = serde_json::from_value(input).unwrap_or_default();
        let mut tool = Tool::new(name, description, schema);
        tool.title = Some(title.to_owned());
        tool.annotations = Some(ToolAnnotations::from_raw(None, Some(reads), Some(false), Some(true), Some(!reads)));
        tool
    };
    let nothing = json!({ "type": "object", "properties": {}, "additionalProperties": false });
    let server = json!({
        "type": "object",
        "properties": { "server": { "type": "string", "description": "The server's name, as `status` tells it" } },
        "additionalProperties": false,
    });
    vec![
        tool(STATUS, "Status", "Tells which servers there are and where each sign-in stands.", nothing.clone(), true),
        tool(
            SIGN_IN,
            "Sign in",
            "Opens the sign-in to a server in the person's browser and waits a while for them. \
             Without a name: the one server that needs it.",
            server,
            false,
        ),
        tool(LIST_SERVERS, "List servers", "Lists the servers whose tools are here.", nothing, true),
    ]
}

/// What the audit trail says of a call to one of ours.
fn call(hub: &Hub, tool: &str, arguments: &JsonObject) -> Call {
    let tool: Cow<'_, str> = if is_ours(tool) { tool.into() } else { "unknown".into() };
    Call {
        caller: Arc::clone(&hub.caller),
        server: words::ours(),
        method: "tools/call".into(),
        class: MethodClass::ToolCall,
        risk: if tool == SIGN_IN { RiskClass::Change } else { RiskClass::Read },
        tool: Some(tool.into()),
        argument_names: arguments.keys().map(|name| name.as_str().into()).collect(),
    }
}
