//! Drives one sign-in: the pure machine of `keybearer-oauth` on one side, browser and network on the other.

use std::time::Duration;

use http::Method;
use http::header::CONTENT_TYPE;
use keybearer_model::grant::{Account, Registration, Target};
use keybearer_model::secret::{NoEntropy, Secret};
use keybearer_oauth::challenge::Challenge;
pub use keybearer_oauth::device::DeviceCode;
use keybearer_oauth::document::ClientMetadataUrl;
pub use keybearer_oauth::login::Way;
use keybearer_oauth::login::{
    Asks, Before, Effect, Entropy, Input, Login, LoginError, LoginRequest, Obtained, PreRegistered, Purpose,
};
use keybearer_oauth::profile::{RefreshReach, SignInPages};
pub use keybearer_oauth::walls::{Behind, Wall, bundled as walls};
use tokio::sync::mpsc;
use tokio::time::Instant;
use url::Url;

use crate::config::{OAuthConfig, SurfaceChoice};
use crate::grants::{Grants, Joined};
use crate::ports::{HttpError, LoginSurface, MayBePrivate, Ports, PreparedSurface, SurfaceEnding, SurfaceError};
use crate::registrations::Registrations;
use crate::rounds::{Came, Rounds, Turn};
use keybearer_model::url::Upstream;

/// How long a person may take: RFC 6749 codes live for ten minutes at most, and so do sign-in pages.
const LIMIT: Duration = Duration::from_secs(600);

/// What a sign-in needs to know.
pub(crate) struct SignIn {
    /// The server that it is for.
    pub(crate) upstream: Upstream,
    /// What the server said when it refused, if it was asked.
    pub(crate) challenge: Option<Challenge>,
    /// What the person or IT set for it.
    pub(crate) settings: OAuthConfig,
    /// Where the person is to sign in.
    pub(crate) surface: SurfaceChoice,
    /// The pre-registered client's secret, if it has one.
    pub(crate) client_secret: Option<Secret>,
    /// Where our client id metadata document is.
    pub(crate) document: Option<ClientMetadataUrl>,
    /// The clients that we are at issuers.
    pub(crate) registrations: Registrations,
    /// The turns at issuers.
    pub(crate) rounds: Rounds,
    /// The sign-in that it replaces.
    pub(crate) before: Option<Before>,
    /// What it is for.
    pub(crate) purpose: Purpose,
    /// Whether a sign-in that is there may serve.
    pub(crate) sharing: Sharing,
    /// Who is or was signed in here.
    pub(crate) account: Option<Account>,
    /// The sign-ins that are there.
    pub(crate) grants: Grants,
    /// Who shows the sign-in page.
    pub(crate) opening: Opening,
}

/// Whether a sign-in that is there may serve one more server, where its issuer lets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// It may.
    Allowed,
    /// A new one is wanted: for more than there is, or to find out where the server has gone.
    Never,
}

/// What came of a sign-in.
pub(crate) enum Fruit {
    /// A new grant.
    Grant(Box<Obtained>),
    /// A share in one of before, for this.
    Joined(Joined, Target),
}

/// Who shows the person where to sign in.
#[derive(Clone)]
pub struct Opening {
    /// Whether the core shows the page, in a browser or in the sign-in window.
    pub browser: bool,
    /// At the issuer's page, or by a code on any device.
    pub way: Way,
    /// Who else is told, for a person who opens it by hand.
    pub told: Option<mpsc::UnboundedSender<Told>>,
}

/// What a person needs to sign in where the core does not show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The address of the issuer's page.
    Page(String),
    /// A code, and where to type it in.
    Code(DeviceCode),
}

impl Opening {
    /// The browser, and nobody else is told.
    pub fn browser() -> Self {
        Self { browser: true, way: Way::Page, told: None }
    }

    fn tell(&self, what: Told) -> bool {
        self.told.as_ref().is_some_and(|told| told.send(what).is_ok())
    }
}

