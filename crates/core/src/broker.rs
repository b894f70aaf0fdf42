//! The broker: everything that the doors and the control API ask of the core, behind one handle.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use arc_swap::ArcSwap;
use keybearer_model::call::Call;
use keybearer_model::name::{ClientName, ServerName};
use keybearer_model::program::{Pin, Process};
use keybearer_model::secret::Secret;
use keybearer_oauth::document::ClientMetadataUrl;
use tokio::sync::{Notify, watch};

use crate::audit::{Event, Trail};
use crate::clients::{Clients, KEY_PREFIX, Registered};
use crate::config::{Config, Problem, ServerConfig, SurfaceChoice, edit};
use crate::consent::desk::Desk;
use crate::consent::ledger::{Ending, Ledger};
use crate::custody::Custody;
use crate::foresight::Foresight;
use crate::grants::Grants;
use crate::inspector::Inspector;
use crate::keeper::{Keeper, Parts, SignInState, SignedOut};
use crate::ports::{KeyStoreError, KeyStoreKind, Ports};
use crate::questions::Questions;
use crate::registrations::Registrations;
use crate::rounds::Rounds;
use crate::sign_in::{Opening, SignInError};
use crate::store::{Store, StoreError, StoredClient};

mod access;
mod connecting;
mod leaving;
mod permissions;
mod vigil;

pub use permissions::NotPermitted;

/// How long the end waits for sign-ins to be saved.
const LAST_STORING: Duration = Duration::from_secs(10);

/// Where a core keeps its things.
#[derive(Clone, Debug)]
pub struct Places {
    /// The person's settings.
    pub config_file: PathBuf,
    /// State that is no secret.
    pub state: PathBuf,
    /// The audit trail.
    pub audit: PathBuf,
    /// What names this machine: with the folder of the state it tells two installations apart in one keychain.
    pub machine: String,
}

/// A handle on the running broker. Cheap to clone.
#[derive(Clone)]
pub struct Broker(Arc<Shared>);

struct Shared {
    ports: Ports,
    places: Places,
    custody: Custody,
    registrations: Registrations,
    rounds: Rounds,
    grants: Grants,
    foresight: Foresight,
    store: Arc<Store>,
    trail: Trail,
    config: ArcSwap<Config>,
    problems: ArcSwap<Vec<Problem>>,
    servers: ArcSwap<HashMap<ServerName, Arc<Server>>>,
    clients: ArcSwap<Clients>,
    changed: watch::Sender<u64>,
    /// Where people sign in, for the keepers.
    surface: watch::Sender<SurfaceChoice>,
    questions: Questions,
    access: access::Access,
    ledger: Ledger,
    desk: Desk,
    inspector: Inspector,
    /// Counts the changes that were asked about.
    changes: AtomicU64,
    /// The machine has come back from sleep or to a network.
    came_back: Arc<Notify>,
    /// Held while settings change: two changes of one file must not overtake each other.
    changing: tokio::sync::Mutex<()>,
}

/// A configured server and the keeper of its credential.
pub struct Server {
    pub(crate) name: ServerName,
    pub(crate) config: ServerConfig,
    pub(crate) keeper: Keeper,
}

/// Why a core cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The settings have problems: all of them.
    #[error("the settings have problems")]
    Config(Vec<Problem>),
    /// A file could not be read or written.
    #[error("`{path}` cannot be used: {cause}")]
    File {
        /// Which.
        path: String,
        /// The system's words.
        cause: std::io::Error,
    },
    /// The state database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a change of the settings was not made. Nothing was changed then.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// No server of that name.
    #[error("there is no server `{0}`")]
    UnknownServer(ServerName),
    /// No client of that name.
    #[error("there is no client `{0}`")]
    UnknownClient(ClientName),
    /// The name is taken.
    #[error("there is a `{0}` already")]
    NameTaken(String),
    /// The settings have problems, before or after the change.
    #[error("the settings have problems")]
    Config(Vec<Problem>),
    /// A file or the database could not be written.
    #[error("it could not be saved: {0}")]
    NotSaved(String),
    /// The keychain did not take the secret.
    #[error(transparent)]
    KeyStore(#[from] KeyStoreError),
}

