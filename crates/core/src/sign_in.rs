//! Drives one sign-in: the pure machine of `keybearer-oauth` on one side, browser and network on the other.

use std::time::Duration;

use keybearer_model::grant::Account;
use keybearer_model::secret::{NoEntropy, Secret};
use keybearer_oauth::challenge::Challenge;
pub use keybearer_oauth::device::DeviceCode;
use keybearer_oauth::document::ClientMetadataUrl;
pub use keybearer_oauth::login::Way;
use keybearer_oauth::login::{
    Before, Effect, Entropy, Input, Login, LoginError, LoginRequest, Obtained, PreRegistered, Purpose,
};
use tokio::sync::mpsc;
use url::Url;

use crate::config::OAuthConfig;
use crate::ports::{HttpError, MayBePrivate, Ports, PreparedSurface, SurfaceEnding, SurfaceError};
use crate::registrations::Registrations;
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
    /// Where our client id metadata document is.
    pub(crate) document: Option<ClientMetadataUrl>,
    /// The clients that we are at issuers.
    pub(crate) registrations: Registrations,
    /// The sign-in that it replaces.
    pub(crate) before: Option<Before>,
    /// What it is for.
    pub(crate) purpose: Purpose,
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

/// Where the browser of another device ends: nobody comes back from there.
const NO_WAY_BACK: &str = "http://127.0.0.1/callback";

impl SignIn {
    /// Runs the sign-in to its end. The grant is not stored here, and the person is told how it ended by `finish`.
    pub(crate) async fn run(self, ports: &Ports) -> Result<(Obtained, Finish), SignInError> {
        let ended = match self.opening.way {
            Way::Code => self.by_code(ports).await,
            Way::Page => match self.by_page(ports, &self.opening).await {
                Err(SignInError::Surface(SurfaceError::NoBrowser)) if self.opening.told.is_some() => {
                    self.without_browser(ports).await
                }
                ended => ended,
            },
        };
        if let Ok((obtained, _)) = &ended {
            self.registrations.remember(&self.upstream, &obtained.grant).await;
        }
        ended
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
        let (mut surface, mut reused) = (None, None);
        let driven = self.drive(ports, &self.opening, &mut surface, &mut reused);
        let ended = tokio::time::timeout(LIMIT, driven).await;
        Ok((ended.unwrap_or(Err(SignInError::TimedOut))?, Finish(surface)))
    }

    async fn by_page(&self, ports: &Ports, opening: &Opening) -> Result<(Obtained, Finish), SignInError> {
        let opening = Opening { way: Way::Page, ..opening.clone() };
        let (mut surface, mut reused) = (Some(ports.surface.prepare().await?), None);
        let driven = self.drive(ports, &opening, &mut surface, &mut reused);
        let ended = tokio::time::timeout(LIMIT, driven).await;
        let finish = Finish(surface);
        match ended.unwrap_or(Err(SignInError::TimedOut)) {
            Ok(obtained) => Ok((obtained, finish)),
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

    /// Drives the machine: at a page if there is a surface for it, else by a code. `reused` becomes the client that was
    /// registered before and is shown to the issuer again.
    async fn drive(
        &self,
        ports: &Ports,
        opening: &Opening,
        surface: &mut Option<Box<dyn PreparedSurface>>,
        reused: &mut Option<String>,
    ) -> Result<Obtained, SignInError> {
        let redirect_uri = surface.as_ref().map(|surface| surface.redirect_uri());
        let request = self.request(ports, redirect_uri).await?;
        let known: Vec<String> = request.known.iter().map(|known| known.client_id.clone()).collect();
        let (mut login, mut effect) = Login::begin(request);
        loop {
            let input = match (effect, surface.as_deref_mut()) {
                (Effect::Fetch(request), _) => fetch(ports, &self.upstream, request).await,
                (Effect::Present { url }, Some(surface)) => {
                    *reused = known.iter().find(|client| asks_as(&url, client)).cloned();
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

    /// What the machine starts from; without a way back, it is by a code.
    async fn request(&self, ports: &Ports, redirect_uri: Option<String>) -> Result<LoginRequest, NoEntropy> {
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
            way: if redirect_uri.is_some() { Way::Page } else { Way::Code },
            redirect_uri: redirect_uri.unwrap_or_else(|| NO_WAY_BACK.to_owned()),
            entropy: Entropy { state: Secret::mint("")?, verifier: Secret::mint("")?, nonce: Secret::mint("")? },
            client_name: "Keybearer".to_owned(),
            now: ports.clock.now(),
        })
    }
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
