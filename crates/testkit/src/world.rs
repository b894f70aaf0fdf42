//! `World`: the company, a core in this process with its doors open, and a person, all in one folder that is searched
//! for secrets at the end.
//!
//! A story makes one, turns dials, calls as clients do, and looks. Absent: processes (that is what process tests are
//! for), the person's own settings, waiting for the clock.

#![expect(clippy::expect_used, clippy::panic, reason = "a story ends where its world cannot be built or has leaked")]

mod client;
mod core;
mod leaks;
mod log;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keybearer_control::bridge::{Hello, VERSION, Welcome};
use keybearer_control::client::Client as Control;
use keybearer_control::error::Error;
use keybearer_control::snapshot::Snapshot;
use keybearer_control::wire::{Reply, Request};
use keybearer_os::folders::Folders;
use keybearer_os::local::{self, Name};
use tempfile::TempDir;

pub use self::client::WorldClient;
use self::core::RunningCore;
use crate::client::lines::LineClient;
use crate::company::Company;
use crate::ports::{FollowingBrowser, ManualClock, MemoryKeyStore, ScriptedPrompter};
use crate::upstream::FakeUpstream;

/// Everything that a story needs. Three servers are configured: `crm` and `wiki` of the company, and `raw`, the upstream.
pub struct World {
    /// Example Corp: its sign-in, its CRM and its Wiki.
    pub company: Company,
    /// The byte-exact server `raw`, protected by the company's sign-in.
    pub upstream: FakeUpstream,
    /// The keychain.
    pub keys: Arc<MemoryKeyStore>,
    /// Who answers questions; nobody, until a story scripts it.
    pub prompter: Arc<ScriptedPrompter>,
    /// Where Dana signs in.
    pub browser: Arc<FollowingBrowser>,
    /// The clock of core and company.
    pub clock: Arc<ManualClock>,
    /// What chance says when waits are spread: nothing, unless a story turns it.
    pub chance: Arc<dyn Fn() -> f64 + Send + Sync>,
    /// After how long a silence the core puts a comment into an event stream; counts from the next start of the core.
    pub silence: Duration,
    core: Option<RunningCore>,
    folders: Folders,
    client_keys: Mutex<Vec<String>>,
    heard: Arc<Mutex<Vec<u8>>>,
    home: TempDir,
}

impl World {
    /// A world in which no rule is set: who is registered may connect and list, and for everything else the person is asked.
    pub async fn start() -> Self {
        Self::with_rules("").await
    }

    /// A world in which every registered client may do everything.
    pub async fn that_allows_all() -> Self {
        Self::with_rules("[[rules]]\neffect = \"allow\"\n").await
    }

    /// A world whose `config.toml` ends with `rules`.
    pub async fn with_rules(rules: &str) -> Self {
        log::capture();
        let clock = Arc::new(ManualClock::default());
        let company = Company::open(Arc::<ManualClock>::clone(&clock), Duration::ZERO).await.expect("open the company");
        let upstream = FakeUpstream::protected_by(&company.idp, &["raw"]).await.expect("open the upstream");
        let home = tempfile::Builder::new().prefix("kb").tempdir().expect("make a home");
        let mut world = Self {
            browser: Arc::new(FollowingBrowser::of(company.dana.clone())),
            company,
            upstream,
            keys: Arc::default(),
            prompter: Arc::default(),
            clock,
            chance: Arc::new(|| 0.0),
            silence: keybearer_server::SILENCE,
            core: None,
            folders: Folders::at(home.path()),
            client_keys: Mutex::default(),
            heard: Arc::default(),
            home,
        };
        world.write_config(&world.config(rules));
        world.start_core().await;
        world
    }

    /// The `config.toml` that declares the three servers and ends with `rules`.
    pub fn config(&self, rules: &str) -> String {
        let servers = [("crm", self.company.crm.url().to_owned()), ("wiki", self.company.wiki.url().to_owned())];
        let servers = servers.into_iter().chain([("raw", self.upstream.url())]);
        let servers = servers.map(|(name, url)| format!("[servers.{name}]\nurl = \"{url}\"\n\n"));
        format!("unknown = \"ask\"\n\n{}{rules}", servers.collect::<String>())
    }

    /// Writes `config.toml`, as a person does with an editor; the core reads it at its start and when it is asked.
    pub fn write_config(&self, text: &str) {
        std::fs::write(self.folders.config_file(), text).expect("write the settings");
    }

