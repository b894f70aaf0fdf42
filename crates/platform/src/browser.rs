//! Where a person signs in: their own browser, with a one-shot way back on this machine.

use std::env;
use std::time::Duration;

use async_trait::async_trait;
use keybearer_core::ports::{LoginSurface, PreparedSurface, SurfaceEnding, SurfaceError};
use tokio::sync::oneshot;

mod address;
mod page;
mod way_back;

use address::SignInPage;
use page::Page;
use way_back::WayBack;

/// How long the browser may take to start; one that runs in this terminal does not return at all, and is open too.
const PATIENCE: Duration = Duration::from_secs(5);

/// Opens the sign-in page in the person's own browser.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemBrowser;

#[async_trait]
impl LoginSurface for SystemBrowser {
    /// Whether there is a desktop for one; whether there is a browser is known only once it is to be opened.
    fn is_there(&self) -> bool {
        has_desktop()
    }

    async fn prepare(&self) -> Result<Box<dyn PreparedSurface>, SurfaceError> {
        let way_back = WayBack::open().await.map_err(|cause| SurfaceError::NoWayBack(cause.to_string()))?;
        Ok(Box::new(Prepared { way_back }))
    }
}

struct Prepared {
    way_back: WayBack,
}

#[async_trait]
impl PreparedSurface for Prepared {
    fn redirect_uri(&self) -> String {
        self.way_back.redirect_uri()
    }

    fn takes_any_browser(&self) -> bool {
        true
    }

    async fn present(&mut self, authorization_url: &str) -> Result<(), SurfaceError> {
        let page = SignInPage::parse(authorization_url).ok_or(SurfaceError::RefusedUrl)?;
        open(page).await
    }

    async fn callback(&mut self) -> Result<String, SurfaceError> {
        let ended = || SurfaceError::NoWayBack("it ended".into());
        self.way_back.next().await.ok_or_else(ended)
    }

    async fn finish(self: Box<Self>, ending: SurfaceEnding) {
        let page = match ending {
            SurfaceEnding::SignedIn => Page::SignedIn,
            SurfaceEnding::Failed => Page::NotSignedIn,
        };
        self.way_back.close(page).await;
        bury_openers();
    }
}

/// Takes note of the ends of programs that opened a browser, which nobody else waits for: until then the system keeps
/// their entries. This process starts no other programs (SEC-18).
#[cfg(target_os = "linux")]
fn bury_openers() {
    use rustix::process::{WaitOptions, wait};
    while matches!(wait(WaitOptions::NOHANG), Ok(Some(_))) {}
}

/// Elsewhere the system's own opener is asked, which leaves nothing behind.
#[cfg(not(target_os = "linux"))]
fn bury_openers() {}

/// Opens the page in the browser: no shell, one argument (SEC-29).
///
/// On a thread of its own, because a browser that runs in the terminal would hold up the end of the process.
async fn open(page: SignInPage) -> Result<(), SurfaceError> {
    if !has_desktop() {
        return Err(SurfaceError::NoBrowser);
    }
    let (done, opened) = oneshot::channel();
    let open = move || {
        let _ = done.send(webbrowser::open(page.as_str()).is_ok());
    };
    let thread = std::thread::Builder::new().name("browser".into()).spawn(open);
    match (thread, tokio::time::timeout(PATIENCE, opened).await) {
        (Err(_), _) | (Ok(_), Ok(Ok(false) | Err(_))) => Err(SurfaceError::NoBrowser),
        (Ok(_), Ok(Ok(true)) | Err(_)) => Ok(()),
    }
}

/// Whether a window can be shown at all: openers that are installed on a machine without a display start, and then fail
/// unseen.
fn has_desktop() -> bool {
    let set = |name: &&str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let names = ["DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"];
    cfg!(not(target_os = "linux")) || names.iter().any(set)
}

#[cfg(test)]
mod tests;
