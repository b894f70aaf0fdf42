//! A home with a core in it, its clients, and everything that they were sent; searched for secrets at the end.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use crate::bridge::Bridge;
use crate::core::{Core, Ended, Home};
use crate::http::{self, Answer};
use crate::search;
use crate::wire::{Heard, Wire};

/// Settings under which everybody may do everything.
pub const ALLOW_ALL: &str = "[[rules]]\neffect = \"allow\"\n";

/// A home, its core, and what must not be found in it.
pub struct House {
    /// The home.
    pub home: Home,
    core: Option<Core>,
    /// A core runs here, or may be started, that is not ours to wait for.
    stray: bool,
    heard: Heard,
    keys: Mutex<Vec<String>>,
}

/// A client with a key at the HTTP door.
#[derive(Clone)]
pub struct App {
    /// Its key.
    pub key: String,
    /// `127.0.0.1:port`
    pub door: String,
    heard: Heard,
}

impl House {
    /// A home with these settings, and a core that runs there and needs no keychain.
    pub fn open(config: &str) -> Self {
        let home = Home::new(&format!("keystore = \"memory\"\n{config}"));
        let core = Core::start(&home);
        Self { home, core: Some(core), stray: false, heard: Heard::default(), keys: Mutex::default() }
    }

    /// The core.
    pub fn core(&self) -> &Core {
        self.core.as_ref().unwrap()
    }

    /// Ends the core in good order and starts another one.
    pub fn restart(&mut self) {
        self.stop();
        self.core = Some(Core::start(&self.home));
    }

    /// Ends the core in good order; what it records is written then.
    pub fn stop(&mut self) {
        if let Some(core) = self.core.take() {
            assert!(core.stop(&self.home).success(), "the core did not end in good order");
        } else if std::mem::take(&mut self.stray) {
            assert!(self.home.keybearer(&["stop"]).status.success(), "the core did not end in good order");
        }
    }

    /// Ends the core without any warning. Whoever needs one starts another, which [`House::stop`] ends.
    pub fn kill(&mut self) {
        if let Some(core) = self.core.take() {
            core.kill();
        }
        self.stray = true;
    }

    /// Another core has taken over from the one that ran, which ends by itself.
    pub fn follow(&mut self, next: Core) {
        let old = self.core.replace(next);
        assert!(old.is_some_and(|old| old.ended().success()), "the old core did not end in good order");
    }

    /// Declares a server that wants a secret in `X-API-Key`, and returns the secret.
    pub fn server_with_header(&self, name: &str, url: &str) -> String {
        let secret = mint();
        self.server_wanting(name, url, &secret);
        secret
    }

    /// The same with a secret that the server knows already.
    pub fn server_wanting(&self, name: &str, url: &str, secret: &str) {
        let added = self.home.keybearer_reading(
            &["servers", "add", name, url, "--header", "X-API-Key", "--secret-stdin", "--json"],
            secret,
        );
        self.hears(&added);
        assert_eq!(added.json()["state"]["kind"], "ready");
    }

    /// Registers a client with a key, for these servers or for all.
    pub fn client(&self, name: &str, servers: &[&str]) -> App {
        self.client_with(name, &servers.iter().flat_map(|server| ["--server", server]).collect::<Vec<_>>())
    }

    /// Registers a client with a key and these options.
    pub fn client_with(&self, name: &str, options: &[&str]) -> App {
        let arguments = [&["clients", "add", name, "--json"], options].concat();
        // Not by `run`: this one answer carries the key on purpose.
        let added = self.home.keybearer(&arguments).json();
        let key = added["key"].as_str().unwrap().to_owned();
        self.keys.lock().unwrap().push(key.clone());
        let status = self.run(&["status", "--json"]).json();
        let address = status["http_door"]["addresses"][0].as_str().unwrap_or_default();
        App { key, door: address.trim_start_matches("http://").to_owned(), heard: Arc::clone(&self.heard) }
    }

    /// A client starts `keybearer stdio server`.
    pub fn bridge(&self, server: &str) -> Bridge {
        Bridge::start(&self.home, server, &self.heard)
    }

    /// A client starts `keybearer stdio`.
    pub fn own_bridge(&self) -> Bridge {
        Bridge::start_own(&self.home, &self.heard)
    }

    /// Runs the command line to its end.
    pub fn run(&self, arguments: &[&str]) -> Ended {
        let ended = self.home.keybearer(arguments);
        self.hears(&ended);
        ended
    }

    /// Ends the core and returns the calls that it has recorded.
    pub fn recorded_calls(&mut self) -> Vec<Value> {
        self.stop();
        self.home.audit().into_iter().filter(|record| record["event"] == "call").collect()
    }

    fn hears(&self, ended: &Ended) {
        let mut heard = self.heard.lock().unwrap();
        heard.extend_from_slice(ended.out.as_bytes());
        heard.extend_from_slice(ended.err.as_bytes());
    }
}

impl Drop for House {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        self.stop();
        let keys = self.keys.lock().unwrap_or_else(PoisonError::into_inner).clone();
        self.home.assert_no_secret(&keys);
        let heard = String::from_utf8_lossy(&self.heard.lock().unwrap()).into_owned();
        search::assert_not_in("what clients were sent", &heard, &keys);
    }
}

impl App {
    /// Posts a message to a server.
    pub fn post(&self, server: &str, body: impl AsRef<[u8]>) -> Answer {
        let authorization = format!("Bearer {}", self.key);
        let url = format!("http://{}/mcp/{server}", self.door);
        let answer = http::post(&url, &[("Authorization", &authorization)], body.as_ref());
        let mut heard = self.heard.lock().unwrap();
        heard.extend_from_slice(answer.head.as_bytes());
        heard.extend_from_slice(&answer.body);
        drop(heard);
        answer
    }

    /// A connection of its own.
    pub fn wire(&self) -> Wire {
        Wire::open(&self.door, &self.heard)
    }

    /// The head of a good `POST` to a server, with these fields besides; the blank line is there.
    pub fn post_head(&self, server: &str, fields: &[&str]) -> String {
        let Self { key, door, .. } = self;
        let mut head = format!("POST /mcp/{server} HTTP/1.1\r\nHost: {door}\r\nAuthorization: Bearer {key}\r\n");
        if !fields.iter().any(|field| field.to_ascii_lowercase().starts_with("content-type:")) {
            head.push_str("Content-Type: application/json\r\n");
        }
        fields.iter().for_each(|field| head.push_str(&format!("{field}\r\n")));
        head + "\r\n"
    }

    /// A whole good `POST` with these fields besides.
    pub fn post_bytes(&self, server: &str, fields: &[&str], body: &[u8]) -> Vec<u8> {
        let length = format!("Content-Length: {}", body.len());
        let fields: Vec<&str> = fields.iter().copied().chain([length.as_str()]).collect();
        [self.post_head(server, &fields).as_bytes(), body].concat()
    }
}

/// A secret that is found wherever it leaks to.
pub fn mint() -> String {
    use std::hash::{BuildHasher as _, Hasher as _};
    let random = || std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{}-{:016x}{:016x}", search::CANARY, random(), random())
}
