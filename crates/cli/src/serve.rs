//! `serve`: the headless composition root. Here, and nowhere else, a core is put together from its parts.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use keybearer_control::error::Code;
use keybearer_control::snapshot::HttpDoor;
use keybearer_core::broker::{Broker, Places, StartError};
use keybearer_core::config::KeyStoreChoice;
use keybearer_core::ports::{Answer, KeyStore, KeyStoreError, KeyStoreKind, Ports, Prompter, Question};
use keybearer_os::folders::Folders;
use keybearer_os::harden::harden;
use keybearer_os::local::{self, Name};
use keybearer_os::machine;
use keybearer_os::open_files;
use keybearer_os::shell::Shell;
use keybearer_os::tell;
use keybearer_os::terminal::go_on_in_background;
use keybearer_platform::browser::SystemBrowser;
use keybearer_platform::chance::chance;
use keybearer_platform::clock::SystemClock;
use keybearer_platform::keys::{Keychain, MemoryKeys};
use keybearer_platform::tls;
use keybearer_platform::web::PlainHttp;
use keybearer_server::{Parts, Running, SILENCE, SignInWindows};
use serde_json::json;
use tokio::sync::Notify;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::prompt::TerminalPrompter;
use crate::take_over::{Place, Wish};
use crate::updated::{Next, OwnFile};
use crate::{ask, log, settings, show, take_over};

/// How long the end waits for what cannot be interrupted: a keychain that does not answer.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How long the start waits to hear whether there is a keychain.
const FIRST_LOOK: Duration = Duration::from_secs(2);

/// Runs the core until it is told to end.
pub(crate) fn run(wish: Wish, format: Format) -> Result<Exit, Failure> {
    log::start();
    if let Err(cause) = harden() {
        tracing::warn!(%cause, "this process's memory could not be closed to other programs of this user");
    }
    if let Err(cause) = open_files::raise_limit() {
        tracing::warn!(%cause, "fewer connections can be served at a time than the system would allow");
    }
    go_on_in_background();
    let folders = ask::folders()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|cause| failed(&cause))?;
    // Both read the system's certificates, which takes longer than the rest of the start: a client that waits for this
    // core does not wait for one after the other.
    let (http, tls) = (runtime.spawn_blocking(PlainHttp::new), runtime.spawn_blocking(tls::client_config));
    let config = settings::read(&folders)?;
    let Place { lock, given, supervised } = take_over::place(&folders, wish)?;
    let stop = told_to_end()?;
    let served = runtime.block_on(async {
        let keys = key_store(config.key_store).await;
        let http = http.await.map_err(|cause| failed(&cause))?.map_err(|cause| failed(&cause))?;
        let windows = SignInWindows::default();
        let broker = broker(&folders, keys, http, &windows)?;
        let tls = tls.await.map_err(|cause| failed(&cause))?.map_err(|cause| failed(&cause))?;
        let shell = Shell::of_this_core().map_err(|cause| failed(&cause))?;
        let parts = Parts { broker, tls, lock: &lock, given, shell, silence: SILENCE, windows };
        let mut running = keybearer_server::start(parts).await.map_err(|cause| failed(&cause))?;
        ready(&running, &folders, format);
        tell::ready();
        until_the_end(&mut running, &stop, &mut OwnFile::watch(folders.clone(), supervised)).await;
        tell::stopping();
        running.stop().await;
        Ok(Exit::Ok)
    });
    runtime.shutdown_timeout(LAST_WORDS);
    served
}

/// Runs until somebody wants this core to end; what is under way is finished where another one follows.
async fn until_the_end(running: &mut Running, stop: &Notify, own_file: &mut OwnFile) {
    loop {
        tokio::select! {
            () = running.asked_to_stop() => return tracing::info!("ending: asked to over the control socket"),
            () = stop.notified() => return tracing::info!("ending: told to by the system or the terminal"),
            () = running.asked_to_drain() => tracing::info!("ending: another core takes over"),
            next = own_file.next() => match next {
                Next::End => {}
                Next::GoOn => continue,
            },
        }
        return running.drain().await;
    }
}

