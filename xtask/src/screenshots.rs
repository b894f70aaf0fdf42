//! `cargo xtask screenshots [THEME SCALE]`: pictures of the real window over a real core, for people and for docs.
//!
//! All of them go to `target/screenshots`; those that the documentation shows are copied to `docs/screenshots`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::command::Run;
use crate::places;
use crate::setup::{self, Need};
use crate::{icons, test, ui};

/// What is taken in which language; every theme and scale has all of it, or the first of both alone.
const PARTS: [Part; 5] = [
    Part { name: "first-run", language: "en", once: false },
    Part { name: "company", language: "en", once: false },
    Part { name: "company", language: "de", once: true },
    Part { name: "long", language: "en", once: true },
    Part { name: "contrast", language: "en", once: true },
];
const THEMES: [&str; 2] = ["light", "dark"];
const SCALES: [&str; 2] = ["1", "2"];

struct Part {
    name: &'static str,
    language: &'static str,
    once: bool,
}

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
            let first = theme == THEMES[0] && scale == SCALES[0];
            for part in PARTS.iter().filter(|part| first || !part.once) {
                session(part, theme, scale, &folder)?;
            }
        }
    }
    fs::write(folder.join("tray.png"), icons::states(places::root())?)?;
    show(&folder)
}

/// Where everything lies in the pictures: for the session alone, these folders are others than the machine's.
const HOME: &str = "/home/dana";
const PROGRAMS: &str = "/opt/keybearer";
const PLACES: &str = r#"mount -t tmpfs none /home; mkdir -p "$HOME" -m 700; mkdir -m 700 "$XDG_RUNTIME_DIR"
mount -t tmpfs none /opt; mkdir /opt/keybearer; mount --bind "$0" /opt/keybearer; exec "$@""#;

/// One desktop session: its own display, its own bus, its own person, its own folders.
fn session(part: &Part, theme: &str, scale: &str, folder: &Path) -> Result<()> {
    let screen = "--server-args=-screen 0 2400x1800x24 -nolisten tcp";
    let mut session = Run::new("unshare").args(["--user", "--map-root-user", "--mount", "--", "sh", "-ec", PLACES]);
    session = session.args([places::executable("")]);
    session = session.args(["dbus-run-session", "--", "xvfb-run", "--auto-servernum", screen]);
    session = session.args([&format!("{PROGRAMS}/examples/screenshots"), part.name, part.language, theme, scale]);
    session = session.args([folder]).env("HOME", HOME).env("XDG_RUNTIME_DIR", format!("{HOME}/.run"));
    session = session.env("PATH", setup::node_path()?);
    for (variable, place) in [("CONFIG", ".config"), ("DATA", ".local/share"), ("CACHE", ".cache"), ("STATE", ".state")]
    {
        session = session.env(&format!("XDG_{variable}_HOME"), format!("{HOME}/{place}"));
    }
    for (variable, value) in [("GDK_BACKEND", "x11"), ("LIBGL_ALWAYS_SOFTWARE", "1"), ("NO_AT_BRIDGE", "1")] {
        session = session.env(variable, value);
    }
    session.run()
}

/// Copies them to the documentation: all of one theme and scale, and of the others what shows how they differ.
fn show(taken: &Path) -> Result<()> {
    let docs = places::root().join("docs/screenshots");
    fs::create_dir_all(&docs)?;
    for picture in fs::read_dir(taken)? {
        let picture = picture?.path();
        let name = picture.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
        if picture.extension().is_some_and(|kind| kind == "png") && is_shown(name) {
            fs::copy(&picture, docs.join(format!("{name}.png")))?;
        }
    }
    println!("screenshots: all in `target/screenshots`, those of the documentation in `docs/screenshots`");
    Ok(())
}

fn is_shown(name: &str) -> bool {
    let everywhere = ["home", "prompt", "sign-in", "activity-messages"];
    let of_some = |suffix: &str| name.strip_suffix(suffix).is_some_and(|page| everywhere.contains(&page));
    name == "tray" || name.ends_with("-light-1x") || of_some("-dark-1x") || of_some("-dark-2x")
}

#[cfg(test)]
mod tests {
    use super::is_shown;

    #[test]
    fn the_documentation_has_each_page_once_and_some_in_the_dark() {
        for shown in ["tray", "apps-light-1x", "home-de-light-1x", "prompt-dark-2x"] {
            assert!(is_shown(shown), "{shown}");
        }
        for hidden in ["failed", "apps-dark-1x", "home-light-2x"] {
            assert!(!is_shown(hidden), "{hidden}");
        }
    }
}
