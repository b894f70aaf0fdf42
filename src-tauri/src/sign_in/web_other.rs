//! The page, on Windows and macOS, with what wry tells on every system.
//!
//! It does not tell who sent the window somewhere, and it does not wait for an answer: so every new place is asked
//! about, and a step that the person allows is made anew. A form that sends itself to another place loses what was in
//! it; the way to the browser is for those.

use std::cell::RefCell;
use std::rc::Rc;

use tao::window::Window;
use wry::dpi::{LogicalPosition, LogicalSize};
use wry::{NewWindowResponse, PermissionResponse, Rect, WebView, WebViewBuilder};

use super::chrome_web::HEIGHT;
use super::rules::{Rules, Step, place};
use super::{Event, Proxy, tell};

type Judge = Rc<RefCell<Rules>>;
type Held = Rc<RefCell<Option<String>>>;

pub(super) struct Web {
    view: WebView,
    /// The step that the person is asked about.
    held: Held,
}

impl Web {
    pub(super) fn open(window: &Window, rules: &Judge, proxy: &Proxy) -> Result<Self, Box<dyn std::error::Error>> {
        let held = Held::default();
        let (judge, step, steps) = (Rc::clone(rules), Rc::clone(&held), proxy.clone());
        let (popups, popup, opened) = (Rc::clone(rules), Rc::clone(&held), proxy.clone());
        let (titles, titled, pages) = (Rc::clone(rules), proxy.clone(), proxy.clone());
        let builder = WebViewBuilder::new()
            .with_incognito(true)
            .with_devtools(false)
            .with_clipboard(false)
            .with_bounds(bounds(window))
            .with_navigation_handler(move |url| goes_on(&url, &judge, &step, &steps))
            .with_new_window_req_handler(move |url, _| {
                // What is asked about is shown in this window; what needs no question is asked about all the same, since
                // this view cannot be reached from here.
                if popups.borrow().step(&url) == Step::Load {
                    popup.replace(Some(url.clone()));
                    tell(&opened, Event::Leads(place(&url).unwrap_or_default()));
                }
                NewWindowResponse::Deny
            })
            .with_permission_handler(|_| PermissionResponse::Deny)
            .with_download_started_handler(|_, _| false)
            .with_document_title_changed_handler(move |title| {
                if let Some(behind) = titles.borrow().wall(&title) {
                    tell(&titled, Event::Wall(behind));
                }
            })
            .with_on_page_load_handler(move |_, url| {
                if let Some(place) = place(&url) {
                    tell(&pages, Event::At(place));
                }
            });
        #[cfg(windows)]
        let builder = wry::WebViewBuilderExtWindows::with_default_context_menus(builder, false);
        Ok(Self { view: builder.build_as_child(window)?, held })
    }

    pub(super) fn show(&self, url: &str) -> Result<(), wry::Error> {
        self.view.load_url(url)
    }

    /// Shows a page of ours.
    pub(super) fn say(&self, page: &str) {
        if let Err(error) = self.view.load_html(page) {
            tracing::warn!(%error, "the window cannot say it");
        }
    }

    /// The person's answer to the step that is held.
    pub(super) fn answer(&self, goes_on: bool, rules: &Judge) {
        let Some(url) = self.held.take().filter(|_| goes_on) else { return };
        if let Some(place) = place(&url) {
            rules.borrow_mut().allow(place);
        }
        if let Err(error) = self.view.load_url(&url) {
            tracing::warn!(%error, "the window cannot go on");
        }
    }

    /// Fits it to a window that has changed.
    pub(super) fn fit(&self, window: &Window) {
        let _ = self.view.set_bounds(bounds(window));
    }
}

/// Whether a step is made now.
fn goes_on(url: &str, rules: &Judge, held: &Held, proxy: &Proxy) -> bool {
    let rules = rules.borrow();
    match rules.step(url) {
        Step::Refuse => false,
        Step::Redirect(query) => {
            tell(proxy, Event::Redirected(query));
            false
        }
        Step::Load => {
            if let Some(behind) = rules.wall(url) {
                tell(proxy, Event::Wall(behind));
            }
            let elsewhere = rules.leads_elsewhere(url);
            if let Some(place) = &elsewhere {
                held.replace(Some(url.to_owned()));
                tell(proxy, Event::Leads(place.clone()));
            }
            elsewhere.is_none()
        }
    }
}

fn bounds(window: &Window) -> Rect {
    let size = window.inner_size().to_logical::<f64>(window.scale_factor());
    Rect {
        position: LogicalPosition::new(0.0, HEIGHT).into(),
        size: LogicalSize::new(size.width, (size.height - HEIGHT).max(1.0)).into(),
    }
}
