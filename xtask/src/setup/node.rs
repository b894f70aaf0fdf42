//! A current Node, whatever the machine has, and the npm packages of `tests/parts`.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::stamp::Stamp;
use crate::{command::Run, places};

const NODE: &str = "24.21.0";

/// The folder with the `node` program that everything of ours runs on; tests look for it there.
fn node_bin() -> PathBuf {
    places::parts().join("node/bin")
}

/// `PATH` with our Node before the machine's.
pub(crate) fn node_path() -> Result<OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::join_paths([node_bin()].into_iter().chain(std::env::split_paths(&path))).context("join `PATH`")
}

/// npm on our Node.
pub(crate) fn npm() -> Result<Run> {
    Ok(Run::new("npm").env("PATH", node_path()?))
}

pub(super) fn bring() -> Result<()> {
    bring_node()?;
    let scripts = places::part_scripts();
    let stamp = Stamp::new("npm", NODE, &[&scripts.join("package.json"), &scripts.join("package-lock.json")])?;
    if stamp.is_current() && scripts.join("node_modules").is_dir() {
        return Ok(());
    }
    println!("setup: installing the npm packages of tests/parts");
    npm()?.args(["ci", "--ignore-scripts", "--no-fund", "--no-audit"]).dir(&scripts).quietly()?;
    stamp.write()
}

/// The `node` package of npm picks the machine's own package in an install script; we name that one ourselves, so that
/// no script runs.
fn bring_node() -> Result<()> {
    let package = format!("{}@{NODE}", node_package());
    let stamp = Stamp::new("node", &package, &[])?;
    if stamp.is_current() && node_bin().join("node").is_file() {
        return Ok(());
    }
    println!("setup: installing Node {NODE}");
    let folder = places::parts().join("node");
    fs::create_dir_all(&folder).with_context(|| format!("make `{}`", folder.display()))?;
    let install = ["install", "--ignore-scripts", "--no-fund", "--no-audit", "--prefix", "."];
    Run::new("npm").args(install).args([package]).dir(&folder).quietly()?;
    // The same file by a name that does not depend on the machine.
    let program = Path::new("node").with_extension(std::env::consts::EXE_EXTENSION);
    let installed = folder.join("node_modules").join(node_package()).join("bin").join(&program);
    let stable = node_bin().join(&program);
    fs::create_dir_all(node_bin()).context("make a folder for Node")?;
    if stable.exists() {
        fs::remove_file(&stable).context("remove the old Node")?;
    }
    fs::hard_link(&installed, &stable).with_context(|| format!("link `{}`", installed.display()))?;
    stamp.write()
}

fn node_package() -> String {
    let system = match std::env::consts::OS {
        "macos" => "darwin",
        "windows" => "win",
        other => other,
    };
    let processor = match std::env::consts::ARCH {
        "aarch64" => "arm64",
        _ => "x64",
    };
    format!("node-{system}-{processor}")
}
