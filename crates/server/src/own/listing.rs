//! One server's tools, for whoever is not a client of ours.

use std::sync::Arc;

use keybearer_mcp::contact::OBSTACLE;
use keybearer_model::caller::Caller;
use keybearer_model::name::{OWN_SERVER, ServerName};
use serde_json::{Value, json};

use super::era::Client;
use super::hub::Hub;
use super::open::List;
use super::outbox::Outbox;
use super::raw::{Answer, Object, raw};
use crate::stdio::Bridges;

/// The tools that `server` lists, as it wrote them.
///
/// # Errors
/// What stands in the way, in words for a person.
pub(crate) async fn tools_of(bridges: Bridges, caller: Arc<Caller>, server: &ServerName) -> Result<Vec<Value>, String> {
    let mut hello = Object::default();
    hello.set("clientInfo", raw(&json!({ "name": OWN_SERVER, "version": env!("CARGO_PKG_VERSION") })));
    let client = Client::legacy(&hello);
    let hub = Hub::new(bridges, caller, None, Outbox::closed());
    let open = hub.opened(server, &client).await.map_err(|answer| said(&answer))?;
    let listed = open.list(List::Tools, &client, &Outbox::closed()).await;
    let tools: Vec<Value> = listed.iter().filter_map(|tool| serde_json::from_str(tool.raw().get()).ok()).collect();
    // Where something stands in the way the door lists a tool of its own that says so.
    let obstacle = tools.iter().find_map(|tool| tool.get("_meta")?.get(OBSTACLE)?.get("message")?.as_str());
    match obstacle {
        Some(message) => Err(message.to_owned()),
        None => Ok(tools),
    }
}

fn said(answer: &Answer) -> String {
    let message = match answer {
        Answer::Error(error) => Object::of(Some(error)).text("message"),
        Answer::Result(_) => None,
    };
    message.unwrap_or_else(|| "it does not answer as a server for tools does".to_owned())
}
