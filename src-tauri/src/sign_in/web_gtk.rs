//! The page, on Linux. WebKitGTK tells more than wry passes on: which step is the main page's, who sent the window
//! there, and it waits for an answer with the request as it is, so that a form that leads elsewhere still arrives whole.

use std::cell::RefCell;
use std::rc::Rc;

use tao::platform::unix::WindowExtUnix as _;
use tao::window::Window;
use webkit2gtk::glib::{self, Cast as _};
use webkit2gtk::{
    DownloadExt as _, FileChooserRequestExt as _, LoadEvent, NavigationAction, NavigationPolicyDecision,
    NavigationPolicyDecisionExt as _, PermissionRequestExt as _, PolicyDecision, PolicyDecisionExt as _,
    PolicyDecisionType, ResponsePolicyDecision, ResponsePolicyDecisionExt as _, ScriptDialogType, SettingsExt as _,
    TLSErrorsPolicy, URIRequestExt as _, URIResponseExt as _, WebContextExt as _, WebView, WebViewExt as _,
    WebsiteDataManagerExt as _,
};
use wry::{WebViewBuilder, WebViewBuilderExtUnix as _, WebViewExtUnix as _};

use super::chrome_gtk::NoRoom;
use super::rules::{Rules, Step, place};
use super::{Event, Proxy, tell};

type Judge = Rc<RefCell<Rules>>;

pub(super) struct Web {
    view: WebView,
    /// The step that the person is asked about.
    held: Rc<RefCell<Option<(PolicyDecision, String)>>>,
    // Dropped, it takes the page with it.
    _whole: wry::WebView,
}

impl Web {
    pub(super) fn open(window: &Window, rules: &Judge, proxy: &Proxy) -> Result<Self, Box<dyn std::error::Error>> {
        let room = window.default_vbox().ok_or(NoRoom)?;
        // Incognito: cookies and all else live in memory, and no automation can attach.
        let whole = WebViewBuilder::new().with_incognito(true).with_devtools(false).build_gtk(room)?;
        let view = whole.webview();
        let held = Rc::default();
        close_what_pages_do_not_need(&view);
        watch_steps(&view, rules, &held, proxy);
        watch_pages(&view, rules, proxy);
        Ok(Self { view, held, _whole: whole })
    }

    #[expect(clippy::unnecessary_wraps, reason = "it can fail elsewhere")]
    pub(super) fn show(&self, url: &str) -> Result<(), wry::Error> {
        self.view.load_uri(url);
        Ok(())
    }

    /// Shows a page of ours.
    pub(super) fn say(&self, page: &str) {
        self.view.stop_loading();
        self.view.load_html(page, None);
    }

    /// The person's answer to the step that is held.
    pub(super) fn answer(&self, goes_on: bool, rules: &Judge) {
        match self.held.take() {
            Some((step, place)) if goes_on => {
                rules.borrow_mut().allow(place);
                step.use_();
            }
            Some((step, _)) => step.ignore(),
            None => {}
        }
    }

    /// GTK fits its parts by itself.
    pub(super) fn fit(&self, _window: &Window) {}
}

/// What a sign-in page has no use for, and a hostile one has.
fn close_what_pages_do_not_need(view: &WebView) {
    if let Some(settings) = webkit2gtk::WebViewExt::settings(view) {
        settings.set_enable_developer_extras(false);
        settings.set_enable_fullscreen(false);
        settings.set_enable_media_stream(false);
        settings.set_enable_page_cache(false);
        settings.set_javascript_can_access_clipboard(false);
        settings.set_javascript_can_open_windows_automatically(false);
    }
    if let Some(context) = view.context() {
        context.connect_download_started(|_, download| download.cancel());
        if let Some(data) = context.website_data_manager() {
            data.set_tls_errors_policy(TLSErrorsPolicy::Fail);
        }
    }
    view.connect_context_menu(|_, _, _, _| true);
    view.connect_enter_fullscreen(|_| true);
    view.connect_print(|_, _| true);
    view.connect_show_notification(|_, _| true);
    view.connect_permission_request(|_, wish| {
        wish.deny();
        true
    });
    view.connect_run_file_chooser(|_, wish| {
        wish.cancel();
        true
    });
    view.connect_script_dialog(|_, dialog| {
        // "Do you want to leave?" is answered, so that no page can hold the window; all else is not shown.
        if dialog.dialog_type() == ScriptDialogType::BeforeUnloadConfirm {
            dialog.confirm_set_confirmed(true);
        }
        true
    });
}

