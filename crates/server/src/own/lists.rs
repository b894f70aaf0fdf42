//! Every server's list as one. A server that is slow or signed out does not hold the others up: what it has comes later,
//! and the client is told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use keybearer_model::name::ServerName;
use tokio::time::Instant;

use super::era::{Client, Era};
use super::hub::Hub;
use super::inner::Origin;
use super::open::{List, renamed};
use super::raw::{Answer, Object, raw};
use super::uris;

/// How long a list waits for servers.
const PATIENCE: Duration = Duration::from_secs(2);

impl Hub {
    /// What all servers list together, ours first.
    pub(super) async fn list_all(
        self: &Arc<Self>,
        list: List,
        client: &Client,
        params: Object,
        origin: &Origin,
    ) -> Answer {
        let own = async {
            match list {
                List::Tools => self.own.request(list.method(), params, origin).await,
                List::Prompts | List::Resources | List::Templates => None,
            }
        };
        let deadline = Instant::now() + PATIENCE;
        let servers = self.servers().into_keys();
        let each = servers.map(|server| self.list_in_time(server, list, client.clone(), deadline));
        let (own, each) = tokio::join!(own, join_all(each));
        let own = match own {
            Some(Answer::Result(result)) => Object::of(Some(&result)),
            Some(error @ Answer::Error(_)) => return error,
            None => Object::default(),
        };
        let ours = own.get(list.member()).and_then(|tools| serde_json::from_str::<Vec<Object>>(tools.get()).ok());
        let mut items: Vec<Object> = ours.unwrap_or_default();
        match list {
            List::Tools | List::Prompts => {
                for (server, listed) in each {
                    items.extend(listed.into_iter().filter_map(|item| renamed(item, server.as_str())));
                }
            }
            List::Resources => items.extend(unambiguous(each, "uri")),
            List::Templates => items.extend(unambiguous(each, "uriTemplate")),
        }
        let mut result = Object::default();
        result.set(list.member(), raw(&items));
        if client.era == Era::Modern {
            // What is there can change with every sign-in, and is one caller's alone.
            let besides = [("resultType", raw("complete")), ("ttlMs", raw(&0)), ("cacheScope", raw("private"))];
            besides.into_iter().for_each(|(name, value)| result.set(name, value));
        }
        Answer::result(&result)
    }

    /// One server's list, or nothing if it takes too long; then the client is told when it is there.
    async fn list_in_time(
        self: &Arc<Self>,
        server: ServerName,
        list: List,
        client: Client,
        deadline: Instant,
    ) -> (ServerName, Vec<Object>) {
        if self.needs_sign_in(&server) {
            return (server, Vec::new());
        }
        let over = Arc::new(AtomicBool::new(false));
        let (hub, name, late) = (Arc::clone(self), server.clone(), Arc::clone(&over));
        let mut listing = tokio::spawn(async move {
            let items = hub.list_one(&name, list, &client).await;
            if late.swap(true, Ordering::AcqRel) && !items.is_empty() {
                hub.changed(list).await;
            }
            items
        });
        let items = match tokio::time::timeout_at(deadline, &mut listing).await {
            Ok(items) => items.unwrap_or_default(),
            Err(_) if over.swap(true, Ordering::AcqRel) => listing.await.unwrap_or_default(),
            Err(_) => Vec::new(),
        };
        (server, items)
    }

    async fn list_one(self: &Arc<Self>, server: &ServerName, list: List, client: &Client) -> Vec<Object> {
        let Ok(open) = self.opened(server, client).await else { return Vec::new() };
        // Only the handshake may have shown that it needs a sign-in.
        if self.needs_sign_in(server) {
            return Vec::new();
        }
        open.list(list, client, &self.main()).await
    }

    /// Which server an address belongs to, and the address there.
    pub(super) async fn owner_of(self: &Arc<Self>, uri: &str, client: &Client) -> Option<(ServerName, String)> {
        if let Some((server, uri)) = uris::unwrap(uri) {
            return Some((server, uri.to_owned()));
        }
        let deadline = Instant::now() + PATIENCE;
        let usable = self.servers().into_keys().filter(|server| !self.needs_sign_in(server));
        let each = usable.map(|server| async move {
            let opened = tokio::time::timeout_at(deadline, self.opened(&server, client)).await.ok()?.ok()?;
            let listed = tokio::time::timeout_at(deadline, opened.addresses(client, &self.main())).await.ok()?;
            Some((server, listed))
        });
        let servers: BTreeMap<ServerName, uris::Listed> = join_all(each).await.into_iter().flatten().collect();
        Some((uris::owner(&servers, uri)?.clone(), uri.to_owned()))
    }
}

/// Items under their own addresses; those that several servers list are shown once for each, wrapped.
fn unambiguous(each: Vec<(ServerName, Vec<Object>)>, member: &'static str) -> impl Iterator<Item = Object> {
    let mut owners: HashMap<String, Vec<ServerName>> = HashMap::new();
    for (server, items) in &each {
        for uri in items.iter().filter_map(|item| item.text(member)) {
            let owners = owners.entry(uri).or_default();
            if !owners.contains(server) {
                owners.push(server.clone());
            }
        }
    }
    let all = each.into_iter().flat_map(|(server, items)| items.into_iter().map(move |item| (server.clone(), item)));
    all.map(move |(server, mut item)| {
        if let Some(uri) = item.text(member)
            && (uris::looks_wrapped(&uri) || owners.get(&uri).is_some_and(|owners| owners.len() > 1))
        {
            item.set(member, raw(&uris::wrapped(&server, &uri)));
        }
        item
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_two_servers_is_shown_once_for_each_and_none_passes_for_another_s() {
        let item = |uri: &str| serde_json::from_str::<Object>(&format!(r#"{{"uri":"{uri}","x":1}}"#)).unwrap();
        let each = vec![
            ("crm".parse().unwrap(), vec![item("a://1"), item("same://x")]),
            ("wiki".parse().unwrap(), vec![item("same://x"), item("b://2"), item("keybearer:crm:a://1")]),
        ];
        let shown: Vec<_> = unambiguous(each, "uri").filter_map(|item| item.text("uri")).collect();
        let want = ["a://1", "keybearer:crm:same://x", "keybearer:wiki:same://x", "b://2"];
        assert_eq!(shown, [&want[..], &["keybearer:wiki:keybearer:crm:a://1"]].concat());
    }
}
