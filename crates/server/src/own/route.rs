//! A client's message: whose it is, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use keybearer_core::audit::Outcome;
use keybearer_mcp::modern;
use keybearer_mcp::peek::Peeked;
use keybearer_mcp::reply::Obstacle;
use keybearer_model::name::ServerName;
use serde_json::value::RawValue;

use super::era::{Client, Era};
use super::hub::{Hub, obstacle};
use super::inner::Origin;
use super::names;
use super::open::List;
use super::outbox::Outbox;
use super::raw::{Answer, Frame, Object, raw};
use super::tools;
use super::uris;
use crate::calls;

/// How long a server may take to note a subscription.
const PATIENCE: Duration = Duration::from_secs(2);

/// A request of the client's, taken apart.
pub(super) struct Asking {
    pub(super) method: String,
    pub(super) params: Object,
    pub(super) client: Client,
    pub(super) origin: Origin,
}

impl Hub {
    /// Answers a request; what belongs to it meanwhile goes to `stream`.
    pub(super) async fn answer(self: &Arc<Self>, message: &Peeked<'_>, frame: Frame, stream: Outbox) -> Answer {
        let params = Object::of(frame.params.as_deref());
        let client = if modern::is_modern(message) {
            Client::modern(&params)
        } else {
            self.legacy_client().unwrap_or_else(|| Client::legacy(&Object::default()))
        };
        let method = frame.method.unwrap_or_default();
        let asking = Asking { method, params, client, origin: Origin { stream, id: frame.id } };
        if let Some(list) = List::of(&asking.method) {
            return self.list_all(list, &asking.client, asking.params, &asking.origin).await;
        }
        match asking.method.as_str() {
            "tools/call" => self.call_tool(asking, message).await,
            "prompts/get" => self.named(asking, message).await,
            "completion/complete" => self.complete(asking, message).await,
            "resources/read" => self.read(asking, message).await,
            "resources/subscribe" | "resources/unsubscribe" => self.subscribe(asking, message).await,
            "logging/setLevel" => {
                self.set_level(&asking.params);
                Answer::result(&Object::default())
            }
            "initialize" => self.begin(asking).await,
            "subscriptions/listen" => self.listen(asking).await,
            // Handshakes of either era, `ping`, and what nobody knows.
            _ => self.ours(asking).await,
        }
    }

    /// Takes a notification in.
    pub(super) async fn notified(&self, method: &str, params: Option<&RawValue>) {
        match method {
            "notifications/initialized" => {
                self.is_initialized();
                self.own.notify(method, params).await;
            }
            "notifications/roots/list_changed" => {
                for open in self.open_now() {
                    if open.facts.era == Era::Legacy {
                        open.inner.notify(method, params).await;
                    }
                }
            }
            _ => {}
        }
    }

    async fn begin(&self, asking: Asking) -> Answer {
        self.begins(Client::legacy(&asking.params));
        self.ours(asking).await
    }

    pub(super) async fn ours(&self, asking: Asking) -> Answer {
        let answer = self.own.request(&asking.method, asking.params, &asking.origin).await;
        answer.unwrap_or_else(|| Answer::error(-32603, "internal", "Keybearer: something went wrong."))
    }

    async fn call_tool(self: &Arc<Self>, asking: Asking, message: &Peeked<'_>) -> Answer {
        if message.tool.as_deref().is_some_and(tools::is_ours) {
            return self.ours(asking).await;
        }
        self.named(asking, message).await
    }

    /// A request that names a tool or a prompt.
    async fn named(self: &Arc<Self>, mut asking: Asking, message: &Peeked<'_>) -> Answer {
        let name = asking.params.text("name").unwrap_or_default();
        let list = if asking.method == "tools/call" { List::Tools } else { List::Prompts };
        let Some((server, rest)) = self.of_server(&name) else { return unknown(list) };
        if let Some(refused) = self.refuses(&server, message) {
            return refused;
        }
        let open = match self.opened(&server, &asking.client).await {
            Ok(open) => open,
            Err(answer) => return answer,
        };
        let own = open.own_name(list, &name, rest, &asking.client, &self.main()).await;
        asking.params.set("name", raw(&own));
        self.send(&open, asking).await
    }

