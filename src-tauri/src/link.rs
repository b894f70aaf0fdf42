//! Keeps up with a core that may come and go, and makes one [`View`] of it.
//!
//! One task owns the state; the others tell it what happened and read the view. Only a start of the shell and the
//! person start a core: one that was stopped on purpose stays stopped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use keybearer_control::activity::Record;
use keybearer_control::client::{Client, Watch};
use keybearer_control::error::{Code, Error};
use keybearer_control::snapshot::{SignIn, Snapshot};
use keybearer_control::view::{Failure, View};
use keybearer_os::folders::Folders;
use keybearer_os::local::Stream;
use keybearer_os::start::{beside_me, start_core};
use keybearer_os::switch;
use tokio::sync::{mpsc, watch};

/// How long to wait before looking for a core again: at first, and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How many records of the activity are shown at first.
const LAST_RECORDS: u32 = 500;

/// Starts a core and waits until it answers. Blocks.
pub type StartCore = Arc<dyn Fn() -> Result<(), Error> + Send + Sync>;

/// The way to the core.
pub struct Link {
    client: Client,
    events: mpsc::Sender<Event>,
    views: watch::Receiver<View>,
}

/// What the owner of the state has to know.
enum Event {
    /// The person wants a core.
    Start,
    /// A request for this server was sent.
    Asked(String),
    /// It failed.
    Failed(String, Error),
    /// Turning off would lose the sign-ins to these servers, about which the person is asked; none: not asked any more.
    Losing(Vec<String>),
}

/// What came of turning off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Off {
    /// It is off.
    Done,
    /// A sign-in would be lost: the view says which, and asks.
    Asks,
}

/// How to start the core of these folders: by the command that is installed beside the shell.
pub fn core_of(folders: Folders) -> StartCore {
    Arc::new(move || {
        let failed = |error: String| Error::new(Code::NoCore, error);
        let command = beside_me("keybearer").map_err(|error| failed(format!("keybearer cannot be found: {error}")))?;
        start_core(&folders, &command).map_err(|error| failed(error.to_string()))
    })
}

impl Link {
    /// Looks for a core, starts one if there is none, and keeps up with it. Needs a tokio runtime.
    pub fn open(client: Client, start: StartCore) -> Self {
        let (events, inbox) = mpsc::channel(16);
        let (shown, views) = watch::channel(View::Starting);
        let owner = Owner {
            client: client.clone(),
            start,
            events: inbox,
            shown,
            snapshot: None,
            failures: BTreeMap::new(),
            losing: Vec::new(),
        };
        tokio::spawn(owner.run());
        Self { client, events, views }
    }

    /// What is to be shown now.
    pub fn view(&self) -> View {
        self.views.borrow().clone()
    }

    /// What is to be shown, as it changes.
    pub fn views(&self) -> watch::Receiver<View> {
        self.views.clone()
    }

    /// Starts a core, if there is none.
    pub async fn start(&self) -> Result<(), Error> {
        self.tell(Event::Start).await
    }

    /// What the pages ask.
    pub fn core(&self) -> &Client {
        &self.client
    }

    /// Ends the core, unless a sign-in would be lost with it: then the person is asked.
    pub async fn turn_off(&self) -> Result<Off, Error> {
        // A core that cannot say what it has not kept is not kept from ending by that.
        let losing = self.client.save_all().await.unwrap_or_default();
        if losing.is_empty() {
            return self.turn_off_anyway().await.map(|()| Off::Done);
        }
        self.tell(Event::Losing(losing)).await.map(|()| Off::Asks)
    }

    /// The person leaves Keybearer on.
    pub async fn keep_on(&self) -> Result<(), Error> {
        self.tell(Event::Losing(Vec::new())).await
    }

    /// Ends the core; nobody but the person starts another one.
    pub async fn turn_off_anyway(&self) -> Result<(), Error> {
        switch::turn_off(self.client.folders()).map_err(|error| Error::new(Code::NotSaved, error.to_string()))?;
        self.client.stop().await
    }

    /// Hands the last records of the activity to `show`, and then each that follows, until it takes no more.
    pub async fn activity<E>(&self, show: impl Fn(Vec<Record>) -> Result<(), E>) -> Result<(), Error> {
        let mut activity = self.client.activity(LAST_RECORDS).await?;
        while show(activity.next().await?).is_ok() {}
        Ok(())
    }

    /// Signs in and waits for the end; a failure is in the view.
    pub async fn sign_in(&self, server: &str) -> Result<(), Error> {
        self.tell(Event::Asked(server.to_owned())).await?;
        let ended = self.client.login(server).await;
        self.ended(server, ended.err()).await
    }

