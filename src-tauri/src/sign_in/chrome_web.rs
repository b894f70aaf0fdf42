//! What is ours in the window, on Windows and macOS: a strip of its own above the page, where the page cannot draw.
//!
//! It is a second view with a text of ours alone. What its buttons say reaches us from that view and no other.

use serde_json::json;
use tao::window::Window;
use wry::dpi::{LogicalPosition, LogicalSize};
use wry::{Rect, WebView, WebViewBuilder};

use super::{Event, Proxy, tell};
use crate::words::Words;

/// How high the strip is, in logical pixels.
pub(super) const HEIGHT: f64 = 88.0;

const STRIP: &str = include_str!("strip.html");

pub(super) struct Chrome {
    strip: WebView,
}

impl Chrome {
    pub(super) fn new(window: &Window, words: &Words, proxy: &Proxy) -> Result<Self, wry::Error> {
        let said = proxy.clone();
        let strip = WebViewBuilder::new()
            .with_html(STRIP)
            .with_incognito(true)
            .with_devtools(false)
            .with_bounds(bounds(window))
            .with_ipc_handler(move |request| match request.body().as_str() {
                "browser" => tell(&said, Event::BrowserWanted),
                "go on" => tell(&said, Event::Answered { goes_on: true }),
                "stay" => tell(&said, Event::Answered { goes_on: false }),
                _ => {}
            })
            .build_as_child(window)?;
        let chrome = Self { strip };
        for (part, key) in [("browser", "signin.in_browser"), ("go-on", "signin.go_on"), ("stay", "signin.stay")] {
            // `_` marks an access key where there are some.
            chrome.write(part, &words.say(key, &[]).replace('_', ""));
        }
        Ok(chrome)
    }

    /// A page of this place is shown.
    pub(super) fn at(&self, place: &str) {
        self.write("place", place);
    }

    /// Something to know while the page stays as it is.
    pub(super) fn note(&self, words: &str) {
        self.write("note", words);
    }

    pub(super) fn ask(&self, question: &str) {
        self.write("question", question);
    }

    pub(super) fn ask_no_more(&self) {
        self.write("question", "");
    }

    /// No page of others is shown any more.
    pub(super) fn leave(&self) {
        for part in ["place", "note", "question"] {
            self.write(part, "");
        }
    }

    /// Fits it to a window that has changed.
    pub(super) fn fit(&self, window: &Window) {
        let _ = self.strip.set_bounds(bounds(window));
    }

    fn write(&self, part: &str, text: &str) {
        // As a JSON text it can only be a text, whatever stands in it.
        if let Err(error) = self.strip.evaluate_script(&format!("write({}, {})", json!(part), json!(text))) {
            tracing::warn!(%error, part, "the strip does not show it");
        }
    }
}

fn bounds(window: &Window) -> Rect {
    let size = window.inner_size().to_logical::<f64>(window.scale_factor());
    Rect { position: LogicalPosition::new(0.0, 0.0).into(), size: LogicalSize::new(size.width, HEIGHT).into() }
}
