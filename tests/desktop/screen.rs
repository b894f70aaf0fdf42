//! The screen as a person sees it: the windows that are there, and when what is in them has been drawn.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a tool stops where it fails")]

use std::collections::HashMap;
use std::time::{Duration, Instant};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, EventMask, ImageFormat, MapState, Window,
};
use x11rb::rust_connection::RustConnection;

use super::PATIENCE;

/// Between two looks at the screen: whoever looks takes time from whoever draws.
const PAUSE: Duration = Duration::from_millis(5);
/// What has words in it and has not changed for so long is drawn.
const CALM: Duration = Duration::from_secs(3);
/// The share of what stands out from the background that makes a page one that can be read, in percent.
const NEARLY_ALL: usize = 99;

/// The screen, and the person's eyes.
pub(crate) struct Screen {
    connection: RustConnection,
    root: Window,
    width: u16,
    height: u16,
}

/// What was to be seen from this moment on. A point has four bytes.
struct Frame {
    since: Duration,
    points: Vec<u32>,
}

impl Screen {
    pub(crate) fn open() -> Self {
        let (connection, number) = x11rb::connect(None).expect("the session has a display");
        let screen = &connection.setup().roots[number];
        let (root, width, height) = (screen.root, screen.width_in_pixels, screen.height_in_pixels);
        Self { connection, root, width, height }
    }

    /// How long after `begun` the window with this title could be read. Looks until nothing changes any more.
    pub(crate) fn drawn(&self, title: &str, begun: Instant) -> Duration {
        let mut frames: Vec<Frame> = Vec::new();
        let mut changed = begun;
        loop {
            let (points, now) = (self.points(), Instant::now());
            if frames.last().is_none_or(|last| last.points != points) {
                changed = now;
                frames.push(Frame { since: now - begun, points });
            }
            let window = if now - changed > CALM { self.window(title) } else { None };
            if let Some(readable) = window.and_then(|window| readable(&frames, &self.place(window))) {
                return readable;
            }
            assert!(now - begun < PATIENCE, "`{title}` does not come, stays empty, or never stays the same");
            std::thread::sleep(PAUSE);
        }
    }

    /// Closes the window, as the button in its frame does, and waits until it is gone.
    pub(crate) fn close(&self, title: &str) {
        let window = self.window(title).expect("the window is there");
        let (protocols, delete) = (self.atom("WM_PROTOCOLS"), self.atom("WM_DELETE_WINDOW"));
        let close = ClientMessageEvent::new(32, window, protocols, [delete, x11rb::CURRENT_TIME, 0, 0, 0]);
        self.connection.send_event(false, window, EventMask::NO_EVENT, close).unwrap().check().unwrap();
        let begun = Instant::now();
        while self.window(title).is_some() {
            assert!(begun.elapsed() < PATIENCE, "`{title}` stays");
            std::thread::sleep(PAUSE);
        }
    }

    /// The window with this title, if it is to be seen.
    fn window(&self, title: &str) -> Option<Window> {
        let windows = self.connection.query_tree(self.root).unwrap().reply().unwrap().children;
        // One that has just gone answers nothing.
        windows.into_iter().find(|window| self.is_seen(*window, title).unwrap_or(false))
    }

    fn is_seen(&self, window: Window, title: &str) -> Result<bool, Box<dyn std::error::Error>> {
        let name = self.connection.get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 64)?.reply()?;
        let state = self.connection.get_window_attributes(window)?.reply()?.map_state;
        Ok(name.value == title.as_bytes() && state == MapState::VIEWABLE)
    }

    fn atom(&self, name: &str) -> u32 {
        self.connection.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom
    }

    /// Which points of the screen are the window's.
    fn place(&self, window: Window) -> Vec<usize> {
        let place = self.connection.get_geometry(window).unwrap().reply().unwrap();
        let start = |at: i16| usize::from(u16::try_from(at).unwrap_or(0));
        let (left, top) = (start(place.x), start(place.y));
        let (right, bottom) = (left + usize::from(place.width), top + usize::from(place.height));
        let width = usize::from(self.width);
        let rows = top..bottom.min(usize::from(self.height));
        rows.flat_map(|row| (left..right.min(width)).map(move |column| row * width + column)).collect()
    }

    /// Everything that is to be seen now.
    fn points(&self) -> Vec<u32> {
        let (format, all) = (ImageFormat::Z_PIXMAP, u32::MAX);
        let asked = self.connection.get_image(format, self.root, 0, 0, self.width, self.height, all);
        let bytes = asked.unwrap().reply().unwrap().data;
        bytes.chunks_exact(4).map(|point| u32::from_ne_bytes(point.try_into().unwrap())).collect()
    }
}

/// When nearly everything in this place that stands out from its background was as it stayed; none if it stays empty.
fn readable(frames: &[Frame], place: &[usize]) -> Option<Duration> {
    let last = &frames.last()?.points;
    let mut colours: HashMap<u32, usize> = HashMap::new();
    for point in place {
        *colours.entry(last[*point]).or_default() += 1;
    }
    let (background, _) = colours.into_iter().max_by_key(|(_, count)| *count)?;
    let words: Vec<usize> = place.iter().copied().filter(|point| last[*point] != background).collect();
    let is_readable = |frame: &&Frame| {
        let there = words.iter().filter(|point| frame.points[**point] == last[**point]).count();
        there * 100 >= words.len() * NEARLY_ALL
    };
    // From the end: a page that is there, goes and comes again is there when it comes again.
    let since = frames.iter().rev().take_while(is_readable).last()?.since;
    (!words.is_empty()).then_some(since)
}
