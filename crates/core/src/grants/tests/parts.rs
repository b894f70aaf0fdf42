//! An issuer, a key store and a clock of tokio's time.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use keybearer_model::grant::Grant;
use keybearer_model::secret::Secret;
use keybearer_model::time::{BootTime, Timestamp};
use keybearer_model::url::Upstream;
use tempfile::TempDir;
use tokio::time::Instant;

use super::super::{Demand, Grants, Handle, Life, MintError, Minted, Wish};
use crate::custody::Custody;
use crate::foresight::Foresight;
use crate::ports::{
    Answer, Clock, Http, HttpError, KeyStore, KeyStoreError, KeyStoreKind, LoginSurface, Ports, PreparedSurface,
    Prompter, Question, SurfaceError,
};
use crate::samples::{facts, grant};
use crate::store::{Served, Store};

pub(super) struct World {
    pub(super) issuer: Arc<Issuer>,
    pub(super) keys: Arc<Keys>,
    pub(super) grants: Grants,
    clock: Arc<Ticking>,
    store: Arc<Store>,
    folder: TempDir,
}

impl World {
    pub(super) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(Ticking(Instant::now()));
        let (issuer, keys) = (Arc::<Issuer>::default(), Arc::<Keys>::default());
        let store = Arc::new(Store::open(folder.path()).unwrap());
        let grants = grants(&issuer, &keys, &clock, &store, &folder);
        Self { issuer, keys, grants, clock, store, folder }
    }

    /// Notes that the grant serves this server.
    pub(super) fn serves(&self, server: &str) {
        let served = Served { grant: facts().id, url: Self::upstream().to_string(), target: facts().target() };
        self.store.put_served(&server.parse().unwrap(), &served).unwrap();
    }

    /// Another process of the same installation, or this one after its end.
    pub(super) fn another_process(&self) -> Grants {
        grants(&self.issuer, &self.keys, &self.clock, &self.store, &self.folder)
    }

    pub(super) fn upstream() -> Upstream {
        "https://crm.test/mcp".parse().unwrap()
    }

    pub(super) async fn sign_in(&self) -> Arc<Handle> {
        self.grants.adopt(grant(0)).await
    }

    pub(super) async fn mint(&self, handle: &Handle) -> Result<Minted, MintError> {
        self.mint_for(handle, Demand::Waiting).await
    }

    pub(super) async fn mint_for(&self, handle: &Handle, demand: Demand) -> Result<Minted, MintError> {
        handle.mint(Wish { target: facts().target(), upstream: Self::upstream(), demand }).await
    }

    fn custody(keys: &Arc<Keys>) -> Custody {
        Custody::new(Arc::clone(keys) as _, "home", "machine")
    }

    /// The generation that the key store holds; nothing is zero, too.
    pub(super) async fn stored(&self) -> u64 {
        Self::custody(&self.keys).grant(&facts().id).await.ok().flatten().map_or(0, |grant| grant.generation)
    }

    pub(super) fn clock(&self) -> Timestamp {
        self.clock.now()
    }

    /// Somebody who renews without the lock, and stores what comes.
    pub(super) fn thief(&self) -> Deed {
        let (issuer, keys) = (Arc::clone(&self.issuer), Arc::clone(&self.keys));
        Deed(Arc::new(move || {
            let token = issuer.0.lock().unwrap().rotate();
            store_now(&keys, Grant { refresh_token: Some(Secret::new(token)), generation: 1, ..grant(1) });
        }))
    }

    /// Somebody whose new sign-in is stored when ours is already given up.
    pub(super) fn late_thief(&self) -> Deed {
        let keys = Arc::clone(&self.keys);
        Deed(Arc::new(move || store_now(&keys, grant(9))))
    }
}

fn store_now(keys: &Arc<Keys>, mut grant: Grant) {
    // The key store answers at once here, so that one poll is enough.
    let custody = World::custody(keys);
    let storing = std::pin::pin!(custody.put_grant(&mut grant));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(matches!(storing.poll(&mut context), std::task::Poll::Ready(Ok(_))));
}

fn grants(
    issuer: &Arc<Issuer>,
    keys: &Arc<Keys>,
    clock: &Arc<Ticking>,
    store: &Arc<Store>,
    folder: &TempDir,
) -> Grants {
    let ports = Ports {
        keys: Arc::clone(keys) as _,
        http: Arc::clone(issuer) as _,
        clock: Arc::clone(clock) as _,
        browser: Arc::new(Nobody),
        window: Arc::new(Nobody),
        prompter: Arc::new(Nobody),
        chance: Arc::new(|| 1.0),
    };
    let foresight = Foresight::new(Arc::clone(store));
    Grants::new(ports, World::custody(keys), Arc::clone(store), foresight, folder.path().join("grants"))
}

