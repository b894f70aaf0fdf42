//! `login` and `logout`.

use keybearer_control::wire::{Reply, Request};
use keybearer_model::name::ServerName;
use serde_json::json;

use crate::ask::Core;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::plain::clean;
use crate::show;

/// Who opens the sign-in page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// The core, in the browser.
    Opened,
    /// The person, with the address that is told.
    Told,
}

impl Page {
    /// As `--no-browser` says.
    pub(super) fn from_flag(no_browser: bool) -> Self {
        if no_browser { Self::Told } else { Self::Opened }
    }
}

/// Signs in and waits for the end.
pub(super) fn login(server: &ServerName, page: Page, format: Format) -> Result<Exit, Failure> {
    let request = Request::Login { server: server.to_string(), open_browser: page == Page::Opened };
    let reply = Core::started()?.ask_hearing(&request, |url| tell(server, url, page, format))?;
    let Reply::Server { server } = reply else { return Err(Failure::unexpected_answer()) };
    out::result(format, &server, || show::ending::signed_in(&server));
    Ok(Exit::Ok)
}

/// Signs out: revoked at the issuer, wiped here.
pub(super) fn logout(server: &ServerName, format: Format) -> Result<Exit, Failure> {
    let reply = Core::started()?.ask(&Request::Logout { server: server.to_string() })?;
    let Reply::SignedOut { revocation } = reply else { return Err(Failure::unexpected_answer()) };
    let told = json!({ "signed_out": server, "revocation": revocation });
    out::result(format, &told, || show::ending::signed_out(server.as_str(), &revocation));
    Ok(Exit::Ok)
}

/// Tells the address of the sign-in page. With `--no-browser` it is part of the result: the one value that comes early.
fn tell(server: &ServerName, url: &str, page: Page, format: Format) {
    match (page, format) {
        (Page::Told, Format::Json) => out::json(&json!({ "open": url })),
        (Page::Told, Format::Text) => {
            out::print(&format!("Open this address to sign in to {server}:\n\n{}\n\n", clean(url)));
        }
        (Page::Opened, Format::Json) => {}
        (Page::Opened, Format::Text) => {
            out::note(&format!(
                "Sign in to {server} in the browser. If none opens, open this address:\n{}",
                clean(url)
            ));
        }
    }
}
