//! The sign-in windows that the shell opens for the core: each shows the issuer's page and hands back the redirect.
//!
//! One shell at a time offers them over the control socket. A window's redirect has no port: the address is caught before
//! it is loaded, so nothing has to listen.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use keybearer_control::error::{Code, Error};
use keybearer_control::sign_in_window::{Behind, SignInPage, Wall, WindowEnding, WindowOrder, WindowSaid};
use keybearer_control::wire::{Reply, Request};
use keybearer_core::ports::{LoginSurface, PreparedSurface, SurfaceEnding, SurfaceError};
use keybearer_core::sign_in;
use keybearer_os::local::Stream;
use tokio::io::{BufReader, ReadHalf};
use tokio::sync::mpsc;
use url::{Position, Url};

use crate::control::{Replies, next_line, say};

/// RFC 8252 §7.3: an issuer takes any port of a loopback redirect, so also none; and this is what IT registers.
const REDIRECT: &str = "http://127.0.0.1/callback";
/// The same, for an issuer that takes no address of this machine, but its name.
const BY_NAME: &str = "http://localhost/callback";

/// The way to whoever opens sign-in windows. Cheap to clone.
#[derive(Clone, Default)]
pub struct SignInWindows(Arc<Shared>);

#[derive(Default)]
struct Shared {
    // A lock and no task: it is held for a look, and whether a shell is there must be known without waiting.
    shell: Mutex<Option<mpsc::UnboundedSender<Order>>>,
    opened: AtomicU64,
}

/// What the shell is to be told, and where the window's words go.
enum Order {
    Open { window: u64, said: mpsc::UnboundedSender<WindowSaid> },
    Tell { window: u64, order: WindowOrder },
}

impl SignInWindows {
    /// Serves the shell on a connection of its own, until it hangs up.
    pub(crate) async fn serve(&self, reader: &mut BufReader<ReadHalf<Stream>>, replies: &mut Replies) {
        let Some((_attached, orders)) = self.attach() else {
            let error = Error::new(Code::NotAllowed, "another program opens the sign-in windows already")
                .hint("end the other Keybearer window first");
            let _ = say(replies, &Reply::Failed { error }).await;
            return;
        };
        let open = Mutex::new(HashMap::new());
        tokio::select! {
            () = listen(reader, &open) => {}
            () = tell(orders, &open, replies) => {}
        }
    }

    fn attach(&self) -> Option<(Attached<'_>, mpsc::UnboundedReceiver<Order>)> {
        let mut shell = self.0.shell.lock().unwrap_or_else(PoisonError::into_inner);
        if shell.is_some() {
            return None;
        }
        let (tell, orders) = mpsc::unbounded_channel();
        *shell = Some(tell);
        tracing::info!("sign-in windows are offered");
        Some((Attached(&self.0), orders))
    }

