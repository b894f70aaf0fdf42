//! `cargo xtask screenshots [THEME SCALE]`: pictures of the real window over a real core, for people and for docs.
//!
//! All of them go to `target/screenshots`; those that the documentation shows are copied to `docs/screenshots`.

use std::fs;

use anyhow::{Context, Result, bail};

use crate::command::Run;
use crate::places;
use crate::setup::{self, Need};
use crate::{icons, test, ui};

const PARTS: [&str; 2] = ["first-run", "company"];
const THEMES: [&str; 2] = ["light", "dark"];
const SCALES: [&str; 2] = ["1", "2"];

/// What the documentation shows: each page once, and what the README shows in the dark, too.
const SHOWN: [&str; 11] = [
    "home-light-1x",
    "home-ready-light-1x",
    "first-run-dark-1x",
    "tools-add-light-1x",
    "apps-light-1x",
    "apps-connect-light-1x",
    "activity-light-1x",
    "activity-details-dark-1x",
    "settings-light-1x",
    "about-light-1x",
    "home-stopped-light-1x",
];

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    let wanted = |value: &str, at: usize| arguments.get(at).is_none_or(|wanted| wanted == value);
    if arguments.len() > 2 {
        bail!("`screenshots` takes a theme and a scale, or nothing");
    }
    setup::bring(&[Need::Build, Need::Node, Need::Session])?;
    ui::build()?;
    test::build()?;
    let whole =
        ["-p", "keybearer-desktop", "--features", "keybearer-desktop/custom-protocol", "--example", "screenshots"];
    Run::cargo().args(["build", "--quiet"]).args(whole).run()?;
    let folder = places::root().join("target/screenshots");
    fs::create_dir_all(&folder).context("make `target/screenshots`")?;
    for theme in THEMES.into_iter().filter(|theme| wanted(theme, 0)) {
        for scale in SCALES.into_iter().filter(|scale| wanted(scale, 1)) {
            println!("screenshots: {theme}, {scale}x");
            for part in PARTS {
                session(part, theme, scale, &folder.display().to_string())?;
            }
        }
    }
    fs::write(folder.join("tray.png"), icons::states(places::root())?)?;
    show(&folder)
}

/// One desktop session: its own display, its own bus, its own person.
fn session(part: &str, theme: &str, scale: &str, folder: &str) -> Result<()> {
    let home = tempfile::Builder::new().prefix("dana-").tempdir()?;
    let runtime = home.path().join("run");
    fs::create_dir(&runtime)?;
    set_private(&runtime)?;
    let program = places::executable("examples/screenshots");
    let screen = "--server-args=-screen 0 2400x1800x24 -nolisten tcp";
    let mut session = Run::new("dbus-run-session").args(["--", "xvfb-run", "--auto-servernum", screen]);
    session = session.args([program]).args([part, theme, scale, folder]);
    session = session.env("HOME", home.path()).env("XDG_RUNTIME_DIR", &runtime).env("PATH", setup::node_path()?);
    for (variable, place) in [("CONFIG", ".config"), ("DATA", ".local/share"), ("CACHE", ".cache"), ("STATE", ".state")]
    {
        session = session.env(&format!("XDG_{variable}_HOME"), home.path().join(place));
    }
    for (variable, value) in [("GDK_BACKEND", "x11"), ("LIBGL_ALWAYS_SOFTWARE", "1"), ("NO_AT_BRIDGE", "1")] {
        session = session.env(variable, value);
    }
    session.run()
}

#[cfg(unix)]
fn set_private(folder: &std::path::Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?)
}

#[cfg(not(unix))]
fn set_private(_folder: &std::path::Path) -> Result<()> {
    bail!("pictures are taken on Linux")
}

/// Copies what the documentation shows.
fn show(taken: &std::path::Path) -> Result<()> {
    let docs = places::root().join("docs/screenshots");
    fs::create_dir_all(&docs)?;
    for name in SHOWN.into_iter().chain(["tray"]) {
        let picture = taken.join(format!("{name}.png"));
        if picture.is_file() {
            fs::copy(&picture, docs.join(format!("{name}.png")))?;
        }
    }
    println!("screenshots: all in `target/screenshots`, those of the documentation in `docs/screenshots`");
    Ok(())
}