impl From<StoreError> for ChangeError {
    fn from(error: StoreError) -> Self {
        Self::NotSaved(error.to_string())
    }
}

/// What a client is known by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientKind {
    /// By this program, which starts the bridge or knocks at the socket door.
    Program(Process),
    /// By a key, which is made for it.
    Key {
        /// It runs in a container: its key may come from there, too (SEC-17).
        container: bool,
    },
}

/// Secrets that come with a new server.
#[derive(Debug, Default)]
pub struct ServerSecrets {
    /// The value of its static header.
    pub header: Option<Secret>,
    /// The secret of its pre-registered client.
    pub client: Option<Secret>,
}

impl Broker {
    /// Starts a broker on the current runtime.
    ///
    /// # Errors
    /// If settings, state or audit trail cannot be used; nothing was changed then.
    pub fn start(places: Places, ports: Ports) -> Result<Self, StartError> {
        let file = |path: &std::path::Path| {
            let path = path.display().to_string();
            move |cause| StartError::File { path, cause }
        };
        let text = read_settings(&places).map_err(file(&places.config_file))?;
        let config = Config::parse(&text).map_err(StartError::Config)?;
        let store = Arc::new(Store::open(&places.state)?);
        let trail = Trail::open(&places.audit, Arc::clone(&ports.clock)).map_err(file(&places.audit))?;
        let clients = Clients::load(store.clients()?);
        let access = access::Access::load(&store)?;
        let custody = Custody::new(Arc::clone(&ports.keys), &places.state.display().to_string(), &places.machine);
        let locks = places.state.join("grants");
        let changed = watch::Sender::new(0);
        let clock = || Arc::clone(&ports.clock);
        let ledger = Ledger::open(Arc::clone(&store), clock(), trail.clone(), changed.clone())?;
        let desk = Desk::new(clock(), trail.clone(), ledger.clone());
        let foresight = Foresight::new(Arc::clone(&store));
        let broker = Self(Arc::new(Shared {
            grants: Grants::new(ports.clone(), custody.clone(), Arc::clone(&store), foresight.clone(), locks),
            foresight,
            registrations: Registrations::new(Arc::clone(&store), custody.clone()),
            rounds: Rounds::default(),
            custody,
            ports,
            places,
            store,
            trail,
            config: ArcSwap::from_pointee(Config::default()),
            problems: ArcSwap::default(),
            servers: ArcSwap::default(),
            clients: ArcSwap::from_pointee(clients),
            changed,
            surface: watch::Sender::new(config.surface),
            questions: Questions::default(),
            access,
            ledger,
            desk,
            inspector: Inspector::default(),
            changes: AtomicU64::new(0),
            came_back: Arc::default(),
            changing: tokio::sync::Mutex::new(()),
        }));
        broker.adopt(config);
        broker.keep_watch();
        Ok(broker)
    }

    /// Takes a new configuration over: keepers of servers that did not change go on as they are.
    fn adopt(&self, config: Config) {
        let running = self.0.servers.load();
        let same_client = self.config().client_metadata_url == config.client_metadata_url;
        let mut servers = HashMap::new();
        for (name, wanted) in &config.servers {
            let server = match running.get(name) {
                Some(server) if server.config == *wanted && same_client => Arc::clone(server),
                Some(_) | None => self.serve(name.clone(), wanted.clone(), config.client_metadata_url.clone()),
            };
            servers.insert(name.clone(), server);
        }
        self.0.surface.send_replace(config.surface);
        self.0.servers.store(Arc::new(servers));
        self.0.config.store(Arc::new(config));
        self.0.problems.store(Arc::default());
        self.touch();
    }

    fn serve(&self, name: ServerName, config: ServerConfig, document: Option<ClientMetadataUrl>) -> Arc<Server> {
        let keeper = Keeper::start(Parts {
            server: name.clone(),
            config: config.clone(),
            document,
            ports: self.0.ports.clone(),
            custody: self.0.custody.clone(),
            registrations: self.0.registrations.clone(),
            rounds: self.0.rounds.clone(),
            grants: self.0.grants.clone(),
            foresight: self.0.foresight.clone(),
            store: Arc::clone(&self.0.store),
            trail: self.0.trail.clone(),
            changed: self.0.changed.clone(),
            surface: self.0.surface.subscribe(),
        });
        Arc::new(Server { name, config, keeper })
    }

