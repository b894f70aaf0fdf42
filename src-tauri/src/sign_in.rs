//! The sign-in window: the same executable as `--sign-in`, one process for one sign-in.
//!
//! It shows other people's pages, so it has nothing that they could want: no Tauri, no messages between page and
//! program, no script of ours in a page, no scheme of ours, no file that outlives it, no way to the core. It reads
//! orders from its standard input, and says on its standard output what the redirect carried.

mod pages;
mod pipes;
mod rules;

#[cfg(target_os = "linux")]
mod chrome_gtk;
#[cfg(not(target_os = "linux"))]
mod chrome_web;
#[cfg(target_os = "linux")]
mod web_gtk;
#[cfg(not(target_os = "linux"))]
mod web_other;

use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use keybearer_control::sign_in_window::{Behind, SignInPage, WindowEnding, WindowOrder, WindowSaid};
use keybearer_os::harden::harden;
use tao::dpi::LogicalSize;
use tao::event::{Event as Happening, StartCause, WindowEvent};
use tao::event_loop::{ControlFlow, EventLoop, EventLoopBuilder, EventLoopProxy};
use tao::window::{Window, WindowBuilder};

#[cfg(target_os = "linux")]
use chrome_gtk::Chrome;
#[cfg(not(target_os = "linux"))]
use chrome_web::Chrome;
#[cfg(target_os = "linux")]
use web_gtk::Web;
#[cfg(not(target_os = "linux"))]
use web_other::Web;

use crate::words::{Language, Words};
use rules::Rules;

/// How long a person may take, as in the core.
const LIMIT: Duration = Duration::from_secs(600);
/// How long the window says that it did not work.
const LAST_WORDS: Duration = Duration::from_secs(60);

/// What happens to the window.
#[derive(Debug)]
enum Event {
    /// The core orders something.
    Ordered(WindowOrder),
    /// Whoever started the window is gone.
    HungUp,
    /// A page led to the redirect's address, with this query.
    Redirected(String),
    /// A page of this place is shown now.
    At(String),
    /// A page leads to this place, which is not on the list.
    Leads(String),
    /// What the person says to that.
    Answered { goes_on: bool },
    /// The person wants the browser.
    BrowserWanted,
    /// A wall: only a browser goes on.
    Wall(Behind),
    /// The certificate of this place is not trusted.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "wry does not tell it"))]
    Untrusted(String),
    /// The page closed itself, or its process broke.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "wry does not tell it"))]
    Gone,
}

type Proxy = EventLoopProxy<Event>;

/// Says what happens; an event loop that has ended needs to hear nothing.
fn tell(proxy: &Proxy, event: Event) {
    let _ = proxy.send_event(event);
}

/// Shows the page that is ordered, until it is over. Returns only where nothing can be shown.
pub fn run() -> Result<(), Box<dyn std::error::Error>> {
    if let Err(cause) = harden() {
        tracing::warn!(%cause, "this process's memory could not be closed to other programs of this user");
    }
    let Some(page) = pipes::first_page()? else { return Ok(()) };
    let event_loop = EventLoopBuilder::<Event>::with_user_event().build();
    let proxy = event_loop.create_proxy();
    pipes::listen(proxy.clone());
    let mut shown = match SignInWindow::open(&event_loop, &page, &proxy) {
        Ok(shown) => shown,
        Err(cause) => {
            pipes::say(&WindowSaid::Broken { cause: cause.to_string() });
            return Err(cause);
        }
    };
    event_loop.run(move |happening, _, flow| shown.take(happening, flow))
}

/// What the window stands for now.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// The sign-in.
    Page,
    /// It goes on elsewhere; the window says why.
    Elsewhere,
    /// It is over; the window says so.
    Over,
}

struct SignInWindow {
    window: Window,
    chrome: Chrome,
    web: Web,
    rules: Rc<RefCell<Rules>>,
    words: Words,
    state: State,
    until: Instant,
}

