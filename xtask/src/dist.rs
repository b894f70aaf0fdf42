//! `cargo xtask dist`: the packages that a company hands out. A deb, an rpm, and an installer for Windows.
//!
//! What is packed is laid out first as it will lie on the machine (`payload`), then packed by each system's own packer,
//! signed, and listed with its checksum. With one commit and one compiler the contents come out the same.

mod deb;
mod order;
mod payload;
mod rpm;
mod sign;
mod windows;

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::{
    command::Run,
    places,
    setup::{self, Need},
    ui,
};
use order::{Kind, Order, Profile};
pub(crate) use windows::try_it as try_windows;

/// `cargo xtask dist [deb|rpm|windows]... [--version V] [--out DIR] ...`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    for path in pack(arguments)? {
        let size = fs::metadata(&path).with_context(|| format!("look at `{}`", path.display()))?.len();
        println!("{:>12} bytes  {}", size, path.display());
    }
    Ok(())
}

/// The same, and tells what was made.
pub(crate) fn pack(arguments: &[String]) -> Result<Vec<PathBuf>> {
    let order = Order::of(arguments)?;
    setup::bring(&[Need::Dist])?;
    if order.profile == Profile::Release {
        setup::bring(&[Need::Build, Need::Node])?;
    }
    if order.wants(Kind::Windows) {
        setup::bring(&[Need::Windows])?;
    }
    make(&order)
}

/// Builds what is wanted, packs and signs it.
fn make(order: &Order) -> Result<Vec<PathBuf>> {
    fs::create_dir_all(&order.out).with_context(|| format!("make `{}`", order.out.display()))?;
    let work = tempfile::Builder::new().prefix("keybearer-dist").tempdir().context("make a folder to work in")?;
    let signer = sign::Signer::prepare(order, work.path())?;
    let mut made = Vec::new();
    if order.wants(Kind::Deb) || order.wants(Kind::Rpm) {
        build(order)?;
    }
    if order.wants(Kind::Deb) {
        let stage = payload::stage(order, &work.path().join("deb"), payload::DEBIAN)?;
        made.push(deb::pack(order, &stage, &signer)?);
    }
    if order.wants(Kind::Rpm) {
        let stage = payload::stage(order, &work.path().join("rpm"), payload::RED_HAT)?;
        made.push(rpm::pack(order, &stage, work.path(), &signer)?);
    }
    if order.wants(Kind::Windows) {
        windows::build(order)?;
        made.push(windows::pack(order, &work.path().join("windows"), &signer)?);
    }
    made.extend(signer.list(order, &made)?);
    Ok(made)
}

fn build(order: &Order) -> Result<()> {
    match order.profile {
        Profile::Release => {
            ui::build()?;
            Run::cargo().args(["build", "--quiet", "--release"]).args(PACKAGES).run()
        }
        // Tests pack what they have built before.
        Profile::Debug => Ok(()),
    }
}

/// What is packed, built as it is used.
const PACKAGES: [&str; 6] =
    ["-p", "keybearer-cli", "-p", "keybearer-desktop", "--features", "keybearer-desktop/custom-protocol"];

/// A file of `xtask/dist` with its places filled in.
fn template(name: &str, places_in_it: &[(&str, &str)]) -> Result<String> {
    let path = places::root().join("xtask/dist").join(name);
    let mut text = fs::read_to_string(&path).with_context(|| format!("read `{}`", path.display()))?;
    for (place, words) in places_in_it {
        text = text.replace(&format!("@{place}@"), words);
    }
    Ok(text)
}

/// The time that everything in a package has: that of the commit, unless `SOURCE_DATE_EPOCH` says another.
fn epoch() -> Result<String> {
    if let Ok(set) = std::env::var("SOURCE_DATE_EPOCH") {
        return Ok(set);
    }
    let read = Run::new("git").args(["log", "-1", "--format=%ct"]).read();
    Ok(read.context("set `SOURCE_DATE_EPOCH` where there is no git history")?.trim().to_owned())
}
