//! A browser without a window: it goes through the issuer's pages by their forms.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use keybearer_core::ports::{LoginSurface, PreparedSurface, SurfaceEnding, SurfaceError};
use tokio::sync::{mpsc, watch};

use crate::follow::{self, Conduct};
use crate::idp::Account;

/// Where nobody listens: the redirect is read, not visited.
const REDIRECT: &str = "http://127.0.0.1:9/callback";

/// Signs a person in wherever it is sent; a test can make the person slow, absent or wrong.
pub struct FollowingBrowser {
    shared: Arc<Shared>,
}

struct Shared {
    person: Mutex<Person>,
    held: watch::Sender<bool>,
    windows: watch::Sender<usize>,
}

struct Person {
    account: Option<Account>,
    conduct: Conduct,
    strays: VecDeque<String>,
    endings: Vec<SurfaceEnding>,
    lost: Vec<String>,
}

impl FollowingBrowser {
    /// The browser of a person with this account.
    pub fn of(account: Account) -> Self {
        let browser = Self::of_nobody();
        browser.shared.with(|person| person.account = Some(account));
        browser
    }

    /// A machine without a browser.
    pub fn of_nobody() -> Self {
        let person = Person {
            account: None,
            conduct: Conduct::SignsInAndAllows,
            strays: VecDeque::new(),
            endings: Vec::new(),
            lost: Vec::new(),
        };
        let shared =
            Shared { person: Mutex::new(person), held: watch::Sender::new(false), windows: watch::Sender::new(0) };
        Self { shared: Arc::new(shared) }
    }

    /// From now on another person sits there.
    pub fn sit_down(&self, account: Account) {
        self.shared.with(|person| person.account = Some(account));
    }

    /// What the person does on the pages from now on.
    pub fn conduct(&self, conduct: Conduct) {
        self.shared.with(|person| person.conduct = conduct);
    }

    /// Before the right redirect of the next sign-in, somebody else's query string arrives.
    pub fn stray_callback(&self, query: &str) {
        self.shared.with(|person| person.strays.push_back(query.to_owned()));
    }

    /// The person takes their time: nothing comes back until [`Self::release`].
    pub fn hold(&self) {
        self.shared.held.send_replace(true);
    }

    /// The person goes on.
    pub fn release(&self) {
        self.shared.held.send_replace(false);
    }

    /// How many windows were opened.
    pub fn windows(&self) -> usize {
        *self.shared.windows.borrow()
    }

    /// Waits until `count` windows were opened.
    pub async fn until_windows(&self, count: usize) {
        let _ = self.shared.windows.subscribe().wait_for(|windows| *windows >= count).await;
    }

    /// What the person was told at the end of each sign-in.
    pub fn endings(&self) -> Vec<SurfaceEnding> {
        self.shared.with(|person| person.endings.clone())
    }

    /// Where sign-ins stopped on a page, and what it said.
    pub fn lost(&self) -> Vec<String> {
        self.shared.with(|person| person.lost.clone())
    }
}

impl Shared {
    fn with<T>(&self, use_it: impl FnOnce(&mut Person) -> T) -> T {
        use_it(&mut self.person.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn browse(&self, url: &str, account: &Account, back: &mpsc::UnboundedSender<String>) {
        let _ = self.held.subscribe().wait_for(|held| !held).await;
        let (conduct, strays) = self.with(|person| (person.conduct, std::mem::take(&mut person.strays)));
        strays.into_iter().for_each(|query| drop(back.send(query)));
        match follow::sign_in(url, account, conduct).await {
            Ok(location) => {
                let query = location.split_once('?').map_or("", |(_, query)| query);
                let _ = back.send(query.to_owned());
            }
            Err(lost) => self.with(|person| person.lost.push(lost.to_string())),
        }
    }
}

#[async_trait]
impl LoginSurface for FollowingBrowser {
    fn is_there(&self) -> bool {
        true
    }

    async fn prepare(&self) -> Result<Box<dyn PreparedSurface>, SurfaceError> {
        let (back, callbacks) = mpsc::unbounded_channel();
        Ok(Box::new(Window { shared: Arc::clone(&self.shared), back, callbacks }))
    }
}

/// One sign-in's window.
struct Window {
    shared: Arc<Shared>,
    back: mpsc::UnboundedSender<String>,
    callbacks: mpsc::UnboundedReceiver<String>,
}

#[async_trait]
impl PreparedSurface for Window {
    fn redirect_uri(&self) -> String {
        REDIRECT.to_owned()
    }

    fn takes_any_browser(&self) -> bool {
        true
    }

    async fn present(&mut self, authorization_url: &str) -> Result<(), SurfaceError> {
        let account = self.shared.with(|person| person.account.clone()).ok_or(SurfaceError::NoBrowser)?;
        self.shared.windows.send_modify(|windows| *windows += 1);
        let (shared, back, url) = (Arc::clone(&self.shared), self.back.clone(), authorization_url.to_owned());
        tokio::spawn(async move { shared.browse(&url, &account, &back).await });
        Ok(())
    }

    async fn callback(&mut self) -> Result<String, SurfaceError> {
        // The window keeps a sender of its own, so that a person who gave up looks as in life: nothing ever comes.
        self.callbacks.recv().await.ok_or_else(|| SurfaceError::NoWayBack("the window is gone".to_owned()))
    }

    async fn finish(self: Box<Self>, ending: SurfaceEnding) {
        self.shared.with(|person| person.endings.push(ending));
    }
}
