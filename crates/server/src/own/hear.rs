//! What servers say of their own accord, on its way to the client: questions, changes, log messages.

use std::sync::{Arc, PoisonError};

use keybearer_model::name::ServerName;
use serde_json::value::RawValue;

use super::hub::{Change, Hub};
use super::inner::{Heard, Inner};
use super::open::List;
use super::raw::{Answer, Object, Raw, message, raw};

impl Hub {
    pub(super) async fn hear(self: &Arc<Self>, inner: Arc<Inner>, heard: Heard) {
        match heard {
            Heard::Request { id, method, params } => self.question(inner, id, method, params).await,
            Heard::Notification { method, params } => self.notice(&inner, &method, params).await,
        }
    }

    async fn question(&self, inner: Arc<Inner>, id: Raw, method: String, params: Option<Raw>) {
        if method == "ping" {
            return inner.respond(&id, &Answer::result(&Object::default())).await;
        }
        if self.legacy_client().is_none() {
            let answer = Answer::error(-32601, "not_asked", "this client takes no requests from servers");
            return inner.respond(&id, &answer).await;
        }
        let to = inner.current().unwrap_or_else(|| self.main());
        let key = (inner.server.clone(), id.get().to_owned());
        let asked = Arc::clone(&self.asked);
        let asking = self.tasks().spawn(async move {
            let answer = asked.ask(&to, &method, params.as_deref()).await;
            inner.respond(&id, &answer).await;
        });
        let mut open = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, asking| !asking.is_finished());
        open.insert(key, asking);
    }

    async fn notice(&self, inner: &Inner, method: &str, mut params: Object) {
        match method {
            "notifications/cancelled" => {
                let id = params.get("requestId").map_or("", RawValue::get).to_owned();
                let mut open = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(asking) = open.remove(&(inner.server.clone(), id)) {
                    asking.abort();
                }
            }
            "notifications/tools/list_changed" => self.changed(List::Tools).await,
            "notifications/prompts/list_changed" => self.changed(List::Prompts).await,
            "notifications/resources/list_changed" => self.changed(List::Resources).await,
            "notifications/resources/updated" => {
                let uri = params.text("uri").unwrap_or_default();
                let uri = self.subscribed_as(&inner.server, uri);
                params.set("uri", raw(&uri));
                let _ = self.changes.send(Change::Updated(uri));
                if self.legacy_client().is_some() {
                    self.pass_on(inner, method, &params).await;
                }
            }
            "notifications/subscriptions/acknowledged" => {}
            _ => self.pass_on(inner, method, &params).await,
        }
    }

    /// To whom it belongs most likely; a modern client takes nothing that belongs to no request of its own.
    async fn pass_on(&self, inner: &Inner, method: &str, params: &Object) {
        let main = self.legacy_client().map(|_| self.main());
        if let Some(to) = inner.current().or(main) {
            let params = (!params.is_empty()).then(|| params.raw());
            to.send(message(None, method, params.as_deref())).await;
        }
    }

    /// Remembers under which address the client wants to hear of changes.
    pub(super) fn subscribes(&self, server: ServerName, own: String, shown: String) {
        if own != shown {
            self.subscribed.lock().unwrap_or_else(PoisonError::into_inner).insert((server, own), shown);
        }
    }

    fn subscribed_as(&self, server: &ServerName, uri: String) -> String {
        let subscribed = self.subscribed.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (server.clone(), uri);
        match subscribed.get(&key) {
            Some(shown) => shown.clone(),
            None => key.1,
        }
    }
}
