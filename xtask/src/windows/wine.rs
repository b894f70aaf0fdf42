//! A Wine of our own, in a folder of our own, with what it lacks.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::command::Run;

const WINE: &str = "/usr/lib/wine/wine64";
const SERVER: &str = "/usr/lib/wine/wineserver64";
/// Seconds for one executable.
const LIMIT: &str = "120";

/// Wine 8 has no `bcryptprimitives.dll`, from which Rust's standard library takes its randomness.
const RANDOMNESS: &str = "\
#include <windows.h>
BOOLEAN NTAPI SystemFunction036(PVOID buffer, ULONG length);
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE buffer, SIZE_T length) {
    return SystemFunction036(buffer, (ULONG)length);
}
";

/// One Windows, as Wine sees it; what runs in it ends with this value.
pub(crate) struct Wine {
    prefix: PathBuf,
}

impl Wine {
    /// Makes the folder what Wine wants it to be.
    pub(super) fn prepare(prefix: &Path) -> Result<Self> {
        let wine = Self { prefix: prefix.to_owned() };
        let system = prefix.join("drive_c/windows/system32");
        if !system.is_dir() {
            fs::create_dir_all(prefix).context("make a folder for Wine")?;
            wine.within(Run::new(WINE)).args(["wineboot", "--init"]).quietly()?;
        }
        let source = prefix.join("bcryptprimitives.c");
        fs::write(&source, RANDOMNESS).context("write Wine's missing library")?;
        let compile = Run::new("x86_64-w64-mingw32-gcc").args(["-shared", "-o"]);
        compile.args([&system.join("bcryptprimitives.dll"), &source]).args(["-ladvapi32"]).quietly()?;
        Ok(wine)
    }

    /// An executable, for a limited time.
    pub(crate) fn run(&self, executable: &Path, arguments: &[&str]) -> Run {
        self.within(Run::new("timeout")).args([LIMIT, WINE]).args([executable]).args(arguments)
    }

    /// An empty folder on drive C, by its Windows name.
    pub(crate) fn new_folder(&self, name: &str) -> Result<String> {
        let folder = self.prefix.join("drive_c").join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder).with_context(|| format!("remove `{}`", folder.display()))?;
        }
        fs::create_dir(&folder).with_context(|| format!("make `{}`", folder.display()))?;
        Ok(format!("C:\\{name}"))
    }

    /// Drive C, as the folder that it is.
    pub(crate) fn drive(&self) -> PathBuf {
        self.prefix.join("drive_c")
    }

    /// Waits until nothing runs in it any more.
    pub(crate) fn wait(&self) {
        self.within(Run::new("timeout")).args([LIMIT, SERVER, "-w"]).succeeds();
    }

    fn within(&self, run: Run) -> Run {
        run.env("WINEPREFIX", &self.prefix)
            .env("WINEDEBUG", "-all")
            // No browser engine and no .NET: nothing that would ask to be installed.
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=")
            .without_env("DISPLAY")
    }
}

impl Drop for Wine {
    /// Ends what Wine keeps running for this prefix, and for this prefix alone.
    fn drop(&mut self) {
        self.within(Run::new(SERVER)).args(["-k"]).succeeds();
    }
}
