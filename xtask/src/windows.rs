//! `cargo xtask windows`: keeps the Windows side honest on a Linux machine.
//!
//! Debian ships a compiler with the sources of its standard library, so the library is built for Windows here and no
//! toolchain has to be downloaded. Every crate is compiled, the desktop program too; what can run without a Windows
//! desktop runs under Wine. WebView2 is not in Wine, so the shell's windows are seen only on a real machine.

mod wine;

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use serde_json::Value;

pub(crate) use wine::Wine;

use crate::{
    command::Run,
    dist, places,
    setup::{self, Need},
    ui,
};

const TARGET: &str = "x86_64-pc-windows-gnu";
/// A target folder of its own: the same crates come out of another compiler here.
const FOLDER: &str = "target/windows";
/// Their unit tests run under Wine.
const TESTED: [&str; 4] = ["model", "policy", "mcp", "os"];

/// `cargo xtask windows`.
pub(crate) fn command() -> Result<()> {
    setup::bring(&[Need::Windows, Need::Dist, Need::Node])?;
    println!("compiling the headless crates for {TARGET}");
    // The command line is made of every headless crate.
    cargo("build").args(["-p", "keybearer-cli"]).run()?;
    let tests = test_executables()?;
    let wine = Wine::prepare(&places::root().join(FOLDER).join("wine"))?;
    for executable in tests {
        println!("running {} under Wine", executable.file_stem().unwrap_or_default().display());
        wine.run(&executable, &[]).run()?;
    }
    live(&wine, &built("debug").join("keybearer.exe"))?;
    dist::try_windows(&wine)?;
    println!("compiling the desktop program for {TARGET}");
    ui::build()?;
    check(&["-p", "keybearer-desktop", "--features", "keybearer-desktop/custom-protocol"])
}

/// Compiles as far as mistakes are found; a warning about our own code is one. Cargo keeps to itself what it has of others.
fn check(packages: &[&str]) -> Result<()> {
    let check = || cargo("check").args(packages);
    check().run()?;
    // Everything has been said; this time it is counted.
    let warnings = warnings(&check().args(["--message-format", "json"]).read_output()?);
    ensure!(warnings == 0, "the code for Windows has {warnings} warnings");
    Ok(())
}

/// How often the compiler has something to say.
fn warnings(printed: &str) -> usize {
    let messages = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.filter(|message| message["reason"] == "compiler-message").count()
}

/// The folder of what was built for Windows.
pub(crate) fn built(profile: &str) -> PathBuf {
    places::root().join(FOLDER).join(TARGET).join(profile)
}

/// A core starts, keeps a secret in the Credential Manager, answers over its named pipe, and ends.
fn live(wine: &Wine, keybearer: &Path) -> Result<()> {
    let home = wine.new_folder("keybearer")?;
    // Wine hands its own standard error on to whatever is started, so that it must not be a pipe that we read.
    let said = |arguments: &[&str]| wine.run(keybearer, arguments).env("KEYBEARER_HOME", &home).read_output();
    println!("running {} under Wine", said(&["--version"])?.trim());
    // Wine hands our end of a pipe to every process that comes of this one: nobody must wait for that pipe to end.
    let started = wine.run(keybearer, &["start"]).env("KEYBEARER_HOME", &home).succeeds();
    ensure!(started, "no core could be started");
    let status = said(&["status", "--json"]);
    said(&["stop"])?;
    let status: Value = serde_json::from_str(&status?)?;
    ensure!(status["key_store"] == "system", "the core did not take the Credential Manager: {status}");
    println!("a core started, used the Credential Manager and a named pipe, and ended");
    Ok(())
}

/// Cargo with Debian's compiler, which also builds the standard library.
pub(crate) fn cargo(subcommand: &str) -> Run {
    Run::cargo()
        .args([subcommand, "--quiet", "-Zbuild-std", "--target", TARGET, "--target-dir", FOLDER])
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .without_env("RUSTUP_TOOLCHAIN")
}

fn test_executables() -> Result<Vec<PathBuf>> {
    let packages = TESTED.iter().flat_map(|name| ["-p".to_owned(), format!("keybearer-{name}")]);
    let printed = cargo("test").args(["--no-run", "--lib", "--message-format", "json"]).args(packages).read()?;
    let messages = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executables: Vec<_> =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).collect();
    if executables.len() != TESTED.len() {
        bail!("{} crates gave {} test executables", TESTED.len(), executables.len());
    }
    Ok(executables)
}

#[cfg(test)]
mod tests {
    use super::warnings;

    #[test]
    fn what_the_compiler_says_is_heard() {
        let printed = r#"{"reason":"compiler-artifact","target":{"name":"x"}}
{"reason":"compiler-message","message":{"level":"warning","rendered":"warning: unused import"}}
{"reason":"build-finished","success":true}"#;
        assert_eq!(warnings(printed), 1);
    }
}
