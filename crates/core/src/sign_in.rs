//! Drives one sign-in: the pure machine of `keybearer-oauth` on one side, browser and network on the other.

use std::time::Duration;

use keybearer_model::grant::Account;
use keybearer_model::secret::{NoEntropy, Secret};
use keybearer_oauth::challenge::Challenge;
pub use keybearer_oauth::device::DeviceCode;
pub use keybearer_oauth::login::Way;
use keybearer_oauth::login::{Effect, Entropy, Input, Login, LoginError, LoginRequest, Obtained, PreRegistered};
use tokio::sync::mpsc;

use crate::config::OAuthConfig;
use crate::ports::{HttpError, MayBePrivate, Ports, PreparedSurface, SurfaceEnding, SurfaceError};
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
    /// The pre-registered client's secret, if it has one.
    pub(crate) client_secret: Option<Secret>,
    /// Who shows the sign-in page.
    pub(crate) opening: Opening,
}

/// Who shows the person where to sign in.
#[derive(Clone)]
pub struct Opening {
    /// Whether the core opens the browser.
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

/// Where the browser of another device ends: nobody comes back from there.
const NO_WAY_BACK: &str = "http://127.0.0.1/callback";

impl SignIn {
    /// Runs the sign-in to its end. The grant is not stored here, and the person is told how it ended by `finish`.
    pub(crate) async fn run(self, ports: &Ports) -> Result<(Obtained, Finish), SignInError> {
        match self.opening.way {
            Way::Code => self.by_code(ports).await,
            Way::Page => match self.by_page(ports, &self.opening).await {
                Err(SignInError::Surface(SurfaceError::NoBrowser)) if self.opening.told.is_some() => {
                    self.without_browser(ports).await
                }
                ended => ended,
            },
        }
    }

    /// Where no browser can be opened a code does as well. Where the issuer gives out none, the person opens the page
    /// by hand.
    async fn without_browser(&self, ports: &Ports) -> Result<(Obtained, Finish), SignInError> {
        match self.by_code(ports).await {
            Err(SignInError::Login(LoginError::NoDeviceCode { .. })) => {
                self.by_page(ports, &Opening { browser: false, ..self.opening.clone() }).await
            }
            ended => ended,
        }
    }

    async fn by_code(&self, ports: &Ports) -> Result<(Obtained, Finish), SignInError> {
        let mut surface = None;
        let ended = tokio::time::timeout(LIMIT, self.drive(ports, &self.opening, &mut surface)).await;
        Ok((ended.unwrap_or(Err(SignInError::TimedOut))?, Finish(surface)))
    }

    async fn by_page(&self, ports: &Ports, opening: &Opening) -> Result<(Obtained, Finish), SignInError> {
        let opening = Opening { way: Way::Page, ..opening.clone() };
        let mut surface = Some(ports.surface.prepare().await?);
        let ended = tokio::time::timeout(LIMIT, self.drive(ports, &opening, &mut surface)).await;
        let finish = Finish(surface);
        match ended.unwrap_or(Err(SignInError::TimedOut)) {
            Ok(obtained) => Ok((obtained, finish)),
            Err(error) => {
                finish.say(SurfaceEnding::Failed).await;
                Err(error)
            }
        }
    }

    /// Drives the machine: at a page if there is a surface for it, else by a code.
    async fn drive(
        &self,
        ports: &Ports,
        opening: &Opening,
        surface: &mut Option<Box<dyn PreparedSurface>>,
    ) -> Result<Obtained, SignInError> {
        let (mut login, mut effect) = Login::begin(self.request(ports, surface.as_deref())?);
        loop {
            let input = match (effect, surface.as_deref_mut()) {
                (Effect::Fetch(request), _) => fetch(ports, &self.upstream, request).await,
                (Effect::Present { url }, Some(surface)) => {
                    present(surface, opening, &url).await?;
                    Input::Presented
                }
                (Effect::AwaitCallback, Some(surface)) => Input::Callback(surface.callback().await?),
                // The machine shows no page where it was told that there is none.
                (Effect::Present { .. } | Effect::AwaitCallback, None) => Input::Cancelled,
                (Effect::ShowCode(code), _) => {
                    if !opening.tell(Told::Code(code)) {
                        return Err(SurfaceError::NoBrowser.into());
                    }
                    Input::Presented
                }
                (Effect::Wait(time), _) => {
                    tokio::time::sleep(time).await;
                    Input::Waited
                }
                (Effect::Done(obtained), _) => return Ok(*obtained),
                (Effect::Fail(error), _) => return Err(error.into()),
            };
            (login, effect) = login.step(input);
        }
    }

    fn request(&self, ports: &Ports, surface: Option<&dyn PreparedSurface>) -> Result<LoginRequest, NoEntropy> {
        let client = self.settings.client_id.clone().map(|client_id| PreRegistered {
            client_id,
            secret: self.client_secret.as_ref().map(Secret::duplicate),
            auth: self.settings.client_auth,
        });
        Ok(LoginRequest {
            upstream: self.upstream.clone(),
            challenge: self.challenge.clone(),
            client,
            scopes: self.settings.scopes.clone(),
            redirect_uri: surface.map_or(NO_WAY_BACK.to_owned(), PreparedSurface::redirect_uri),
            way: if surface.is_some() { Way::Page } else { Way::Code },
            entropy: Entropy { state: Secret::mint("")?, verifier: Secret::mint("")?, nonce: Secret::mint("")? },
            client_name: "Keybearer".to_owned(),
            now: ports.clock.now(),
        })
    }
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
    // For a person who sees none of it, or uses another browser.
    opening.tell(Told::Page(url.to_owned()));
    Ok(())
}

/// Tells the person, in the page that they are looking at, how the sign-in ended.
pub(crate) struct Finish(Option<Box<dyn PreparedSurface>>);

impl Finish {
    /// Says `ending` and closes the way back.
    pub(crate) async fn say(self, ending: SurfaceEnding) {
        if let Some(surface) = self.0 {
            surface.finish(ending).await;
        }
    }
}