    /// Signs out; a failure is in the view.
    pub async fn sign_out(&self, server: &str) -> Result<(), Error> {
        self.tell(Event::Asked(server.to_owned())).await?;
        let ended = self.client.logout(server).await;
        self.ended(server, ended.err()).await
    }

    async fn ended(&self, server: &str, failure: Option<Error>) -> Result<(), Error> {
        match failure {
            // That the core is gone is not the server's failure, and the view says it anyway.
            Some(error) if error.code != Code::NoCore => self.tell(Event::Failed(server.to_owned(), error)).await,
            Some(_) | None => Ok(()),
        }
    }

    async fn tell(&self, event: Event) -> Result<(), Error> {
        self.events.send(event).await.map_err(|_| Error::new(Code::Internal, "the shell is ending"))
    }
}

struct Owner {
    client: Client,
    start: StartCore,
    events: mpsc::Receiver<Event>,
    shown: watch::Sender<View>,
    snapshot: Option<Snapshot>,
    failures: BTreeMap<String, Error>,
    losing: Vec<String>,
}

impl Owner {
    async fn run(mut self) {
        let mut pause = FIRST_PAUSE;
        let mut first = true;
        loop {
            match self.client.watch().await {
                Ok(watch) => {
                    pause = FIRST_PAUSE;
                    let Some(lost) = self.follow(watch).await else { return };
                    self.away(&lost);
                }
                Err(error) if error.code == Code::NoCore && std::mem::take(&mut first) => {
                    self.start().await;
                    continue;
                }
                Err(error) => self.away(&error),
            }
            first = false;
            tokio::select! {
                () = tokio::time::sleep(pause) => pause = LONGEST_PAUSE.min(pause * 2),
                event = self.events.recv() => match event {
                    Some(Event::Start) => self.start().await,
                    Some(event) => self.note(event),
                    None => return,
                },
            }
        }
    }

    /// Shows the core's states until it goes away; `None` if the shell itself ends.
    async fn follow(&mut self, mut watch: Watch<Stream>) -> Option<Error> {
        loop {
            tokio::select! {
                snapshot = watch.next() => match snapshot {
                    Ok(snapshot) => self.attached(snapshot),
                    Err(error) => return Some(error),
                },
                event = self.events.recv() => self.note(event?),
            }
        }
    }

    fn note(&mut self, event: Event) {
        match event {
            Event::Start => {}
            Event::Asked(server) => drop(self.failures.remove(&server)),
            Event::Failed(server, error) => drop(self.failures.insert(server, error)),
            Event::Losing(servers) => self.losing = servers,
        }
        self.show_attached();
    }

    fn attached(&mut self, snapshot: Snapshot) {
        for server in &snapshot.servers {
            // What failed before is no longer news once it has been tried again, from wherever.
            let before = self.snapshot.iter().flat_map(|before| &before.servers).find(|old| old.name == server.name);
            let is_new = before.is_none_or(|before| before.state != server.state);
            if is_new && matches!(server.state, SignIn::SigningIn | SignIn::SignedIn { .. }) {
                self.failures.remove(&server.name);
            }
        }
        self.snapshot = Some(snapshot);
        self.show_attached();
    }

    fn show_attached(&self) {
        if let Some(snapshot) = &self.snapshot {
            self.show(View::attached(snapshot, &self.failures).losing(&self.losing));
        }
    }

    fn away(&mut self, error: &Error) {
        (self.snapshot, self.losing) = (None, Vec::new());
        let known = match &*self.shown.borrow() {
            View::Away { failure } => failure.clone(),
            View::Starting | View::Attached { .. } => None,
        };
        // That there is none is said by the view itself; why a start failed stays until something else is known.
        let failure = if error.code == Code::NoCore { known } else { Some(Failure::of(error)) };
        self.show(View::Away { failure });
    }

    async fn start(&mut self) {
        self.show(View::Starting);
        let start = Arc::clone(&self.start);
        let started = tokio::task::spawn_blocking(move || start()).await;
        let started = started.unwrap_or_else(|error| Err(Error::new(Code::Internal, error.to_string())));
        if let Err(error) = started {
            tracing::warn!(%error, "core not started");
            self.show(View::Away { failure: Some(Failure::of(&error)) });
        }
    }

    fn show(&self, view: View) {
        self.shown.send_if_modified(|shown| {
            let is_new = *shown != view;
            *shown = view;
            is_new
        });
    }
}

#[cfg(test)]
mod tests;