impl Handle {
    pub(super) fn life(&self) -> Life {
        self.watch().borrow().life
    }
}

/// Something that happens while the issuer is asked.
#[derive(Clone)]
pub(super) struct Deed(Arc<dyn Fn() + Send + Sync>);

impl std::fmt::Debug for Deed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Deed")
    }
}

/// How the issuer answers.
#[derive(Clone, Debug)]
pub(super) enum Answers {
    Unreachable,
    /// It takes effect, and the answer breaks off.
    Lost,
    Nonsense,
    Status(u16),
    /// It wants to be left alone for so many seconds.
    Busy(u64),
    Refused(&'static str),
    /// Somebody does something first.
    RefusedAfter(Deed),
}

/// An issuer that rotates and ends a sign-in whose used token comes back after its grace.
#[derive(Default)]
pub(super) struct Issuer(Mutex<Book>);

#[derive(Default)]
struct Book {
    current: u64,
    rotated_at: Option<Instant>,
    revoked: bool,
    grace: Duration,
    takes: Duration,
    script: VecDeque<Answers>,
    always: Option<Answers>,
    when_refused: Option<Deed>,
    asked: usize,
    refreshes: usize,
    replays: usize,
    revocations: usize,
}

impl Book {
    fn rotate(&mut self) -> String {
        self.current += 1;
        self.rotated_at = Some(Instant::now());
        format!("cAnArY-{}", self.current)
    }

    /// A token reply, or why there is none.
    fn refresh(&mut self, token: &str) -> Result<String, &'static str> {
        let known = token.strip_prefix("cAnArY-").and_then(|number| number.parse::<u64>().ok());
        if self.revoked {
            return Err("invalid_grant");
        }
        if known == Some(self.current) {
            self.refreshes += 1;
            return Ok(self.rotate());
        }
        let in_grace = self.rotated_at.is_some_and(|at| at.elapsed() < self.grace);
        if in_grace && known.is_some_and(|number| number + 1 == self.current) {
            return Ok(format!("cAnArY-{}", self.current));
        }
        self.replays += 1;
        self.revoked = true;
        Err("invalid_grant")
    }
}

impl Issuer {
    fn with<T>(&self, act: impl FnOnce(&mut Book) -> T) -> T {
        act(&mut self.0.lock().unwrap())
    }

    pub(super) fn will(&self, answer: Answers) {
        self.with(|book| book.script.push_back(answer));
    }

    pub(super) fn will_twice(&self, answer: Answers) {
        self.will(answer.clone());
        self.will(answer);
    }

    pub(super) fn will_always(&self, answer: Answers) {
        self.with(|book| book.always = Some(answer));
    }

    pub(super) fn recovers(&self) {
        self.with(|book| (book.always, book.script) = (None, VecDeque::new()));
    }

    /// What happens when it has refused the next time, before anybody hears of it.
    pub(super) fn when_refused(&self, deed: Deed) {
        self.with(|book| book.when_refused = Some(deed));
    }

    pub(super) fn has_grace(&self, grace: Duration) {
        self.with(|book| book.grace = grace);
    }

    pub(super) fn takes(&self, time: Duration) {
        self.with(|book| book.takes = time);
    }

    pub(super) fn asked(&self) -> usize {
        self.with(|book| book.asked)
    }

    pub(super) fn refreshes(&self) -> usize {
        self.with(|book| book.refreshes)
    }

    pub(super) fn replays(&self) -> usize {
        self.with(|book| book.replays)
    }

    pub(super) fn revoked(&self) -> usize {
        self.with(|book| book.revocations)
    }

