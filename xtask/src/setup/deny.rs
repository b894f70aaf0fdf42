//! cargo-deny, built from its published source: the only ready-made binaries in reach are other people's copies.

use std::path::PathBuf;

use anyhow::Result;

use super::stamp::Stamp;
use crate::{command::Run, machine, places};

const VERSION: &str = "0.20.2";

/// The machine's own cargo-deny, else ours.
pub(crate) fn cargo_deny() -> PathBuf {
    machine::find("cargo-deny").unwrap_or_else(ours)
}

fn ours() -> PathBuf {
    places::parts().join("cargo/bin/cargo-deny")
}

pub(super) fn bring() -> Result<()> {
    let stamp = Stamp::new("cargo-deny", VERSION, &[])?;
    if machine::find("cargo-deny").is_some() || (stamp.is_current() && ours().is_file()) {
        return Ok(());
    }
    println!("setup: building cargo-deny {VERSION}");
    let install = ["install", "cargo-deny", "--locked", "--quiet", "--version", VERSION, "--root"];
    let folder = places::parts().join("cargo");
    Run::cargo().args(install).args([&folder]).env("CARGO_TARGET_DIR", folder.join("target")).quietly()?;
    stamp.write()
}
