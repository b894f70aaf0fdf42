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

/// Where the person signs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    /// In the browser, which the core opens.
    Opened,
    /// In a browser that the person opens, with the address that is told.
    Told,
    /// On any device, with a code that is told.
    Elsewhere,
}

impl Page {
    /// As `--no-browser` and `--device` say.
    pub(super) fn from_flags(no_browser: bool, device: bool) -> Self {
        match (no_browser, device) {
            (_, true) => Self::Elsewhere,
            (true, false) => Self::Told,
            (false, false) => Self::Opened,
        }
    }
}

/// Signs in and waits for the end.
pub(super) fn login(server: &ServerName, page: Page, format: Format) -> Result<Exit, Failure> {
    let request = Request::Login {
        server: server.to_string(),
        open_browser: page == Page::Opened,
        by_code: page == Page::Elsewhere,
    };
    let reply = Core::started()?.ask_hearing(&request, |early| tell(server, early, page, format))?;
    let Reply::Server { server } = reply else { return Err(Failure::unexpected_answer()) };
    out::result(format, &server, || show::ending::signed_in(&server));
    Ok(Exit::Ok)
}

/// Signs out: revoked at the issuer, wiped here.
pub(super) fn logout(server: &ServerName, format: Format) -> Result<Exit, Failure> {
    let reply = Core::started()?.ask(&Request::Logout { server: server.to_string() })?;
    let Reply::SignedOut { revocation, with } = reply else { return Err(Failure::unexpected_answer()) };
    let told = json!({ "signed_out": server, "with": with, "revocation": revocation });
    out::result(format, &told, || show::ending::signed_out(server.as_str(), &with, &revocation));
    Ok(Exit::Ok)
}

/// Tells what a person needs to sign in. What they must act upon is part of the result: the one value that comes early.
fn tell(server: &ServerName, early: &Reply, page: Page, format: Format) {
    match (early, page, format) {
        (Reply::Code { address, code, whole }, _, Format::Json) => {
            out::json(&json!({ "code": { "address": address, "code": code, "whole": whole } }));
        }
        (Reply::Code { address, code, whole }, _, Format::Text) => {
            out::print(&show::ending::code(server.as_str(), address, code, whole.as_deref()));
        }
        (Reply::Open { url }, Page::Told, Format::Json) => out::json(&json!({ "open": url })),
        (Reply::Open { url }, Page::Told, Format::Text) => {
            out::print(&format!("Open this address to sign in to {server}:\n\n{}\n\n", clean(url)));
        }
        (Reply::Open { url }, Page::Opened | Page::Elsewhere, Format::Text) => {
            out::note(&format!(
                "Sign in to {server} in the browser. If none opens, open this address:\n{}",
                clean(url)
            ));
        }
        (_, _, Format::Json | Format::Text) => {}
    }
}