    pub(crate) fn touch(&self) {
        self.0.changed.send_modify(|count| *count += 1);
    }

    /// Reads `config.toml` again. If it has problems the last good settings stay in force and the problems are shown.
    pub async fn reload(&self) {
        let _changing = self.0.changing.lock().await;
        let parsed = match read_settings(&self.0.places) {
            Ok(text) => Config::parse(&text),
            Err(cause) => Err(vec![Problem::whole(format!("it cannot be read: {cause}"))]),
        };
        match parsed {
            Ok(config) if config == **self.0.config.load() && self.0.problems.load().is_empty() => {}
            Ok(config) => self.adopt(config),
            Err(problems) => {
                self.0.problems.store(Arc::new(problems));
                self.touch();
            }
        }
    }

    /// Counts changes of anything that is shown: a watcher waits on it and looks again.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.0.changed.subscribe()
    }

    /// The settings in force.
    pub fn config(&self) -> arc_swap::Guard<Arc<Config>> {
        self.0.config.load()
    }

    /// Where the settings lie, for messages.
    pub fn places(&self) -> &Places {
        &self.0.places
    }

    /// What is wrong with `config.toml` as it lies on disk, if it was changed into something that does not parse.
    pub fn problems(&self) -> Arc<Vec<Problem>> {
        self.0.problems.load_full()
    }

    /// The settings beside servers and rules, each with the line that says so.
    pub fn shown_settings(&self) -> Vec<crate::config::Shown> {
        let text = read_settings(&self.0.places).unwrap_or_default();
        self.config().shown(&text)
    }

    /// Tells how far the audit trail goes, whenever more of it is written.
    pub fn recorded(&self) -> watch::Receiver<u64> {
        self.0.trail.recorded()
    }

    /// The registered clients.
    pub fn clients(&self) -> arc_swap::Guard<Arc<Clients>> {
        self.0.clients.load()
    }

    /// The state database, for what the doors remember.
    pub fn store(&self) -> &Arc<Store> {
        &self.0.store
    }

    /// What the key store is.
    pub fn key_store(&self) -> KeyStoreKind {
        self.0.custody.kind()
    }

    pub(crate) fn ports(&self) -> &Ports {
        &self.0.ports
    }

    pub(crate) fn questions(&self) -> &Questions {
        &self.0.questions
    }

    pub(crate) fn trail(&self) -> &Trail {
        &self.0.trail
    }

    pub(crate) fn server(&self, name: &ServerName) -> Option<Arc<Server>> {
        self.0.servers.load().get(name).map(Arc::clone)
    }

    /// Whether a server of this name is configured.
    pub fn knows(&self, name: &ServerName) -> bool {
        self.0.servers.load().contains_key(name)
    }

    /// Where the sign-in of a server stands; `None` if there is no such server. With [`Broker::changes`] it can be
    /// waited for.
    pub fn sign_in_state(&self, name: &ServerName) -> Option<SignInState> {
        self.0.servers.load().get(name).map(|server| self.0.with_end(server.keeper.state()))
    }

    /// Every server, by name, with where its sign-in stands.
    pub fn servers(&self) -> BTreeMap<ServerName, (ServerConfig, SignInState)> {
        let servers = self.0.servers.load();
        let told = |server: &Server| (server.config.clone(), self.0.with_end(server.keeper.state()));
        servers.iter().map(|(name, server)| (name.clone(), told(server))).collect()
    }

    /// Records a call that cannot be judged or is turned away after it was classified.
    pub fn record_refused(&self, call: Call, outcome: crate::audit::Outcome) {
        self.0.trail.begin(Arc::new(call)).settle(outcome);
    }

    /// Begins the record of a call that goes to no server: one to a tool of Keybearer's own.
    pub fn record_own(&self, call: Call) -> crate::audit::Span {
        self.0.trail.begin(Arc::new(call))
    }

    /// Records what a door turned away before it was a call, counted over a minute.
    pub fn record_turned_away(&self, door: &'static str, reason: &'static str, client: Option<ClientName>, times: u64) {
        self.0.trail.event(Event::TurnedAway { door, reason, client, times });
    }

    /// Declares a server in `config.toml` and keeps its secrets.
    ///
    /// # Errors
    /// If the name is taken, or something could not be saved; nothing is declared then.
    pub async fn add_server(
        &self,
        name: &ServerName,
        config: &ServerConfig,
        secrets: ServerSecrets,
    ) -> Result<(), ChangeError> {
        let _changing = self.0.changing.lock().await;
        if self.knows(name) {
            return Err(ChangeError::NameTaken(name.to_string()));
        }
        let text = self.settings_text()?;
        let changed = edit::add_server(&text, name, config).map_err(ChangeError::Config)?;
        let parsed = Config::parse(&changed).map_err(ChangeError::Config)?;
        if let Some(header) = &secrets.header {
            self.0.custody.put_header(name, header).await?;
        }
        if let Some(client) = &secrets.client {
            self.0.custody.put_client_secret(name, client).await?;
        }
        self.write_settings(&changed)?;
        self.adopt(parsed);
        if let Some(server) = self.server(name) {
            server.keeper.reload().await;
        }
        self.0.trail.event(Event::ServerAdded { server: name.clone() });
        Ok(())
    }

    /// Removes a server from `config.toml`, signs out of it and forgets its secrets.
    ///
    /// # Errors
    /// If there is none of that name, or the settings could not be written.
    pub async fn remove_server(&self, name: &ServerName) -> Result<(), ChangeError> {
        let _changing = self.0.changing.lock().await;
        let server = self.server(name).ok_or_else(|| ChangeError::UnknownServer(name.clone()))?;
        let text = self.settings_text()?;
        let changed = edit::remove_server(&text, name).map_err(ChangeError::Config)?;
        let parsed = Config::parse(&changed).map_err(ChangeError::Config)?;
        self.write_settings(&changed)?;
        server.keeper.leave().await;
        self.0.custody.forget_server(name).await?;
        self.adopt(parsed);
        self.ledger().end(Ending::ServerRemoved, |consent| consent.server == *name);
        self.0.trail.event(Event::ServerRemoved { server: name.clone() });
        Ok(())
    }

    /// Registers a client. One that is known by a key gets a key, which is returned this once and kept only as a digest.
    ///
    /// # Errors
    /// If the name is taken, a server is unknown, or it could not be saved.
    pub async fn add_client(
        &self,
        name: &ClientName,
        servers: Vec<ServerName>,
        kind: ClientKind,
    ) -> Result<(Arc<Registered>, Option<Secret>), ChangeError> {
        let _changing = self.0.changing.lock().await;
        if let Some(unknown) = servers.iter().find(|server| !self.knows(server)) {
            return Err(ChangeError::UnknownServer(unknown.clone()));
        }
        let (key, container, program) = match kind {
            ClientKind::Program(program) => (None, false, Some(program)),
            ClientKind::Key { container } => {
                let key = Secret::mint(KEY_PREFIX).map_err(|cause| ChangeError::NotSaved(cause.to_string()))?;
                (Some(key), container, None)
            }
        };
        let stored = StoredClient {
            name: name.clone(),
            key_digest: key.as_ref().map(Secret::digest),
            pin: program.as_ref().and_then(pin_of),
            container,
            program: program.and_then(|program| program.executable?.into_os_string().into_string().ok()),
            servers,
            since: self.0.ports.clock.now(),
        };
        let (store, row) = (Arc::clone(&self.0.store), stored.clone());
        if !blocking(move || store.add_client(&row)).await? {
            return Err(ChangeError::NameTaken(name.to_string()));
        }
        self.0.clients.store(Arc::new(self.0.clients.load().with(stored)));
        self.0.trail.event(Event::ClientAdded { client: name.clone() });
        self.touch();
        let clients = self.0.clients.load();
        let registered = clients.by_name(name).ok_or_else(|| ChangeError::UnknownClient(name.clone()))?;
        Ok((Arc::clone(registered), key))
    }

    /// Revokes a client: its key stops working at once and its open streams end.
    ///
    /// # Errors
    /// If there is none of that name, or it could not be saved.
    pub async fn revoke_client(&self, name: &ClientName) -> Result<(), ChangeError> {
        let _changing = self.0.changing.lock().await;
        let (store, row) = (Arc::clone(&self.0.store), name.clone());
        if !blocking(move || store.remove_client(&row)).await? {
            return Err(ChangeError::UnknownClient(name.clone()));
        }
        self.0.clients.store(Arc::new(self.0.clients.load().without(name)));
        self.ledger().end(Ending::ClientRevoked, |consent| consent.client.as_ref() == Some(name));
        self.0.trail.event(Event::ClientRevoked { client: name.clone() });
        self.touch();
        Ok(())
    }

    /// Whether the person can be shown a sign-in page on this machine now, in a browser or in a window of ours.
    pub fn can_show_pages(&self) -> bool {
        let Ports { browser, window, .. } = &self.0.ports;
        window.is_there() || browser.is_there()
    }

    /// Signs in to a server, or joins the sign-in that is open, and waits for its end.
    ///
    /// # Errors
    /// Why there is no grant; `None` if there is no such server.
    pub async fn sign_in(&self, name: &ServerName, opening: Opening) -> Option<Result<(), Arc<SignInError>>> {
        let server = self.server(name)?;
        Some(server.keeper.sign_in(opening).await)
    }

    /// Signs out of the sign-in that serves a server, and so of every server that it serves. `None` if there is no such
    /// server.
    pub async fn sign_out(&self, name: &ServerName) -> Option<SignedOut> {
        let server = self.server(name)?;
        Some(server.keeper.sign_out().await)
    }

    /// Asks the key store once more to take what it has not taken, ten seconds at most, and returns the servers whose
    /// sign-in would be lost if the core ended now.
    pub async fn save_all(&self) -> Vec<ServerName> {
        let mut losing = self.0.grants.save_all(LAST_STORING).await;
        // The state database remembers servers that were taken out of the settings by hand.
        losing.retain(|server| self.knows(server));
        losing
    }

    /// Waits until no refresh token is on its way any more and what was renewed is kept, ten seconds at most; nothing is
    /// renewed after it.
    pub async fn finish(&self) {
        let finishing = async {
            let servers = self.0.servers.load_full();
            for server in servers.values() {
                server.keeper.finish().await;
            }
            self.0.grants.finish().await;
        };
        if tokio::time::timeout(LAST_STORING, finishing).await.is_err() {
            tracing::warn!("a sign-in could not be saved before the end");
        }
    }

    /// Writes what the audit trail still holds in memory, before the process ends.
    pub fn flush(&self) {
        self.0.trail.flush();
    }

    fn settings_text(&self) -> Result<String, ChangeError> {
        read_settings(&self.0.places).map_err(|cause| ChangeError::NotSaved(cause.to_string()))
    }

    fn write_settings(&self, text: &str) -> Result<(), ChangeError> {
        replace_file(&self.0.places.config_file, text).map_err(|cause| ChangeError::NotSaved(cause.to_string()))
    }
}

/// What a program is known by, where its hash is known.
fn pin_of(program: &Process) -> Option<Pin> {
    let file = program.file.as_ref()?;
    Some(Pin { sha256: file.digest()?, stamp: *file.stamp() })
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, ChangeError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(ChangeError::NotSaved("the state database broke off".to_owned())),
    }
}

/// The settings; a file that does not exist is an empty one.
fn read_settings(places: &Places) -> std::io::Result<String> {
    match std::fs::read_to_string(&places.config_file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        other => other,
    }
}

/// Replaces a file whole: whoever reads it sees the old text or the new one, never half of one.
fn replace_file(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write as _;
    // A link stays one: people keep their settings under version control.
    let target = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = target.with_extension("toml.new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&beside, &target)
}