    /// Ends the core in good order and starts another one on the same folders, keychain and clock.
    pub async fn restart(&mut self) {
        if let Some(core) = self.core.take() {
            core.stop().await;
        }
        self.start_core().await;
    }

    /// The core looks around, as it does once a minute: for sign-ins that end soon, and whether the machine slept.
    pub fn look_around(&self) {
        self.core.as_ref().expect("a core runs").look_around();
    }

    async fn start_core(&mut self) {
        let core = RunningCore::start(self).await.expect("start the core");
        self.core = Some(core);
    }

    /// The folders of this world's Keybearer.
    pub fn folders(&self) -> &Folders {
        &self.folders
    }

    /// The folder that is `KEYBEARER_HOME` here.
    pub fn home(&self) -> PathBuf {
        self.home.path().to_owned()
    }

    /// The control API, for what [`Self::ask`] does not do. What comes over it is not searched at the end.
    pub fn control(&self) -> Control {
        Control::new(self.folders.clone())
    }

    /// Asks the core over the control API, and returns its last reply.
    pub async fn ask(&self, request: Request) -> Result<Reply, Error> {
        let reply = self.control().send(&request).await?.last().await?;
        let told = serde_json::to_vec(&reply).expect("a reply is JSON");
        self.hears(&told);
        Ok(reply)
    }

    /// What the core shows of itself.
    pub async fn status(&self) -> Snapshot {
        match self.ask(Request::Status).await {
            Ok(Reply::Snapshot { snapshot }) => snapshot,
            other => panic!("the core does not tell its state but {other:?}"),
        }
    }

    /// Waits until the state is as `met` says, twenty seconds at most.
    pub async fn until(&self, mut met: impl FnMut(&Snapshot) -> bool) -> Snapshot {
        let mut watch = self.control().watch().await.expect("watch the core");
        let waiting = async {
            loop {
                let snapshot = watch.next().await.expect("the core goes on telling");
                self.hears(&serde_json::to_vec(&snapshot).expect("a snapshot is JSON"));
                if met(&snapshot) {
                    return snapshot;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(20), waiting).await.expect("the state that was waited for comes")
    }

    /// Signs in to a server, as `keybearer login` does.
    pub async fn login(&self, server: &str) -> Result<Reply, Error> {
        self.ask(Request::Login { server: server.to_owned(), open_browser: true, by_code: false }).await
    }

    /// Signs out of a server, as `keybearer logout` does.
    pub async fn logout(&self, server: &str) -> Result<Reply, Error> {
        self.ask(Request::Logout { server: server.to_owned() }).await
    }

    /// Registers a client with a key; the HTTP door is open when this returns.
    pub async fn client(&self, name: &str) -> WorldClient {
        let request =
            Request::AddClient { name: name.to_owned(), servers: Vec::new(), program: None, container: false };
        // Not by `ask`: this one reply carries the key on purpose.
        let reply = self.control().send(&request).await.expect("ask the core").last().await;
        let Ok(Reply::ClientAdded { key: Some(key), urls, .. }) = reply else {
            panic!("no client was added: {reply:?}")
        };
        self.client_keys.lock().unwrap_or_else(PoisonError::into_inner).push(key.clone());
        WorldClient::new(name, &key, &urls, Arc::clone(&self.heard))
    }

    /// Comes to the stdio door as a bridge does. The program that is judged is the one that started this test.
    pub async fn stdio(&self, name: &str, server: &str) -> Result<LineClient, Error> {
        let stream = local::connect(&self.folders, Name::Bridge).await.expect("connect to the stdio door");
        let (reader, writer) = tokio::io::split(stream);
        let mut client = LineClient::new(name, writer, reader);
        let hello = Hello { keybearer: VERSION, server: Some(server.to_owned()) };
        client.send_line(serde_json::to_vec(&hello).expect("a hello is JSON")).await.expect("say hello");
        let welcome = client.read_line().await.expect("the door answers");
        client.report_to(Arc::clone(&self.heard));
        match serde_json::from_slice(&welcome).expect("a welcome is JSON") {
            Welcome::Ready => Ok(client),
            Welcome::Refused { error } => Err(error),
        }
    }

    fn hears(&self, bytes: &[u8]) {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(core) = self.core.take() {
            core.close();
        }
        if std::thread::panicking() {
            return;
        }
        let leaks = leaks::find(self);
        assert!(leaks.is_empty(), "secrets leaked: {}", leaks.join("; "));
    }
}
