//! What is ours in the window, on Linux: where the page is from, the way to the browser, and the question before the
//! window goes elsewhere. Native, so that no page can draw over it or press it.

use gtk::prelude::*;
use gtk::{Align, Box as Line, Button, IconSize, Image, InfoBar, Label, MessageType, Orientation, ResponseType};
use tao::platform::unix::WindowExtUnix as _;
use tao::window::Window;

use super::{Event, Proxy, tell};
use crate::words::Words;

/// Between things, in pixels.
const GAP: u32 = 8;

pub(super) struct Chrome {
    line: Line,
    lock: Image,
    place: Label,
    note: Label,
    question: InfoBar,
    asked: Label,
}

/// A window without a box to put things into.
#[derive(Debug, thiserror::Error)]
#[error("the window has no room for its parts")]
pub(super) struct NoRoom;

impl Chrome {
    pub(super) fn new(window: &Window, words: &Words, proxy: &Proxy) -> Result<Self, NoRoom> {
        let room = window.default_vbox().ok_or(NoRoom)?;
        let line = Line::new(Orientation::Horizontal, 8);
        line.set_border_width(GAP);
        let lock = Image::from_icon_name(Some("channel-secure-symbolic"), IconSize::SmallToolbar);
        let place = label();
        let note = label();
        let browser = Button::with_mnemonic(&words.say("signin.in_browser", &[]));
        let wanted = proxy.clone();
        browser.connect_clicked(move |_| tell(&wanted, Event::BrowserWanted));
        line.pack_start(&lock, false, false, 0);
        line.pack_start(&place, false, true, 0);
        line.pack_start(&note, true, true, GAP);
        line.pack_end(&browser, false, false, 0);
        room.pack_start(&line, false, false, 0);
        line.show_all();
        lock.hide();
        let (question, asked) = question(words, proxy);
        room.pack_start(&question, false, false, 0);
        question.set_default_response(ResponseType::No);
        Ok(Self { line, lock, place, note, question, asked })
    }

    /// A page of this place is shown.
    pub(super) fn at(&self, place: &str) {
        self.place.set_text(place);
        // Plain http comes from this machine alone.
        self.lock
            .set_visible(!place.starts_with("127.") && !place.starts_with("[::1]") && !place.starts_with("localhost"));
    }

    /// Something to know while the page stays as it is.
    pub(super) fn note(&self, words: &str) {
        self.note.set_text(words);
    }

    pub(super) fn ask(&self, question: &str) {
        self.asked.set_text(question);
        self.question.show();
    }

    pub(super) fn ask_no_more(&self) {
        self.question.hide();
    }

    /// No page of others is shown any more.
    pub(super) fn leave(&self) {
        self.question.hide();
        self.line.hide();
    }

    /// GTK fits its parts by itself.
    pub(super) fn fit(&self, _window: &Window) {}
}

fn label() -> Label {
    let label = Label::new(None);
    label.set_halign(Align::Start);
    label.set_xalign(0.0);
    // The end of a name says whose it is.
    label.set_ellipsize(gtk::pango::EllipsizeMode::Start);
    label
}

fn question(words: &Words, proxy: &Proxy) -> (InfoBar, Label) {
    let bar = InfoBar::new();
    bar.set_message_type(MessageType::Question);
    let asked = Label::new(None);
    asked.set_line_wrap(true);
    asked.set_xalign(0.0);
    bar.content_area().add(&asked);
    asked.show();
    bar.add_button(&words.say("signin.stay", &[]), ResponseType::No);
    bar.add_button(&words.say("signin.go_on", &[]), ResponseType::Yes);
    let answered = proxy.clone();
    bar.connect_response(move |_, answer| {
        tell(&answered, Event::Answered { goes_on: answer == ResponseType::Yes });
    });
    bar.set_no_show_all(true);
    (bar, asked)
}
