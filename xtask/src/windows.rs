//! `cargo xtask windows`: keeps the Windows side honest on a Linux machine.
//!
//! Debian ships a compiler with the sources of its standard library, so the library is built for Windows here and no
//! toolchain has to be downloaded. Every headless crate is checked; what can run without a Windows desktop runs under
//! Wine. WebView2 is not in Wine, so the shell's windows are seen only on a real machine.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::{
    command::Run,
    places,
    setup::{self, Need},
};

const WINE: &str = "/usr/lib/wine/wine64";
/// Seconds for one executable.
const LIMIT: &str = "120";
const TARGET: &str = "x86_64-pc-windows-gnu";
const CHECKED: [&str; 10] = ["model", "policy", "mcp", "oauth", "core", "os", "platform", "server", "control", "cli"];
/// Their unit tests run under Wine.
const RUN: [&str; 4] = ["model", "policy", "mcp", "os"];

/// Wine 8 has no `bcryptprimitives.dll`, from which Rust's standard library takes its randomness.
const RANDOMNESS: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length) {
    return SystemFunction036(buffer, (ULONG)length);
}
";

/// `cargo xtask windows`.
pub(crate) fn command() -> Result<()> {
    setup::bring(&[Need::Windows])?;
    println!("checking {} crates for {TARGET}", CHECKED.len());
    cargo("check").args(packages(&CHECKED)).run()?;
    let wine = Wine::prepare()?;
    for executable in test_executables()? {
        println!("running {} under Wine", executable.display());
        wine.run(&executable, &[])?;
    }
    Ok(())
}

/// Cargo with Debian's compiler, which also builds the standard library; in a target folder of its own, because the
/// same crates come out of another compiler here.
fn cargo(subcommand: &str) -> Run {
    Run::cargo()
        .args([subcommand, "--quiet", "-Zbuild-std", "--target", TARGET, "--target-dir", "target/windows"])
        .env("RUSTC", "/usr/bin/rustc")
        .env("RUSTC_BOOTSTRAP", "1")
        .without_env("RUSTUP_TOOLCHAIN")
}

fn packages(names: &[&str]) -> Vec<String> {
    names.iter().flat_map(|name| ["-p".to_owned(), format!("keybearer-{name}")]).collect()
}

fn test_executables() -> Result<Vec<PathBuf>> {
    let printed = cargo("test").args(["--no-run", "--lib", "--message-format", "json"]).args(packages(&RUN)).read()?;
    let messages = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let executables: Vec<_> =
        messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from)).collect();
    if executables.len() != RUN.len() {
        bail!("{} crates gave {} test executables", RUN.len(), executables.len());
    }
    Ok(executables)
}

impl Drop for Wine {
    /// Ends the processes that Wine keeps running for this prefix.
    fn drop(&mut self) {
        self.environment(Run::new("/usr/lib/wine/wineserver64")).args(["-k"]).succeeds();
    }
}

/// A Wine of our own, with what it lacks.
struct Wine {
    prefix: PathBuf,
}

impl Wine {
    fn prepare() -> Result<Self> {
        let wine = Self { prefix: places::root().join("target/windows/wine") };
        let system = wine.prefix.join("drive_c/windows/system32");
        if !system.is_dir() {
            fs::create_dir_all(&wine.prefix).context("make a folder for Wine")?;
            wine.start().args(["wineboot", "--init"]).quietly()?;
        }
        let source = wine.prefix.join("bcryptprimitives.c");
        fs::write(&source, RANDOMNESS).context("write Wine's missing library")?;
        Run::new("x86_64-w64-mingw32-gcc")
            .args(["-shared", "-o"])
            .args([&system.join("bcryptprimitives.dll"), &source])
            .args(["-ladvapi32"])
            .quietly()?;
        Ok(wine)
    }

    /// Runs an executable for at most `LIMIT` seconds.
    fn run(&self, executable: &Path, arguments: &[&str]) -> Result<()> {
        let wine = self.environment(Run::new("timeout")).args([LIMIT, WINE]).args([executable]);
        wine.args(arguments).run()
    }

    fn start(&self) -> Run {
        self.environment(Run::new(WINE))
    }

    fn environment(&self, run: Run) -> Run {
        run.env("WINEPREFIX", &self.prefix)
            .env("WINEDEBUG", "-all")
            // No desktop, no browser engine, no .NET: nothing that would ask to be installed.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
            .without_env("DISPLAY")
    }
}