fn broker(
    folders: &Folders,
    keys: Arc<dyn KeyStore>,
    http: PlainHttp,
    windows: &SignInWindows,
) -> Result<Broker, Failure> {
    let ports = Ports {
        keys,
        http: Arc::new(http),
        clock: Arc::new(SystemClock),
        browser: Arc::new(SystemBrowser),
        window: Arc::new(windows.clone()),
        prompter: match TerminalPrompter::attach() {
            Some(terminal) => Arc::new(terminal),
            None => Arc::new(NobodyThere),
        },
        chance: Arc::new(chance),
    };
    let places = Places {
        config_file: folders.config_file(),
        state: folders.state(),
        audit: folders.audit(),
        machine: machine::id(),
    };
    Broker::start(places, ports).map_err(|error| not_started(folders, &error))
}

/// The keychain, if it is wanted and there is one; memory otherwise, and the state says which.
async fn key_store(choice: KeyStoreChoice) -> Arc<dyn KeyStore> {
    match choice {
        KeyStoreChoice::Memory => Arc::new(MemoryKeys::new(KeyStoreKind::MemoryByChoice)),
        KeyStoreChoice::System => system_keys().await,
    }
}

/// A keychain that is locked or hangs is one all the same: it may hold sign-ins, and serves when it can.
async fn system_keys() -> Arc<dyn KeyStore> {
    let keychain = Keychain::open();
    // Reading what is not there asks nobody for a password.
    match tokio::time::timeout(FIRST_LOOK, keychain.get("first look")).await {
        Ok(Err(KeyStoreError::Failed(error))) => {
            tracing::warn!(%error, "there is no working keychain: sign-ins are kept in memory only");
            Arc::new(MemoryKeys::new(KeyStoreKind::MemoryForWant))
        }
        Ok(Ok(_) | Err(KeyStoreError::Locked | KeyStoreError::Timeout | KeyStoreError::Torn)) | Err(_) => {
            Arc::new(keychain)
        }
    }
}

/// Hears SIGTERM, ctrl-c and the console's closing. The second one ends the process at once.
fn told_to_end() -> Result<Arc<Notify>, Failure> {
    let stop = Arc::new(Notify::new());
    let (told, before) = (Arc::clone(&stop), AtomicBool::new(false));
    ctrlc::set_handler(move || {
        if before.swap(true, Ordering::AcqRel) {
            std::process::exit(Exit::Failed.number().into());
        }
        told.notify_one();
    })
    .map_err(|cause| failed(&cause))?;
    Ok(stop)
}

fn ready(running: &Running, folders: &Folders, format: Format) {
    let startup = running.startup();
    let door = startup.http_door;
    let http = match &door {
        HttpDoor::Open { addresses } => addresses.clone(),
        HttpDoor::Closed | HttpDoor::Blocked { .. } => Vec::new(),
    };
    let pid = std::process::id();
    let control = local::address(folders, Name::Control).unwrap_or_default();
    let (control, socket) = (control.to_string_lossy(), startup.socket_door);
    let told = json!({ "ready": true, "pid": pid, "http": http, "control": control, "socket": socket });
    out::result(format, &told, || {
        let way_out = if std::io::stdin().is_terminal() { " Ctrl-C ends it." } else { "" };
        format!("✓ Keybearer runs (process {pid}).{way_out}\n{}", show::status::door(&door))
    });
}

/// Stands where no terminal is attached: what has to be asked is not allowed.
struct NobodyThere;

#[async_trait]
impl Prompter for NobodyThere {
    async fn ask(&self, _question: Question) -> Answer {
        Answer::NobodyThere
    }
}

fn not_started(folders: &Folders, error: &StartError) -> Failure {
    match error {
        StartError::Config(problems) => settings::broken(&folders.config_file(), problems),
        StartError::File { .. } | StartError::Store(_) => failed(error),
    }
}

pub(crate) fn failed(cause: &impl std::fmt::Display) -> Failure {
    Failure::new(Code::Internal, cause.to_string())
}
