//! Standard input and output: the window's only ways to and from the one that started it.

use std::io::{self, BufRead, BufReader, IsTerminal as _, Write as _};

use keybearer_control::sign_in_window::{SignInPage, WindowOrder, WindowSaid};
use keybearer_control::wire::Incoming;

use super::{Event, Proxy, tell};

/// The longest order: an address may be long, and walls are a few.
const LONGEST: u64 = 256 * 1024;

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoOrder {
    /// A person typed it.
    #[error("`--sign-in` is for Keybearer itself; sign in with `keybearer login NAME`")]
    Person,
    /// What came is no order.
    #[error("the order for the sign-in window is not understood: {0}")]
    NotUnderstood(#[from] serde_json::Error),
    /// The pipe broke.
    #[error("the order for the sign-in window cannot be read: {0}")]
    NotRead(#[from] io::Error),
}

/// Waits for the page to show; `None` if there is none after all.
pub(super) fn first_page() -> Result<Option<SignInPage>, NoOrder> {
    let input = io::stdin();
    if input.is_terminal() {
        return Err(NoOrder::Person);
    }
    match next(&mut input.lock())? {
        Some(WindowOrder::Show { page }) => Ok(Some(page)),
        Some(WindowOrder::End { .. }) | None => Ok(None),
    }
}

/// Hears what comes after it, on a thread of its own.
pub(super) fn listen(proxy: Proxy) {
    std::thread::spawn(move || {
        let mut input = BufReader::new(io::stdin().lock());
        while let Ok(Some(order)) = next(&mut input) {
            tell(&proxy, Event::Ordered(order));
        }
        tell(&proxy, Event::HungUp);
    });
}

fn next(input: &mut impl BufRead) -> Result<Option<WindowOrder>, NoOrder> {
    let mut line = String::new();
    let read = io::Read::take(input, LONGEST).read_line(&mut line)?;
    if read == 0 { Ok(None) } else { Ok(Some(serde_json::from_str(&line)?)) }
}

/// Says what happened. Nobody there to hear it: the window learns that from its standard input.
pub(super) fn say(said: &WindowSaid) {
    let Ok(mut line) = serde_json::to_vec(said) else { return };
    line.push(b'\n');
    let mut output = io::stdout().lock();
    let _ = output.write_all(&line).and_then(|()| output.flush());
}

/// What the redirect carried, so that it is printed nowhere.
pub(super) fn carried(query: String) -> Incoming {
    Incoming(query)
}
