//! `connect` and `disconnect`: show what will be done, ask, have the core do it, and try it as the client will.

use std::io::{BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use keybearer_control::connect::{Connected, Preview, Wish};
use keybearer_control::error::Code;
use keybearer_control::wire::{Reply, Request};
use keybearer_core::connect::bundle::bundle;
use keybearer_core::connect::catalog;
use keybearer_core::connect::places::System;
use serde_json::json;

use crate::args::Connect;
use crate::ask::Core;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::show;

pub(crate) mod probe;
mod web;

/// Connects a client, or lists those that can be.
pub(super) fn connect(wanted: &Connect, format: Format) -> Result<Exit, Failure> {
    let Some(client) = wanted.client.clone() else { return list(format) };
    if let Some(file) = &wanted.bundle {
        return write_bundle(&client, wanted, file, format);
    }
    let (core, wish) = (Core::started()?, wish(client, wanted)?);
    let Reply::ConnectPreview { preview } = core.ask(&Request::ConnectPreview { wish: wish.clone() })? else {
        return Err(Failure::unexpected_answer());
    };
    if wanted.dry_run {
        out::result(format, &preview, || show::connect::preview(&preview));
        return Ok(Exit::Ok);
    }
    if !wanted.yes && !is_wanted(&preview, format)? {
        out::note("Nothing was changed.");
        return Ok(Exit::NotAllowed);
    }
    let request = Request::Connect { wish: wish.clone(), token: preview.token };
    let Reply::Connected { connected } = core.ask(&request)? else { return Err(Failure::unexpected_answer()) };
    Ok(try_it(&connected, &wish, format))
}

/// Takes a connection back.
pub(super) fn disconnect(client: &str, format: Format) -> Result<Exit, Failure> {
    let reply = Core::started()?.ask(&Request::Disconnect { client: client.to_owned() })?;
    let Reply::Disconnected { disconnected } = reply else { return Err(Failure::unexpected_answer()) };
    out::result(format, &disconnected, || show::connect::disconnected(&disconnected));
    Ok(Exit::Ok)
}

fn list(format: Format) -> Result<Exit, Failure> {
    let Reply::KnownClients { clients } = Core::started()?.ask(&Request::KnownClients)? else {
        return Err(Failure::unexpected_answer());
    };
    out::result(format, &clients, || show::connect::list(&clients));
    Ok(Exit::Ok)
}

fn wish(client: String, wanted: &Connect) -> Result<Wish, Failure> {
    let file = wanted.file.as_deref().map(absolute).transpose()?;
    Ok(Wish {
        client,
        servers: wanted.servers.iter().map(ToString::to_string).collect(),
        placement: wanted.placement.clone(),
        transport: wanted.transport.clone(),
        file,
    })
}

/// The core may have another working directory.
fn absolute(path: &Path) -> Result<String, Failure> {
    let path = std::path::absolute(path).map(PathBuf::into_os_string);
    let path = path.map_err(|cause| Failure::new(Code::BadRequest, format!("the file is no path: {cause}")))?;
    path.into_string()
        .map_err(|path| Failure::new(Code::BadRequest, format!("`{}` is not UTF-8", path.to_string_lossy())))
}

/// Shows what will be done and asks the person. Without a terminal there is nobody to ask.
fn is_wanted(preview: &Preview, format: Format) -> Result<bool, Failure> {
    if format == Format::Json || !std::io::stdin().is_terminal() {
        return Err(Failure::new(Code::BadRequest, "there is nobody here to ask")
            .hint("look at it with `--dry-run`, then say `--yes`"));
    }
    out::print(&show::connect::preview(preview));
    out::print("\nWrite this? [y/N] ");
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line);
    Ok(read.is_ok() && matches!(line.trim().to_ascii_lowercase().as_str(), "y" | "yes"))
}

/// Carries out what now stands in the client's files, and tells how it went.
fn try_it(connected: &Connected, wish: &Wish, format: Format) -> Exit {
    let tried = probe::all(connected, wish);
    let told = json!({ "connected": connected, "tried": tried });
    out::result(format, &told, || show::connect::connected(connected, &tried));
    if tried.iter().all(|trial| trial.error.is_none()) { Exit::Ok } else { Exit::Failed }
}

fn write_bundle(client: &str, wanted: &Connect, file: &Path, format: Format) -> Result<Exit, Failure> {
    let internal = |cause: &dyn std::fmt::Display| Failure::new(Code::Internal, cause.to_string());
    let known = catalog::known().map_err(|cause| internal(&cause))?;
    if !known.iter().any(|known| known.id == client && known.bundle) {
        return Err(Failure::new(Code::BadRequest, format!("`{client}` takes no bundle")));
    }
    let system = match std::env::consts::OS {
        "windows" => System::Windows,
        "macos" => System::Macos,
        _ => System::Linux,
    };
    let program = std::env::current_exe().and_then(std::fs::read).map_err(|cause| internal(&cause))?;
    let servers: Vec<String> = wanted.servers.iter().map(ToString::to_string).collect();
    let bytes = bundle(env!("CARGO_PKG_VERSION"), system, &servers, &program).map_err(|cause| internal(&cause))?;
    std::fs::write(file, bytes)
        .map_err(|cause| Failure::new(Code::NotSaved, format!("`{}` cannot be written: {cause}", file.display())))?;
    out::result(format, &json!({ "bundle": file }), || {
        format!("✓ {} is written. Open it with the app to install it.\n", file.display())
    });
    Ok(Exit::Ok)
}