/// Why a sign-in ended without a grant.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The machine's reason: the issuer's or the server's doing.
    #[error(transparent)]
    Login(#[from] LoginError),
    /// The person could not be shown the page.
    #[error(transparent)]
    Surface(#[from] SurfaceError),
    /// Nobody finished it in ten minutes.
    #[error("nobody signed in within ten minutes")]
    TimedOut,
    /// It was called off: signed out meanwhile, or the server was removed.
    #[error("the sign-in was called off")]
    CalledOff,
    /// Somebody else signed in than before (SEC-30).
    #[error("`{now}` signed in, and `{before}` is signed in here")]
    OtherAccount {
        /// Whose sign-in is kept.
        before: Account,
        /// Who signed in.
        now: Account,
    },
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl SignInError {
    /// Whether it may be the client that the issuer does not take.
    fn may_be_about_the_client(&self) -> bool {
        match self {
            Self::TimedOut | Self::Login(LoginError::Refused { .. } | LoginError::BadReply { .. }) => true,
            Self::Login(_) | Self::Surface(_) | Self::CalledOff | Self::OtherAccount { .. } | Self::NoEntropy(_) => {
                false
            }
        }
    }
}

/// Whether the place of a sign-in is still open.
#[derive(Clone, Copy)]
enum Place {
    /// By settings, issuer, and what there is.
    Chosen,
    /// The browser: the window was not the place for it.
    Browser,
}

/// What was opened and shown on the way.
#[derive(Default)]
struct Opened {
    surface: Option<Box<dyn PreparedSurface>>,
    /// The turn at the issuer; others wait there until it is dropped.
    turn: Option<Turn>,
    /// The client that was registered before and is shown to the issuer again.
    reused: Option<String>,
    /// When the person's time is over; waiting for others takes none of it.
    ends: Option<Instant>,
}

impl Opened {
    fn way_back(&mut self) -> Result<&mut Box<dyn PreparedSurface>, SurfaceError> {
        // The machine shows nothing before it has asked for a way back.
        self.surface.as_mut().ok_or_else(|| SurfaceError::NoWayBack("it was not opened".to_owned()))
    }

    async fn callback(&mut self) -> Result<String, SignInError> {
        let ends = *self.ends.get_or_insert_with(|| Instant::now() + LIMIT);
        let coming = tokio::time::timeout_at(ends, self.way_back()?.callback()).await;
        Ok(coming.map_err(|_| SignInError::TimedOut)??)
    }

    /// Takes the turn at the issuer that has this address. True: others were there first, and are done now.
    async fn must_wait(&mut self, rounds: &Rounds, at: &Url) -> bool {
        if self.turn.is_some() || self.surface.is_none() {
            return false;
        }
        let (turn, waited) = match rounds.turn(at).await {
            Came::AtOnce(turn) => (turn, false),
            Came::AfterOthers(turn) => (turn, true),
        };
        self.turn = Some(turn);
        waited
    }
}

impl SignIn {
    /// Runs the sign-in to its end. The grant is not stored here, and the person is told how it ended by `finish`.
    pub(crate) async fn run(self, ports: &Ports) -> Result<(Fruit, Finish), SignInError> {
        // A code is of use to somebody who is told it.
        let wants_code = self.surface == SurfaceChoice::Device && self.opening.told.is_some();
        let ended = match self.opening.way {
            Way::Page if !wants_code => match self.by_page(ports, &self.opening).await {
                Err(SignInError::Surface(SurfaceError::NoBrowser)) if self.opening.told.is_some() => {
                    self.without_browser(ports).await
                }
                ended => ended,
            },
            Way::Page | Way::Code => self.by_code(ports).await,
        };
        if let Ok((Fruit::Grant(obtained), _)) = &ended {
            self.registrations.remember(&self.upstream, &obtained.grant).await;
        }
        ended
    }

    /// Where no browser can be opened a code does as well. Where the issuer gives out none, the person opens the page
    /// by hand.
    async fn without_browser(&self, ports: &Ports) -> Result<(Fruit, Finish), SignInError> {
        match self.by_code(ports).await {
            Err(SignInError::Login(LoginError::NoDeviceCode { .. })) => {
                self.by_page(ports, &Opening { browser: false, ..self.opening.clone() }).await
            }
            ended => ended,
        }
    }

    async fn by_code(&self, ports: &Ports) -> Result<(Fruit, Finish), SignInError> {
        let opening = Opening { way: Way::Code, ..self.opening.clone() };
        let mut opened = Opened::default();
        let ended = tokio::time::timeout(LIMIT, self.drive(ports, &opening, Place::Browser, &mut opened)).await;
        Ok((ended.unwrap_or(Err(SignInError::TimedOut))?, Finish::default()))
    }

    /// At the issuer's page, and once more in the browser where the window is not the place for it.
    async fn by_page(&self, ports: &Ports, opening: &Opening) -> Result<(Fruit, Finish), SignInError> {
        let opening = Opening { way: Way::Page, ..opening.clone() };
        // The window tells why it goes on in the browser, until it is over.
        let (mut opened, mut told_why) = (Opened::default(), None);
        let ended = match self.drive(ports, &opening, Place::Chosen, &mut opened).await {
            Err(SignInError::Surface(SurfaceError::GoOnInBrowser | SurfaceError::NoWindow(_))) => {
                told_why = opened.surface.take();
                self.drive(ports, &opening, Place::Browser, &mut opened).await
            }
            ended => ended,
        };
        let Opened { surface, reused, turn, .. } = opened;
        let finish = Finish { surfaces: surface.into_iter().chain(told_why).collect(), _turn: turn };
        match ended {
            Ok(fruit) => Ok((fruit, finish)),
            Err(error) => {
                // The issuer may have forgotten the client, or take no other port: it says so to the person, if at all.
                if let (Some(client), true) = (reused, error.may_be_about_the_client()) {
                    self.registrations.forget(&client).await;
                }
                finish.say(SurfaceEnding::Failed).await;
                Err(error)
            }
        }
    }

    /// Drives the machine to its end, from the beginning again where it had to wait for others at the issuer: what they
    /// left behind is used. What was opened on the way stays in `opened`.
    async fn drive(
        &self,
        ports: &Ports,
        opening: &Opening,
        place: Place,
        opened: &mut Opened,
    ) -> Result<Fruit, SignInError> {
        loop {
            if let Some(fruit) = self.drive_once(ports, opening, place, opened).await? {
                return Ok(fruit);
            }
        }
    }

    /// Drives the machine once. `None`: others were there first, and are done now.
    async fn drive_once(
        &self,
        ports: &Ports,
        opening: &Opening,
        place: Place,
        opened: &mut Opened,
    ) -> Result<Option<Fruit>, SignInError> {
        let request = self.request(ports, opening.way).await?;
        let known: Vec<String> = request.known.iter().map(|known| known.client_id.clone()).collect();
        let (mut login, mut effect) = Login::begin(request);
        loop {
            if let Some(at) = left_behind_at(&effect)
                && opened.must_wait(&self.rounds, &at).await
            {
                return Ok(None);
            }
            let input = match effect {
                Effect::Fetch(request) => fetch(ports, &self.upstream, request).await,
                Effect::OpenWayBack(pages) => {
                    let surface = self.place(ports, opening, place, pages).prepare().await?;
                    Input::WayBack(opened.surface.insert(surface).redirect_uri())
                }
                Effect::Present { url, asks } => {
                    if let Some(joined) = self.join(&asks).await {
                        return Ok(Some(Fruit::Joined(joined, asks.target)));
                    }
                    opened.reused = known.iter().find(|client| asks_as(&url, client)).cloned();
                    opened.ends.get_or_insert_with(|| Instant::now() + LIMIT);
                    present(opened.way_back()?.as_mut(), opening, &url).await?;
                    Input::Presented
                }
                Effect::AwaitCallback => match opened.callback().await {
                    Ok(query) => Input::Callback(query),
                    Err(SignInError::Surface(SurfaceError::Closed)) => Input::Cancelled,
                    Err(error) => return Err(error),
                },
                Effect::ShowCode(code) => {
                    if !opening.tell(Told::Code(code)) {
                        return Err(SurfaceError::NoBrowser.into());
                    }
                    Input::Presented
                }
                Effect::Wait(time) => {
                    tokio::time::sleep(time).await;
                    Input::Waited
                }
                Effect::Done(obtained) => return Ok(Some(Fruit::Grant(obtained))),
                Effect::Fail(error) => return Err(error.into()),
            };
            (login, effect) = login.step(input);
        }
    }

    /// The sign-in that is there, where it serves this server too. A profile lets it only for a client that somebody has
    /// set for this very server; what registers itself for whoever asks is no word of the person's about it.
    async fn join(&self, asks: &Asks) -> Option<Joined> {
        let is_meant = match self.settings.exceptions.refresh_reach {
            Some(reach) => reach == RefreshReach::EveryServer,
            None => asks.reach == RefreshReach::EveryServer && asks.registration == Registration::Hand,
        };
        if self.sharing == Sharing::Never || !is_meant {
            return None;
        }
        self.grants.join(asks, &self.upstream, self.account.as_ref()).await
    }

    /// Where the person signs in: what is set, else what is known of the issuer, else the window where there is one.
    fn place<'p>(&self, ports: &'p Ports, opening: &Opening, place: Place, pages: SignInPages) -> &'p dyn LoginSurface {
        // Somebody who wants the address alone opens it in a browser.
        let in_window = opening.browser
            && match (place, self.surface, pages) {
                (Place::Browser, _, _)
                | (Place::Chosen, SurfaceChoice::Browser | SurfaceChoice::Device, _)
                | (Place::Chosen, SurfaceChoice::Auto, SignInPages::Browser) => false,
                (Place::Chosen, SurfaceChoice::Window, _)
                | (Place::Chosen, SurfaceChoice::Auto, SignInPages::Anywhere) => ports.window.is_there(),
            };
        if in_window { &*ports.window } else { &*ports.browser }
    }

    /// What the machine starts from.
    async fn request(&self, ports: &Ports, way: Way) -> Result<LoginRequest, NoEntropy> {
        let settings = &self.settings;
        let client = match settings.client_id.clone() {
            Some(client_id) => {
                let issuer = match settings.issuer.clone() {
                    Some(issuer) => Some(issuer),
                    None => self.registrations.seen(&self.upstream, &client_id).await,
                };
                let secret = self.client_secret.as_ref().map(Secret::duplicate);
                Some(PreRegistered { client_id, secret, auth: settings.client_auth, issuer })
            }
            None => None,
        };
        let known = if client.is_none() { self.registrations.known().await } else { Vec::new() };
        Ok(LoginRequest {
            upstream: self.upstream.clone(),
            challenge: self.challenge.clone(),
            client,
            document: self.document.clone(),
            known,
            scopes: settings.scopes.clone(),
            before: self.before.clone(),
            purpose: self.purpose,
            exceptions: settings.exceptions.clone(),
            way,
            entropy: Entropy { state: Secret::mint("")?, verifier: Secret::mint("")?, nonce: Secret::mint("")? },
            client_name: "Keybearer".to_owned(),
            now: ports.clock.now(),
        })
    }
}

