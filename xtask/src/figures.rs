//! `cargo xtask figures [--debug]`: packs what a company hands out, measures the packed desktop program, and writes
//! docs/desktop.md.
//!
//! What is measured lies in a folder as the deb would have laid it, and runs in a session of its own
//! (`tests/desktop_figures.rs`). `--debug` takes the debug build, which is quick and says little.

mod machine;
mod measured;
mod page;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{
    command::Run,
    dist, places,
    setup::{self, Need},
    test, ui, windows,
};
use measured::Figures;
use page::{Build, Page, Sizes};

/// What is built the way that the tests need it.
const MEASURES: [&str; 5] =
    ["--workspace", "--features", "keybearer-desktop/custom-protocol", "--example", "desktop_figures"];

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let build = match arguments {
        [] => Build::Release,
        [debug] if debug == "--debug" => Build::Debug,
        _ => bail!("`figures` takes `--debug` or nothing"),
    };
    setup::bring(&[Need::Build, Need::Node, Need::Session, Need::Dist])?;
    ui::build()?;
    let work = tempfile::Builder::new().prefix("keybearer-figures").tempdir().context("make a folder to work in")?;
    let packages = pack(build, work.path())?;
    let programs = work.path().join("installed");
    Run::new("dpkg-deb").args(["--extract"]).args([&one(&packages, "deb")?, &programs]).quietly()?;
    let programs = programs.join("usr/bin");
    let sizes = sizes(&packages, &programs)?;
    println!("measuring; it takes some minutes, and the machine should do nothing else");
    let figures = measure(&programs.join("keybearer-desktop"))?;
    let page = Page { build, date: machine::date()?, machine: machine::in_words()?, sizes, figures }.text()?;
    print!("{page}");
    fs::write(places::root().join("docs/desktop.md"), page).context("write `docs/desktop.md`")
}

/// The packages. Those of the debug build go nowhere, and there is one for Windows only if that was built.
fn pack(build: Build, work: &Path) -> Result<Vec<PathBuf>> {
    println!("building and packing");
    match build {
        Build::Release => dist::pack(&[]),
        Build::Debug => {
            test::build()?;
            let mut words = ["deb", "rpm", "--debug", "--out", &work.to_string_lossy()].map(str::to_owned).to_vec();
            words.extend(windows::built("debug").join("keybearer-desktop.exe").is_file().then(|| "windows".to_owned()));
            dist::pack(&words)
        }
    }
}

fn sizes(packages: &[PathBuf], programs: &Path) -> Result<Sizes> {
    let size = |path: &Path| -> Result<u64> {
        Ok(fs::metadata(path).with_context(|| format!("look at `{}`", path.display()))?.len())
    };
    let windows = packages.iter().find(|path| has_extension(path, "exe"));
    Ok(Sizes {
        deb: size(&one(packages, "deb")?)?,
        rpm: size(&one(packages, "rpm")?)?,
        windows: windows.map(|path| size(path)).transpose()?,
        core: size(&programs.join("keybearer"))?,
        desktop: size(&programs.join("keybearer-desktop"))?,
    })
}

fn one(packages: &[PathBuf], extension: &str) -> Result<PathBuf> {
    let found = packages.iter().find(|path| has_extension(path, extension));
    found.cloned().with_context(|| format!("no `.{extension}` was packed"))
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

fn measure(shell: &Path) -> Result<Figures> {
    Run::cargo().args(["build", "--quiet"]).args(MEASURES).run()?;
    let measure = Run::new(places::executable("examples/desktop_figures")).env("KEYBEARER_DESKTOP_SHELL", shell);
    let printed = measure.env("PATH", setup::node_path()?).read_output()?;
    // What the session starts has its words there, too.
    let line = printed.lines().find(|line| line.starts_with('{')).context("nothing was measured")?;
    Figures::read(line)
}
