//! A registered client at the HTTP door.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use tokio::sync::OnceCell;

use crate::client::answer::Answer;
use crate::client::http::HttpClient;

/// A client with a key, for every server that it may use. What it receives is searched for secrets at the end.
pub struct WorldClient {
    name: String,
    key: String,
    servers: HashMap<String, Arc<HttpClient>>,
    opened: HashMap<String, OnceCell<()>>,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl WorldClient {
    pub(super) fn new(name: &str, key: &str, urls: &[String], heard: Arc<Mutex<Vec<u8>>>) -> Self {
        let named = urls.iter().filter_map(|url| Some((url.rsplit_once('/')?.1.to_owned(), url)));
        let servers: HashMap<_, _> =
            named.map(|(server, url)| (server, Arc::new(HttpClient::new(name, url, Some(key))))).collect();
        let opened = servers.keys().map(|server| (server.clone(), OnceCell::new())).collect();
        Self { name: name.to_owned(), key: key.to_owned(), servers, opened, heard }
    }

    /// The name under which it is registered.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its key.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Its connection to one server, for single messages and raw bytes; nothing was sent over it yet.
    pub fn at(&self, server: &str) -> &HttpClient {
        self.servers.get(server).unwrap_or_else(|| panic!("`{}` has no address for `{server}`", self.name))
    }

    /// Calls a tool; the first call to a server opens a session there.
    pub async fn call(&self, server: &str, tool: &str, arguments: Value) -> Answer {
        self.open(server).await;
        self.at(server).call(tool, arguments).await.expect("the door answers")
    }

    /// Lists a server's tools by name; the first message to a server opens a session there.
    pub async fn tools(&self, server: &str) -> Vec<String> {
        self.open(server).await;
        let answer = self.at(server).list_tools().await.expect("the door answers");
        let tools = answer.result().and_then(|result| result["tools"].as_array()).into_iter().flatten();
        tools.filter_map(|tool| tool["name"].as_str()).map(str::to_owned).collect()
    }

    async fn open(&self, server: &str) {
        let connection = self.at(server);
        let Some(opened) = self.opened.get(server) else { return };
        // What comes of it is for the call itself to tell.
        opened.get_or_init(|| async { drop(connection.initialize().await) }).await;
    }
}

impl Drop for WorldClient {
    fn drop(&mut self) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        self.servers.values().for_each(|connection| heard.extend(connection.received()));
    }
}
