use keybearer_control::snapshot::{Auth, Because, ContainerDoor, HttpDoor, KeyStore, Server};
use keybearer_control::view::Headline;
use keybearer_control::wire::{Reply, Request};
use keybearer_os::local::{self, Listener, Name};
use keybearer_os::lock::CoreLock;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};

use super::*;

/// A control socket that says what the test tells it to.
struct Core {
    listener: Listener,
    _lock: CoreLock,
}

impl Core {
    fn run(folders: &Folders) -> Self {
        folders.prepare().unwrap();
        let lock = CoreLock::acquire(folders).unwrap();
        Self { listener: local::bind(&lock, Name::Control).unwrap(), _lock: lock }
    }

    /// Waits for the next request.
    async fn asked(&self) -> (Request, BufReader<Stream>) {
        let mut peer = BufReader::new(self.listener.accept().await.unwrap());
        let mut line = String::new();
        peer.read_line(&mut line).await.unwrap();
        (serde_json::from_str(&line).unwrap(), peer)
    }

    async fn watched(&self) -> BufReader<Stream> {
        let (request, peer) = self.asked().await;
        assert!(matches!(request, Request::Watch), "{request:?}");
        peer
    }
}

async fn say(peer: &mut BufReader<Stream>, reply: &Reply) {
    peer.write_all(format!("{}\n", serde_json::to_string(reply).unwrap()).as_bytes()).await.unwrap();
}

fn snapshot(state: SignIn) -> Reply {
    let url = "https://crm.example.com/mcp".to_owned();
    let crm = Server {
        name: "crm".into(),
        url,
        auth: Auth::Oauth,
        state,
        account: None,
        issuer: None,
        ends: None,
        shares_with: Vec::new(),
        deviations: Vec::new(),
    };
    Reply::Snapshot {
        snapshot: Snapshot {
            version: "0.1.0".into(),
            pid: 1,
            servers: vec![crm],
            clients: Vec::new(),
            key_store: KeyStore::System,
            http_door: HttpDoor::Closed,
            container_door: ContainerDoor::Closed,
            socket_door: None,
            stopped: false,
            permissions: Vec::new(),
            problems: Vec::new(),
        },
    }
}

fn needed() -> SignIn {
    SignIn::Needed { because: Because::SignedOut }
}

/// A start that starts nothing, and tells that it was tried.
fn no_start() -> (StartCore, mpsc::UnboundedReceiver<()>) {
    let (told, tries) = mpsc::unbounded_channel();
    let start = move || {
        // A test that has seen enough no longer listens.
        let _ = told.send(());
        Err(Error::new(Code::NoCore, "`keybearer` cannot be started"))
    };
    (Arc::new(start), tries)
}

async fn until(link: &Link, wanted: impl FnMut(&View) -> bool) -> View {
    link.views().wait_for(wanted).await.unwrap().clone()
}

fn headline(view: &View) -> Option<&Headline> {
    let View::Attached { home, .. } = view else { return None };
    Some(&home.headline)
}

fn sign_in_to_crm() -> Headline {
    Headline::SignInTo { name: "crm".into() }
}

fn failure_of_crm(view: &View) -> Option<&Failure> {
    let View::Attached { home, .. } = view else { return None };
    home.rows[0].failure.as_ref()
}

// Time stands still unless everybody waits for it, so that the pauses between two looks cost nothing.
#[tokio::test(start_paused = true)]
async fn a_core_that_goes_away_and_comes_back_is_followed() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::at(home.path());
    let core = Core::run(&folders);
    let (start, mut tries) = no_start();
    let link = Link::open(Client::new(folders.clone()), start);
    say(&mut core.watched().await, &snapshot(needed())).await;
    until(&link, |view| matches!(view, View::Away { .. })).await;
    drop(core);

    let core = Core::run(&folders);
    let mut peer = core.watched().await;
    say(&mut peer, &snapshot(needed())).await;
    until(&link, |view| headline(view) == Some(&sign_in_to_crm())).await;
    say(&mut peer, &snapshot(SignIn::Ready)).await;
    until(&link, |view| headline(view) == Some(&Headline::Ready)).await;
    assert!(tries.try_recv().is_err(), "a core that was stopped stays stopped");
}

#[tokio::test(start_paused = true)]
async fn a_missing_core_is_started_once_and_then_when_the_person_wants() {
    let home = tempfile::tempdir().unwrap();
    let (start, mut tries) = no_start();
    let link = Link::open(Client::new(Folders::at(home.path())), start);
    let why =
        Some(Failure {
            code: Code::NoCore, text: "“keybearer” cannot be started.".into(), hint: None, exactly: None
        });
    tries.recv().await.unwrap();
    until(&link, |view| *view == View::Away { failure: why.clone() }).await;
    assert!(tries.try_recv().is_err(), "nobody asked for a second try");
    link.start().await.unwrap();
    tries.recv().await.unwrap();
    until(&link, |view| *view == View::Away { failure: why.clone() }).await;
}

#[tokio::test(start_paused = true)]
async fn a_click_is_a_request_and_its_failure_stays_until_the_next_try() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::at(home.path());
    let core = Core::run(&folders);
    let link = Link::open(Client::new(folders), no_start().0);
    let mut watching = core.watched().await;
    say(&mut watching, &snapshot(needed())).await;
    until(&link, |view| headline(view) == Some(&sign_in_to_crm())).await;

    let refuse = async {
        let (request, mut peer) = core.asked().await;
        assert!(
            matches!(&request, Request::Login { server, open_browser: true, by_code: false } if server == "crm"),
            "{request:?}"
        );
        say(&mut peer, &Reply::Failed { error: Error::new(Code::SignInFailed, "the sign-in was cancelled") }).await;
    };
    tokio::join!(async { link.sign_in("crm").await.unwrap() }, refuse);
    let failed = until(&link, |view| failure_of_crm(view).is_some()).await;
    assert_eq!(failure_of_crm(&failed).unwrap().text, "The sign-in was cancelled.");

    say(&mut watching, &snapshot(SignIn::SigningIn)).await;
    until(&link, |view| failure_of_crm(view).is_none() && headline(view) != Some(&sign_in_to_crm())).await;
}

#[tokio::test(start_paused = true)]
async fn a_socket_of_somebody_else_is_told_and_not_talked_to() {
    let home = tempfile::tempdir().unwrap();
    let folders = Folders::at(home.path());
    folders.prepare().unwrap();
    std::fs::remove_dir(folders.runtime()).unwrap();
    std::fs::write(folders.runtime(), "").unwrap();
    let (start, mut tries) = no_start();
    let link = Link::open(Client::new(folders), start);
    let view = until(&link, |view| *view != View::Starting).await;
    assert!(matches!(view, View::Away { failure: Some(_) }), "{view:?}");
    assert!(tries.try_recv().is_err(), "what is not ours is not started beside");
}