fn watch_steps(view: &WebView, rules: &Judge, held: &Rc<RefCell<Option<(PolicyDecision, String)>>>, proxy: &Proxy) {
    let (judge, held, steps) = (Rc::clone(rules), Rc::clone(held), proxy.clone());
    view.connect_decide_policy(move |view, decision, kind| {
        match kind {
            PolicyDecisionType::NavigationAction => decide_step(decision, &judge, &steps),
            PolicyDecisionType::NewWindowAction => {
                decision.ignore();
                if let Some(url) = target(decision) {
                    in_this_window(view, &url, &judge, &steps);
                }
            }
            PolicyDecisionType::Response => decide_page(decision, &judge, &held, &steps),
            _ => decision.ignore(),
        }
        true
    });
    let (judge, steps) = (Rc::clone(rules), proxy.clone());
    view.connect_create(move |view, action| {
        if let Some(url) = address(action) {
            in_this_window(view, &url, &judge, &steps);
        }
        None
    });
}

/// A step of any frame, before anything is sent.
fn decide_step(decision: &PolicyDecision, rules: &Judge, proxy: &Proxy) {
    match target(decision).map_or(Step::Refuse, |url| rules.borrow().step(&url)) {
        Step::Load => decision.use_(),
        Step::Refuse => decision.ignore(),
        Step::Redirect(query) => {
            decision.ignore();
            tell(proxy, Event::Redirected(query));
        }
    }
}

/// An answer, before anything of it is shown.
fn decide_page(
    decision: &PolicyDecision,
    rules: &Judge,
    held: &Rc<RefCell<Option<(PolicyDecision, String)>>>,
    proxy: &Proxy,
) {
    let Some(answer) = decision.downcast_ref::<ResponsePolicyDecision>() else { return decision.ignore() };
    if !answer.is_mime_type_supported() {
        return decision.ignore();
    }
    let url = answer.response().and_then(|response| response.uri()).unwrap_or_default();
    let elsewhere = answer.is_main_frame_main_resource().then(|| rules.borrow().leads_elsewhere(&url)).flatten();
    match elsewhere {
        None => decision.use_(),
        Some(place) => {
            if let Some((before, _)) = held.replace(Some((decision.clone(), place.clone()))) {
                before.ignore();
            }
            tell(proxy, Event::Leads(place));
        }
    }
}

/// What a page would open in a window of its own opens here.
fn in_this_window(view: &WebView, url: &str, rules: &Judge, proxy: &Proxy) {
    match rules.borrow().step(url) {
        Step::Load => {
            let (view, url) = (view.clone(), url.to_owned());
            // Not while WebKit is still deciding about this very step.
            glib::idle_add_local_once(move || view.load_uri(&url));
        }
        Step::Redirect(query) => tell(proxy, Event::Redirected(query)),
        Step::Refuse => {}
    }
}

fn watch_pages(view: &WebView, rules: &Judge, proxy: &Proxy) {
    let (judge, pages) = (Rc::clone(rules), proxy.clone());
    view.connect_load_changed(move |view, event| {
        let url = view.uri().unwrap_or_default();
        match event {
            LoadEvent::Started => judge.borrow_mut().sets_out(&url),
            LoadEvent::Redirected => judge.borrow_mut().is_sent_on(&url),
            LoadEvent::Committed => {
                if let Some(place) = place(&url) {
                    tell(&pages, Event::At(place));
                }
            }
            LoadEvent::Finished | _ => {}
        }
        look_for_wall(&url, &judge, &pages);
    });
    let (judge, pages) = (Rc::clone(rules), proxy.clone());
    view.connect_title_notify(move |view| look_for_wall(&view.title().unwrap_or_default(), &judge, &pages));
    let pages = proxy.clone();
    view.connect_load_failed_with_tls_errors(move |_, url, _, _| {
        tell(&pages, Event::Untrusted(place(url).unwrap_or_default()));
        true
    });
    let pages = proxy.clone();
    view.connect_close(move |_| tell(&pages, Event::Gone));
    let pages = proxy.clone();
    view.connect_web_process_terminated(move |_, _| tell(&pages, Event::Gone));
}

fn look_for_wall(text: &str, rules: &Judge, proxy: &Proxy) {
    if let Some(behind) = rules.borrow().wall(text) {
        tell(proxy, Event::Wall(behind));
    }
}

fn target(decision: &PolicyDecision) -> Option<String> {
    address(&decision.downcast_ref::<NavigationPolicyDecision>()?.navigation_action()?)
}

fn address(action: &NavigationAction) -> Option<String> {
    Some(action.request()?.uri()?.to_string())
}