impl SignInWindow {
    fn open(
        event_loop: &EventLoop<Event>,
        page: &SignInPage,
        proxy: &Proxy,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let words = Words::of(Language::of_person());
        let rules = Rc::new(RefCell::new(Rules::of(page)?));
        let window = WindowBuilder::new()
            .with_title(words.say("signin.title", &[]))
            .with_inner_size(LogicalSize::new(520.0, 720.0))
            .with_min_inner_size(LogicalSize::new(360.0, 420.0))
            .build(event_loop)?;
        let chrome = Chrome::new(&window, &words, proxy)?;
        let web = Web::open(&window, &rules, proxy)?;
        web.show(&page.url)?;
        window.set_focus();
        Ok(Self { window, chrome, web, rules, words, state: State::Page, until: in_time(LIMIT) })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "of what else happens to windows nothing matters here")]
    fn take(&mut self, happening: Happening<'_, Event>, flow: &mut ControlFlow) {
        *flow = ControlFlow::WaitUntil(self.until);
        let goes_on = match happening {
            Happening::UserEvent(event) => self.on(event),
            Happening::NewEvents(StartCause::ResumeTimeReached { .. })
            | Happening::WindowEvent { event: WindowEvent::CloseRequested, .. } => self.closed(),
            Happening::WindowEvent { event: WindowEvent::Resized(_), .. } => {
                self.chrome.fit(&self.window);
                self.web.fit(&self.window);
                true
            }
            _ => true,
        };
        *flow = if goes_on { ControlFlow::WaitUntil(self.until) } else { ControlFlow::Exit };
    }

    /// Whether the window stays.
    fn on(&mut self, event: Event) -> bool {
        match event {
            Event::Ordered(WindowOrder::Show { page }) => self.show(&page),
            Event::Ordered(WindowOrder::End { ending }) => self.end(ending),
            Event::HungUp => self.state == State::Over,
            Event::Gone => self.closed(),
            // What a page does after its sign-in is over is nobody's business any more.
            _ if self.state != State::Page => true,
            Event::Redirected(query) => {
                pipes::say(&WindowSaid::Callback { query: pipes::carried(query) });
                self.chrome.note(&self.words.say("signin.almost", &[]));
                true
            }
            Event::At(place) => {
                self.window.set_title(&self.words.say("signin.title_at", &[("host", &place)]));
                self.chrome.at(&place);
                true
            }
            Event::Leads(place) => {
                let question = self.words.say("signin.leads", &[("host", &place)]);
                self.chrome.ask(&question);
                true
            }
            Event::Answered { goes_on } => {
                self.chrome.ask_no_more();
                self.web.answer(goes_on, &self.rules);
                true
            }
            Event::BrowserWanted => {
                pipes::say(&WindowSaid::Browser);
                false
            }
            Event::Wall(behind) => self.wall(behind),
            Event::Untrusted(host) => {
                self.tell_person("signin.untrusted", &[("host", &host)], State::Over);
                pipes::say(&WindowSaid::Untrusted { host });
                true
            }
        }
    }

    /// Another sign-in of the same round, or the first one anew.
    fn show(&mut self, page: &SignInPage) -> bool {
        let shown = Rules::of(page).map(|rules| self.rules.replace(rules)).is_ok() && self.web.show(&page.url).is_ok();
        if !shown {
            pipes::say(&WindowSaid::Broken { cause: "the page cannot be shown".to_owned() });
        }
        self.chrome.note("");
        (self.state, self.until) = (State::Page, in_time(LIMIT));
        shown
    }

    fn wall(&mut self, behind: Behind) -> bool {
        let key = match behind {
            Behind::Refused => "signin.refused",
            Behind::Device => "signin.device",
            Behind::Passkey => "signin.passkey",
        };
        self.tell_person(key, &[], State::Elsewhere);
        pipes::say(&WindowSaid::Browser);
        true
    }

    fn end(&mut self, ending: WindowEnding) -> bool {
        match (ending, self.state) {
            (WindowEnding::SignedIn, _) | (WindowEnding::NotSignedIn, State::Elsewhere) => false,
            // It says already what happened.
            (WindowEnding::NotSignedIn, State::Over) => true,
            (WindowEnding::NotSignedIn, State::Page) => {
                self.tell_person("signin.not_signed_in", &[], State::Over);
                true
            }
        }
    }

    fn closed(&self) -> bool {
        if self.state == State::Page {
            pipes::say(&WindowSaid::Closed);
        }
        false
    }

    /// Puts a page of ours where the issuer's was.
    fn tell_person(&mut self, key: &str, values: &[(&str, &str)], state: State) {
        let title = self.words.say("signin.title", &[]);
        self.window.set_title(&title);
        self.chrome.leave();
        self.web.say(&pages::of_ours(self.words.language().tag(), &title, &self.words.say(key, values)));
        self.state = state;
        if state == State::Over {
            self.until = in_time(LAST_WORDS);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the window's own limit; the core keeps its own by its own clock")]
fn in_time(span: Duration) -> Instant {
    Instant::now() + span
}