/// Where something is left behind at an issuer, or shown: a client that registers, a page. Only then it is somebody's turn.
fn left_behind_at(effect: &Effect) -> Option<Url> {
    match effect {
        Effect::Present { url, .. } => Url::parse(url).ok(),
        Effect::Fetch(request) if request.method() == Method::POST && is_json(request) => {
            Url::parse(&request.uri().to_string()).ok()
        }
        Effect::Fetch(_)
        | Effect::OpenWayBack(_)
        | Effect::AwaitCallback
        | Effect::ShowCode(_)
        | Effect::Wait(_)
        | Effect::Done(_)
        | Effect::Fail(_) => None,
    }
}

/// RFC 7591 §3.1: a registration is JSON; nothing else that a sign-in sends is.
fn is_json(request: &http::Request<Vec<u8>>) -> bool {
    request.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"))
}

/// Whether a sign-in page is asked for as this client.
fn asks_as(url: &str, client: &str) -> bool {
    Url::parse(url).is_ok_and(|url| url.query_pairs().any(|(name, value)| name == "client_id" && value == client))
}

async fn fetch(ports: &Ports, upstream: &Upstream, mut request: http::Request<Vec<u8>>) -> Input {
    request.extensions_mut().insert(MayBePrivate::as_is(upstream));
    match ports.http.send(request).await {
        Ok(reply) => Input::Fetched(reply),
        Err(
            error @ (HttpError::Unreachable { .. }
            | HttpError::Forbidden { .. }
            | HttpError::Certificate { .. }
            | HttpError::Interrupted { .. }),
        ) => Input::Unreachable(error.to_string()),
    }
}

async fn present(surface: &mut dyn PreparedSurface, opening: &Opening, url: &str) -> Result<(), SignInError> {
    if opening.browser {
        surface.present(url).await?;
    }
    // For a person who sees none of it, or uses another browser. The way back into a window is of that window alone.
    if surface.takes_any_browser() {
        opening.tell(Told::Page(url.to_owned()));
    }
    Ok(())
}

/// Tells the person, in the page that they are looking at, how the sign-in ended. Until then nobody else's turn comes.
#[derive(Default)]
pub(crate) struct Finish {
    surfaces: Vec<Box<dyn PreparedSurface>>,
    _turn: Option<Turn>,
}

impl Finish {
    /// Says `ending` and closes the way back.
    pub(crate) async fn say(self, ending: SurfaceEnding) {
        for surface in self.surfaces {
            surface.finish(ending).await;
        }
    }
}