    fn shell(&self) -> Option<mpsc::UnboundedSender<Order>> {
        self.0.shell.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A shell that is there; dropped, it is there no more.
struct Attached<'s>(&'s Shared);

impl Drop for Attached<'_> {
    fn drop(&mut self) {
        *self.0.shell.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

type Open = Mutex<HashMap<u64, mpsc::UnboundedSender<WindowSaid>>>;

/// Passes on what windows say, until the shell hangs up or says something else.
async fn listen(reader: &mut BufReader<ReadHalf<Stream>>, open: &Open) {
    while let Some(line) = next_line(reader).await {
        let Ok(Request::WindowSaid { window, said }) = serde_json::from_slice(&line) else { return };
        let sign_in = open.lock().unwrap_or_else(PoisonError::into_inner).get(&window).cloned();
        // A sign-in that is over needs to hear nothing more.
        if let Some(sign_in) = sign_in {
            let _ = sign_in.send(said);
        }
    }
}

async fn tell(mut orders: mpsc::UnboundedReceiver<Order>, open: &Open, replies: &mut Replies) {
    while let Some(order) = orders.recv().await {
        match order {
            Order::Open { window, said } => {
                open.lock().unwrap_or_else(PoisonError::into_inner).insert(window, said);
            }
            Order::Tell { window, order } => {
                if matches!(order, WindowOrder::End { .. }) {
                    open.lock().unwrap_or_else(PoisonError::into_inner).remove(&window);
                }
                if say(replies, &Reply::Window { window, order }).await.is_err() {
                    return;
                }
            }
        }
    }
}

#[async_trait]
impl LoginSurface for SignInWindows {
    fn is_there(&self) -> bool {
        self.shell().is_some()
    }

    async fn prepare(&self) -> Result<Box<dyn PreparedSurface>, SurfaceError> {
        let shell = self.shell().ok_or_else(|| SurfaceError::NoWindow("nobody opens one".to_owned()))?;
        let window = self.0.opened.fetch_add(1, Ordering::Relaxed);
        let (said, hears) = mpsc::unbounded_channel();
        // A shell that has just gone is noticed when there is something to show.
        let _ = shell.send(Order::Open { window, said });
        Ok(Box::new(Window { window, shell, hears, over: false }))
    }
}

/// One window, which opens with its first page.
struct Window {
    window: u64,
    shell: mpsc::UnboundedSender<Order>,
    hears: mpsc::UnboundedReceiver<WindowSaid>,
    over: bool,
}

impl Window {
    fn tell(&self, order: WindowOrder) -> Result<(), SurfaceError> {
        let told = self.shell.send(Order::Tell { window: self.window, order });
        told.map_err(|_| SurfaceError::NoWindow("whoever opens them has gone".to_owned()))
    }

    fn end(&mut self, ending: WindowEnding) {
        if !std::mem::replace(&mut self.over, true) {
            // A shell that has gone has closed its windows.
            let _ = self.tell(WindowOrder::End { ending });
        }
    }
}

#[async_trait]
impl PreparedSurface for Window {
    fn redirect_uri(&self) -> String {
        REDIRECT.to_owned()
    }

    fn takes_any_browser(&self) -> bool {
        false
    }

    async fn present(&mut self, authorization_url: &str) -> Result<(), SurfaceError> {
        let url: Url = authorization_url.parse().map_err(|_| SurfaceError::RefusedUrl)?;
        let place = url[Position::BeforeHost..Position::AfterPort].to_owned();
        self.tell(WindowOrder::Show {
            page: SignInPage {
                url: url.into(),
                redirects: [REDIRECT, BY_NAME].map(str::to_owned).to_vec(),
                hosts: vec![place],
                walls: sign_in::walls().into_iter().map(wall).collect(),
            },
        })
    }

    async fn callback(&mut self) -> Result<String, SurfaceError> {
        match self.hears.recv().await {
            Some(WindowSaid::Callback { query }) => Ok(query.0),
            Some(WindowSaid::Browser) => Err(SurfaceError::GoOnInBrowser),
            Some(WindowSaid::Untrusted { host }) => Err(SurfaceError::Untrusted(host)),
            Some(WindowSaid::Broken { cause }) => Err(SurfaceError::NoWindow(cause)),
            // A person who ends the shell does not expect a browser to open.
            Some(WindowSaid::Closed) | None => Err(SurfaceError::Closed),
        }
    }

    async fn finish(mut self: Box<Self>, ending: SurfaceEnding) {
        self.end(match ending {
            SurfaceEnding::SignedIn => WindowEnding::SignedIn,
            SurfaceEnding::Failed => WindowEnding::NotSignedIn,
        });
    }
}

/// A sign-in that is given up closes its window.
impl Drop for Window {
    fn drop(&mut self) {
        self.end(WindowEnding::NotSignedIn);
    }
}

fn wall(known: sign_in::Wall) -> Wall {
    Wall {
        text: known.text,
        behind: match known.behind {
            sign_in::Behind::Refused => Behind::Refused,
            sign_in::Behind::Device => Behind::Device,
            sign_in::Behind::Passkey => Behind::Passkey,
        },
    }
}