    fn refused(&self, code: &str) -> Response<Vec<u8>> {
        reply(400, &format!(r#"{{"error":"{code}"}}"#))
    }
}

fn reply(status: u16, body: &str) -> Response<Vec<u8>> {
    Response::builder().status(status).body(body.as_bytes().to_vec()).unwrap()
}

#[async_trait]
impl Http for Issuer {
    async fn send(&self, request: Request<Vec<u8>>) -> Result<Response<Vec<u8>>, HttpError> {
        let form: BTreeMap<_, _> = url::form_urlencoded::parse(request.body()).into_owned().collect();
        if request.uri().path() == "/revoke" {
            self.with(|book| (book.revoked, book.revocations) = (true, book.revocations + 1));
            return Ok(reply(200, ""));
        }
        let (answer, time) = self.with(|book| {
            book.asked += 1;
            (book.script.pop_front().or_else(|| book.always.clone()), book.takes)
        });
        tokio::time::sleep(time).await;
        let host = || "idp.test".to_owned();
        match answer {
            Some(Answers::Unreachable) => Err(HttpError::Unreachable { host: host(), cause: "no route".into() }),
            Some(Answers::Nonsense) => Ok(reply(200, "<html>sign in to the hotel</html>")),
            Some(Answers::Status(status)) => Ok(reply(status, "upstream connect error")),
            Some(Answers::Busy(seconds)) => {
                let mut reply = reply(429, "");
                reply.headers_mut().insert("retry-after", seconds.into());
                Ok(reply)
            }
            Some(Answers::Refused(code)) => {
                let deed = self.with(|book| book.when_refused.take());
                if let Some(Deed(deed)) = deed {
                    deed();
                }
                Ok(self.refused(code))
            }
            Some(Answers::RefusedAfter(Deed(deed))) => {
                deed();
                Ok(self.refused("invalid_grant"))
            }
            Some(Answers::Lost) => {
                let _ = self.with(|book| book.refresh(&form["refresh_token"]));
                Err(HttpError::Interrupted { host: host(), cause: "it broke off".into() })
            }
            None => Ok(match self.with(|book| book.refresh(&form["refresh_token"])) {
                Ok(token) => reply(
                    200,
                    &format!(
                        r#"{{"access_token":"cAnArY-at","token_type":"Bearer","expires_in":60,"refresh_token":"{token}"}}"#
                    ),
                ),
                Err(code) => self.refused(code),
            }),
        }
    }
}

/// A key store that can be slow, dead or broken; a dead one lets each call wait ten seconds, as the port says.
#[derive(Default)]
pub(super) struct Keys(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    entries: BTreeMap<String, String>,
    takes: Duration,
    dead: bool,
    broken: bool,
}

impl Keys {
    pub(super) fn takes(&self, time: Duration) {
        self.0.lock().unwrap().takes = time;
    }

    pub(super) fn dies(&self) {
        self.0.lock().unwrap().dead = true;
    }

    pub(super) fn fails(&self) {
        self.0.lock().unwrap().broken = true;
    }

    pub(super) fn recovers(&self) {
        let mut inside = self.0.lock().unwrap();
        (inside.dead, inside.broken, inside.takes) = (false, false, Duration::ZERO);
    }

    async fn answers(&self, writes: bool) -> Result<(), KeyStoreError> {
        let (dead, broken, takes) = {
            let inside = self.0.lock().unwrap();
            (inside.dead, inside.broken, inside.takes)
        };
        if dead {
            tokio::time::sleep(Duration::from_secs(10)).await;
            return Err(KeyStoreError::Timeout);
        }
        if writes && !takes.is_zero() {
            tokio::time::sleep(takes).await;
        }
        if broken { Err(KeyStoreError::Failed("full".into())) } else { Ok(()) }
    }
}

#[async_trait]
impl KeyStore for Keys {
    async fn get(&self, key: &str) -> Result<Option<Secret>, KeyStoreError> {
        self.answers(false).await?;
        Ok(self.0.lock().unwrap().entries.get(key).map(|text| Secret::new(text.clone())))
    }

    async fn put(&self, key: &str, secret: &Secret) -> Result<(), KeyStoreError> {
        self.answers(true).await?;
        self.0.lock().unwrap().entries.insert(key.to_owned(), secret.expose().to_owned());
        Ok(())
    }

    async fn delete(&self, key: &str) -> Result<(), KeyStoreError> {
        self.answers(false).await?;
        self.0.lock().unwrap().entries.remove(key);
        Ok(())
    }

    fn kind(&self) -> KeyStoreKind {
        KeyStoreKind::System
    }
}

/// Both clocks go with tokio's time.
struct Ticking(Instant);

impl Clock for Ticking {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(1_795_251_600_000) + self.0.elapsed()
    }

    fn boot(&self) -> BootTime {
        BootTime::from_duration(self.0.elapsed())
    }

    fn midnight(&self) -> Timestamp {
        self.now() + Duration::from_secs(3_600)
    }

    fn awake(&self) -> Duration {
        self.0.elapsed()
    }
}

struct Nobody;

#[async_trait]
impl LoginSurface for Nobody {
    fn is_there(&self) -> bool {
        false
    }

    async fn prepare(&self) -> Result<Box<dyn PreparedSurface>, SurfaceError> {
        Err(SurfaceError::NoBrowser)
    }
}

#[async_trait]
impl Prompter for Nobody {
    async fn ask(&self, _question: Question) -> Answer {
        Answer::NobodyThere
    }
}
