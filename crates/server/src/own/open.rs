//! A server that was met: what it offers, and what it has listed so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::task::JoinSet;

use super::era::{self, Client, Facts};
use super::inner::{Inner, Origin};
use super::names;
use super::outbox::Outbox;
use super::raw::{Answer, Object, raw};
use super::uris;

/// The most pages of one list that are asked for.
const MOST_PAGES: usize = 200;

/// What can be listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum List {
    Tools,
    Prompts,
    Resources,
    Templates,
}

impl List {
    /// The list that a method asks for.
    pub(super) fn of(method: &str) -> Option<Self> {
        let all = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];
        all.into_iter().find(|list| list.method() == method)
    }

    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    /// The member of the result that holds it.
    pub(super) const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    const fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources | Self::Templates => "resources",
        }
    }

    /// What a client is told when it has changed.
    pub(super) const fn notice(self) -> &'static str {
        match self {
            Self::Tools => "notifications/tools/list_changed",
            Self::Prompts => "notifications/prompts/list_changed",
            Self::Resources | Self::Templates => "notifications/resources/list_changed",
        }
    }
}

/// A session with a server, after the handshake.
pub(super) struct Open {
    pub(super) inner: Arc<Inner>,
    pub(super) facts: Facts,
    known: Mutex<Known>,
    /// What goes on for as long as the session does.
    tasks: Mutex<JoinSet<()>>,
}

/// What the server has listed last, as far as it is needed to find its way back.
#[derive(Clone, Default)]
struct Known {
    /// Shown names that are not simply prefixed, with the server's own.
    tools: Option<Vec<(String, String)>>,
    prompts: Option<Vec<(String, String)>>,
    uris: Option<Vec<String>>,
    templates: Option<Vec<String>>,
}

impl Open {
    pub(super) fn new(inner: Arc<Inner>, facts: Facts) -> Self {
        Self { inner, facts, known: Mutex::default(), tasks: Mutex::default() }
    }

    /// Asks for a whole list, all pages of it. Names are the server's own.
    pub(super) async fn list(&self, list: List, client: &Client, main: &Outbox) -> Vec<Object> {
        let mut items: Vec<Object> = Vec::new();
        if !self.facts.offers(list.capability()) {
            return items;
        }
        let origin = Origin { stream: main.clone(), id: None };
        let mut cursor = None;
        for _ in 0..MOST_PAGES {
            let mut params = Object::default();
            if let Some(cursor) = cursor {
                params.set("cursor", cursor);
            }
            let params = era::fit(params, client, self.facts.era);
            let Some(Answer::Result(page)) = self.inner.request(list.method(), params, &origin).await else { break };
            let page = Object::of(Some(&page));
            items.extend(
                page.get(list.member())
                    .and_then(|raw| serde_json::from_str::<Vec<Object>>(raw.get()).ok())
                    .into_iter()
                    .flatten(),
            );
            cursor = page.get("nextCursor").filter(|raw| raw.get() != "null").map(ToOwned::to_owned);
            if cursor.is_none() {
                break;
            }
        }
        self.note(list, &items);
        items
    }

    /// The name by which the server knows what is shown as `shown`, of which `rest` follows the server's name.
    pub(super) async fn own_name(&self, list: List, shown: &str, rest: &str, client: &Client, main: &Outbox) -> String {
        let looked_up = |known: &Known| {
            let names = if list == List::Prompts { &known.prompts } else { &known.tools };
            let found = |names: &Vec<(String, String)>| names.iter().find(|(found, _)| found == shown).cloned();
            names.as_ref().map(found)
        };
        let mut known = looked_up(&self.known());
        // Only a name that may have been shortened needs the list.
        if known.is_none()
            && rest.len() > 8
            && rest.get(rest.len() - 8..).is_some_and(|end| end.bytes().all(|b| b.is_ascii_hexdigit()))
        {
            self.list(list, client, main).await;
            known = looked_up(&self.known());
        }
        known.flatten().map_or_else(|| rest.to_owned(), |(_, own)| own)
    }

    /// The addresses that it lists.
    pub(super) async fn addresses(&self, client: &Client, main: &Outbox) -> uris::Listed {
        let known = self.known().clone();
        let (uris, templates) = tokio::join!(
            async {
                match known.uris {
                    Some(uris) => uris,
                    None => texts(&self.list(List::Resources, client, main).await, "uri"),
                }
            },
            async {
                match known.templates {
                    Some(templates) => templates,
                    None => texts(&self.list(List::Templates, client, main).await, "uriTemplate"),
                }
            }
        );
        uris::Listed { uris, templates }
    }

    fn note(&self, list: List, items: &[Object]) {
        let server = self.inner.server.as_str();
        let renamed = || {
            let names = texts(items, "name").into_iter().map(|name| (names::shown(server, &name), name));
            names.filter(|(shown, name)| *shown != format!("{server}__{name}")).collect()
        };
        let mut known = self.known();
        match list {
            List::Tools => known.tools = Some(renamed()),
            List::Prompts => known.prompts = Some(renamed()),
            List::Resources => known.uris = Some(texts(items, "uri")),
            List::Templates => known.templates = Some(texts(items, "uriTemplate")),
        }
    }

    pub(super) fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn texts(items: &[Object], name: &str) -> Vec<String> {
    items.iter().filter_map(|item| item.text(name)).collect()
}

/// An item under the name that the client sees.
pub(super) fn renamed(mut item: Object, server: &str) -> Option<Object> {
    let name = item.text("name")?;
    item.set("name", raw(&names::shown(server, &name)));
    Some(item)
}
