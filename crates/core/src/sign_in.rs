//! Drives one sign-in: the pure machine of `keybearer-oauth` on one side, browser and network on the other.

use std::time::Duration;

use keybearer_model::secret::{NoEntropy, Secret};
use keybearer_oauth::challenge::Challenge;
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

/// Who shows the sign-in page to the person.
#[derive(Clone)]
pub struct Opening {
    /// Whether the core opens the browser.
    pub browser: bool,
    /// Who else is told the address, for a person who opens it by hand.
    pub told: Option<mpsc::UnboundedSender<String>>,
}

impl Opening {
    /// The browser, and nobody else is told.
    pub fn browser() -> Self {
        Self { browser: true, told: None }
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
    /// No randomness.
    #[error(transparent)]
    NoEntropy(#[from] NoEntropy),
}

impl SignIn {
    /// Runs the sign-in to its end. The grant is not stored here, and the person is told how it ended by `finish`.
    pub(crate) async fn run(self, ports: &Ports) -> Result<(Obtained, Finish), SignInError> {
        let mut surface = ports.surface.prepare().await?;
        match tokio::time::timeout(LIMIT, self.drive(ports, surface.as_mut())).await {
            Ok(Ok(obtained)) => Ok((obtained, Finish(surface))),
            Ok(Err(error)) => {
                surface.finish(SurfaceEnding::Failed).await;
                Err(error)
            }
            Err(_) => {
                surface.finish(SurfaceEnding::Failed).await;
                Err(SignInError::TimedOut)
            }
        }
    }

    async fn drive(self, ports: &Ports, surface: &mut dyn PreparedSurface) -> Result<Obtained, SignInError> {
        let Self { upstream, challenge, settings, client_secret, opening } = self;
        let entropy = Entropy { state: Secret::mint("")?, verifier: Secret::mint("")?, nonce: Secret::mint("")? };
        let client = settings.client_id.map(|client_id| PreRegistered {
            client_id,
            secret: client_secret,
            auth: settings.client_auth,
        });
        let (mut login, mut effect) = Login::begin(LoginRequest {
            upstream: upstream.clone(),
            challenge,
            client,
            scopes: settings.scopes,
            redirect_uri: surface.redirect_uri(),
            entropy,
            client_name: "Keybearer".to_owned(),
            now: ports.clock.now(),
        });
        loop {
            let input = match effect {
                Effect::Fetch(request) => fetch(ports, &upstream, request).await,
                Effect::Present { url } => {
                    present(surface, &opening, &url).await?;
                    Input::Presented
                }
                Effect::AwaitCallback => Input::Callback(surface.callback().await?),
                Effect::Done(obtained) => return Ok(*obtained),
                Effect::Fail(error) => return Err(error.into()),
            };
            (login, effect) = login.step(input);
        }
    }
}

async fn fetch(ports: &Ports, upstream: &Upstream, mut request: http::Request<Vec<u8>>) -> Input {
    request.extensions_mut().insert(MayBePrivate::as_is(upstream));
    match ports.http.send(request).await {
        Ok(reply) => Input::Fetched(reply),
        Err(
            error @ (HttpError::Unreachable { .. } | HttpError::Certificate { .. } | HttpError::Interrupted { .. }),
        ) => Input::Unreachable(error.to_string()),
    }
}

async fn present(surface: &mut dyn PreparedSurface, opening: &Opening, url: &str) -> Result<(), SignInError> {
    // Told before the browser is tried: where none opens, the person has the address all the same.
    let told = opening.told.as_ref().is_some_and(|told| told.send(url.to_owned()).is_ok());
    if opening.browser {
        match surface.present(url).await {
            Ok(()) => {}
            Err(SurfaceError::NoBrowser) if told => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Tells the person, in the page that they are looking at, how the sign-in ended.
pub(crate) struct Finish(Box<dyn PreparedSurface>);

impl Finish {
    /// Says `ending` and closes the way back.
    pub(crate) async fn say(self, ending: SurfaceEnding) {
        self.0.finish(ending).await;
    }
}