    async fn complete(self: &Arc<Self>, mut asking: Asking, message: &Peeked<'_>) -> Answer {
        let mut about = Object::of(asking.params.get("ref"));
        if let Some(uri) = about.text("uri") {
            let Some((server, own)) = self.owner_of(&uri, &asking.client).await else { return no_resource(&asking) };
            about.set("uri", raw(&own));
            asking.params.set("ref", about.raw());
            return self.send_to(&server, asking, message).await;
        }
        let name = about.text("name").unwrap_or_default();
        let Some((server, rest)) = self.of_server(&name) else { return unknown(List::Prompts) };
        if let Some(refused) = self.refuses(&server, message) {
            return refused;
        }
        let open = match self.opened(&server, &asking.client).await {
            Ok(open) => open,
            Err(answer) => return answer,
        };
        let own = open.own_name(List::Prompts, &name, rest, &asking.client, &self.main()).await;
        about.set("name", raw(&own));
        asking.params.set("ref", about.raw());
        self.send(&open, asking).await
    }

    async fn read(self: &Arc<Self>, mut asking: Asking, message: &Peeked<'_>) -> Answer {
        let uri = asking.params.text("uri").unwrap_or_default();
        let Some((server, own)) = self.owner_of(&uri, &asking.client).await else { return no_resource(&asking) };
        asking.params.set("uri", raw(&own));
        let answer = self.send_to(&server, asking, message).await;
        if own == uri { answer } else { uris::readdressed(answer, &own, &uri) }
    }

    async fn subscribe(self: &Arc<Self>, mut asking: Asking, message: &Peeked<'_>) -> Answer {
        let uri = asking.params.text("uri").unwrap_or_default();
        let Some((server, own)) = self.owner_of(&uri, &asking.client).await else { return no_resource(&asking) };
        self.subscribes(server.clone(), own.clone(), uri);
        asking.params.set("uri", raw(&own));
        self.send_to(&server, asking, message).await
    }

    /// A subscription of the modern era: ours is fed by what every server says; for single resources, theirs are asked.
    async fn listen(self: &Arc<Self>, asking: Asking) -> Answer {
        let wanted = Object::of(asking.params.get("notifications"));
        let uris =
            wanted.get("resourceSubscriptions").and_then(|raw| serde_json::from_str::<Vec<String>>(raw.get()).ok());
        let mut theirs = Vec::new();
        for uri in uris.unwrap_or_default() {
            let Some((server, own)) = self.owner_of(&uri, &asking.client).await else { continue };
            let Ok(open) = self.opened(&server, &asking.client).await else { continue };
            self.subscribes(server, own.clone(), uri);
            if open.facts.era == Era::Modern {
                let wanted = serde_json::json!({ "resourceSubscriptions": [own] });
                theirs.push(Aborted(self.listen_to(&open, &wanted, &asking.client)));
            } else {
                let mut params = Object::default();
                params.set("uri", raw(&own));
                let subscribing = open.inner.request("resources/subscribe", params, &asking.origin);
                let _ = tokio::time::timeout(PATIENCE, subscribing).await;
            }
        }
        self.ours(asking).await
    }

    async fn send_to(self: &Arc<Self>, server: &ServerName, asking: Asking, message: &Peeked<'_>) -> Answer {
        if let Some(refused) = self.refuses(server, message) {
            return refused;
        }
        match self.opened(server, &asking.client).await {
            Ok(open) => self.send(&open, asking).await,
            Err(answer) => answer,
        }
    }

    /// The server that a shown name begins with, and the rest of the name.
    fn of_server<'a>(&self, shown: &'a str) -> Option<(ServerName, &'a str)> {
        let (server, rest) = names::split(shown)?;
        let server: ServerName = server.parse().ok()?;
        self.broker().knows(&server).then_some((server, rest))
    }

    /// The answer to a client that may not use the server at all. It is recorded as what was asked of the server.
    fn refuses(&self, server: &ServerName, message: &Peeked<'_>) -> Option<Answer> {
        if self.may_use(server) && self.broker().knows(server) {
            return None;
        }
        let mut call = calls::call_of(message, &self.caller, server);
        call.tool = call.tool.map(|shown| names::split(&shown).map_or(shown.clone(), |(_, rest)| rest.into()));
        self.broker().record_refused(call, Outcome::Denied);
        Some(obstacle(Obstacle::NotAllowed, server))
    }
}

fn unknown(list: List) -> Answer {
    let what = if list == List::Tools { "tool" } else { "prompt" };
    Answer::error(-32602, "unknown_name", &format!("Keybearer: there is no {what} of this name."))
}

fn no_resource(asking: &Asking) -> Answer {
    let code = if asking.client.era == Era::Modern { -32602 } else { -32002 };
    Answer::error(code, "unknown_resource", "Keybearer: no server, or more than one, has this resource.")
}

/// A task that ends with what it was begun for.
struct Aborted(tokio::task::AbortHandle);

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}
