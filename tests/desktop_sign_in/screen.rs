//! What a person sees and presses, by X11.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::desktop::PATIENCE;

/// Waits until it is so, and asks again every few milliseconds.
#[track_caller]
pub(crate) fn patiently(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < PATIENCE, "it did not happen: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Whether it is so before a person would try again.
pub(crate) fn within_a_moment(mut is_so: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !is_so() && begun.elapsed() < Duration::from_secs(1) {
        std::thread::park_timeout(Duration::from_millis(20));
    }
    is_so()
}

/// The display of this session.
pub(crate) struct Screen;

impl Screen {
    /// Waits for a window with this title.
    #[track_caller]
    pub(crate) fn window(&self, title: &str) -> String {
        let mut found = None;
        patiently(&format!("a window `{title}`"), || {
            found = self.windows(title).pop();
            found.is_some()
        });
        found.unwrap()
    }

    /// Waits until no window has this in its title.
    #[track_caller]
    pub(crate) fn no_window(&self, title: &str) {
        patiently(&format!("no window `{title}`"), || self.windows(title).is_empty());
    }

    fn windows(&self, title: &str) -> Vec<String> {
        let found = xdotool(&["search", "--onlyvisible", "--name", &title.replace('.', "\\.")]);
        found.lines().map(str::to_owned).collect()
    }

    /// The process that a window is of.
    pub(crate) fn program(&self, window: &str) -> u32 {
        xdotool(&["getwindowpid", window]).trim().parse().unwrap()
    }

    pub(crate) fn title(&self, window: &str) -> String {
        xdotool(&["getwindowname", window]).trim().to_owned()
    }

    /// Presses keys; without a window manager, somebody must say who hears them.
    pub(crate) fn keys(&self, window: &str, keys: &[&str]) {
        xdotool(&[&["windowfocus", window, "key", "--clearmodifiers"], keys].concat());
    }

    pub(crate) fn types(&self, window: &str, text: &str) {
        xdotool(&["windowfocus", window, "type", text]);
    }
}

/// What it printed; that it found nothing, or that a window has just closed, is no error here.
fn xdotool(arguments: &[&str]) -> String {
    let done = Command::new("xdotool").args(arguments).output().unwrap();
    String::from_utf8(done.stdout).unwrap()
}
