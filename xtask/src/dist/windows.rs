//! The installer for Windows, by NSIS, built on Linux.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::order::{Order, Profile};
use super::sign::Signer;
use super::{PACKAGES, epoch, template};
use crate::{command::Run, places, ui, windows};

mod trial;

pub(crate) use trial::try_it;

/// The programs, and what the second one loads.
const CORE: &str = "keybearer.exe";
const DESKTOP: [&str; 2] = ["keybearer-desktop.exe", "WebView2Loader.dll"];

/// Builds both programs for Windows.
pub(super) fn build(order: &Order) -> Result<()> {
    match order.profile {
        Profile::Release => {
            ui::build()?;
            windows::cargo("build").args(["--release"]).args(PACKAGES).run()
        }
        Profile::Debug => Ok(()),
    }
}

/// Packs the programs, and signs them and the installer.
pub(super) fn pack(order: &Order, work: &Path, signer: &Signer) -> Result<PathBuf> {
    fs::create_dir_all(work).context("make a folder for the installer")?;
    let built = windows::built(order.profile.folder());
    // Tests build what has no windows; what is handed out is always whole.
    let whole = order.profile == Profile::Release || built.join(DESKTOP[0]).is_file();
    for name in [CORE].iter().chain(DESKTOP.iter().filter(|_| whole)) {
        let copy = work.join(name);
        fs::copy(built.join(name), &copy).with_context(|| format!("copy `{name}`"))?;
        if order.profile == Profile::Debug {
            Run::new("x86_64-w64-mingw32-strip").args([&copy]).quietly()?;
        }
        if name.ends_with(".exe") {
            signer.windows(&copy)?;
        }
    }
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        fs::copy(places::root().join(name), work.join(format!("{name}.txt")))
            .with_context(|| format!("copy `{name}`"))?;
    }
    let file = order.out.join(format!("Keybearer-{}-x64-setup.exe", order.version));
    let script = work.join("keybearer.nsi");
    fs::write(&script, text(order, work, &file, whole, signer)?).context("write the installer's script")?;
    let make = Run::new("makensis").args(["-V2", "-NOCD", "-INPUTCHARSET", "UTF8"]).args([&script]).dir(work);
    make.env("SOURCE_DATE_EPOCH", epoch()?).quietly()?;
    signer.windows(&file)?;
    Ok(file)
}

fn text(order: &Order, work: &Path, file: &Path, whole: bool, signer: &Signer) -> Result<String> {
    let part = |name| if whole { template(name, &[]) } else { Ok(String::new()) };
    let (files, registry) = (part("desktop-files.nsh")?, part("desktop-registry.nsh")?);
    let icon = places::root().join("icons/icon.ico");
    let sizes = super::payload::files(work)?.into_iter().map(|file| Ok(fs::metadata(work.join(file))?.len()));
    let size = sizes.sum::<Result<u64>>()?.div_ceil(1024).to_string();
    let sign = format!("!uninstfinalize '{}'", signer.windows_command());
    template(
        "keybearer.nsi",
        &[
            ("OUT", &file.to_string_lossy()),
            ("VERSION", &order.version),
            ("NUMBERS", &numbers(&order.version)?),
            ("ICON", &icon.to_string_lossy()),
            ("SIZE", &size),
            ("SIGN_UNINSTALLER", &sign),
            ("DESKTOP_FILES", &files),
            ("DESKTOP_REGISTRY", &registry),
        ],
    )
}

/// A version as Windows wants it: four numbers.
fn numbers(version: &str) -> Result<String> {
    let mut numbers: Vec<&str> = version.split(['~', '+']).next().unwrap_or_default().split('.').collect();
    ensure!(numbers.len() <= 4 && numbers.iter().all(|part| part.parse::<u16>().is_ok()), "`{version}` has no numbers");
    numbers.resize(4, "0");
    Ok(numbers.join("."))
}

#[cfg(test)]
mod tests {
    use super::numbers;

    #[test]
    fn a_version_has_four_numbers_for_windows() {
        assert_eq!(numbers("0.1.0").unwrap(), "0.1.0.0");
        assert_eq!(numbers("1.2.3~rc1").unwrap(), "1.2.3.0");
        assert!(numbers("1.70000").is_err() && numbers("1.x").is_err());
    }
}
