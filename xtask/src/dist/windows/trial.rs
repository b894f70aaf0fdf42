//! The installer tried under Wine: installed, updated and removed without a word, while a core of it runs.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::pack;
use crate::command::Run;
use crate::dist::order::Order;
use crate::dist::sign::Signer;
use crate::windows::Wine;

const INSTALLED: &str = "Program Files/Keybearer";
const UNINSTALL: &str = r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\Keybearer";
const KEYS: [&str; 3] =
    [UNINSTALL, r"HKLM\Software\Keybearer", r"HKLM\Software\Microsoft\Windows\CurrentVersion\App Paths\keybearer.exe"];

/// Packs what was built for tests, and tries it.
pub(crate) fn try_it(wine: &Wine) -> Result<()> {
    let work = tempfile::Builder::new().prefix("keybearer-installer").tempdir().context("make a folder to work in")?;
    let out = work.path().join("out");
    fs::create_dir(&out).context("make a folder for the installers")?;
    let order = |version: &str| {
        let words = ["windows", "--debug", "--version", version, "--out", &out.to_string_lossy()].map(str::to_owned);
        Order::of(&words)
    };
    let signer = Signer::prepare(&order("0.1.0")?, work.path())?;
    let first = pack(&order("0.1.0")?, &work.path().join("first"), &signer)?;
    let second = pack(&order("0.1.1")?, &work.path().join("second"), &signer)?;
    signed(&first, &signer)?;
    let trial = Trial { wine, home: wine.new_folder("person")? };
    trial.installed(&first, "0.1.0")?;
    let core = trial.core()?;
    // A core runs: its program is in use.
    trial.installed(&second, "0.1.1")?;
    ensure!(trial.core()? != core, "the core that ran before the update still does");
    trial.removed()
}

/// The signature holds, and holds no more when a byte is another one.
fn signed(file: &Path, signer: &Signer) -> Result<()> {
    let verify = |file: &Path| {
        Run::new("osslsigncode").args(["verify", "-CAfile"]).args([signer.certificate()]).args(["-in"]).args([file])
    };
    verify(file).quietly()?;
    let mut bytes = fs::read(file).context("read the installer")?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = file.with_extension("changed");
    fs::write(&changed, bytes).context("write a changed installer")?;
    ensure!(!verify(&changed).succeeds(), "a changed installer verifies");
    Ok(())
}

struct Trial<'wine> {
    wine: &'wine Wine,
    /// Where this person's things are: outside of what is installed.
    home: String,
}

impl Trial<'_> {
    fn installed(&self, installer: &Path, version: &str) -> Result<()> {
        ensure!(self.wine.run(installer, &["/S"]).env("KEYBEARER_HOME", &self.home).succeeds(), "the installer failed");
        let told = self.registry(UNINSTALL).unwrap_or_default();
        ensure!(told.contains(version), "the registry does not say `{version}`: {told}");
        println!("installed {version} under Wine, silently");
        Ok(())
    }

    /// The process id of the core that runs from the installed program, which is started if none does.
    fn core(&self) -> Result<String> {
        let program = self.wine.drive().join(INSTALLED).join("keybearer.exe");
        let run = |arguments: &[&str]| self.wine.run(&program, arguments).env("KEYBEARER_HOME", &self.home);
        ensure!(run(&["start"]).succeeds(), "the installed program starts no core");
        let status: serde_json::Value = serde_json::from_str(&run(&["status", "--json"]).read_output()?)?;
        Ok(status["pid"].to_string())
    }

    fn removed(&self) -> Result<()> {
        let folder = self.wine.drive().join(INSTALLED);
        let uninstaller = folder.join("uninstall.exe");
        ensure!(self.wine.run(&uninstaller, &["/S"]).env("KEYBEARER_HOME", &self.home).succeeds(), "removing failed");
        // It goes on in a copy of itself, so that its own file can be removed.
        self.wine.wait();
        ensure!(!folder.exists(), "`{INSTALLED}` is left: {:?}", super::super::payload::files(&folder));
        for key in KEYS {
            ensure!(self.registry(key).is_err(), "`{key}` is left in the registry");
        }
        let home = self.wine.drive().join("person");
        ensure!(home.join("state").is_dir(), "the person's own things were removed without a question");
        ensure!(!home.join("state/turned-off").exists(), "Keybearer is turned off for whoever installs it again");
        println!("removed under Wine, silently; the person's own things are there");
        Ok(())
    }

    fn registry(&self, key: &str) -> Result<String> {
        self.wine.run(Path::new("reg"), &["query", key, "/s"]).read_output()
    }
}
