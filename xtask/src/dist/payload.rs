//! What lies on a Linux machine after installing: every file with its place and mode.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::order::{Order, Profile};
use super::template;
use crate::{command::Run, places};

/// What differs between families of systems.
#[derive(Clone, Copy, Debug)]
pub(super) struct Family {
    zsh: &'static str,
    licences: &'static str,
}

/// Debian, Ubuntu and what is made from them.
pub(super) const DEBIAN: Family =
    Family { zsh: "usr/share/zsh/vendor-completions", licences: "usr/share/doc/keybearer" };
/// Fedora, Red Hat, SUSE and what is made from them.
pub(super) const RED_HAT: Family =
    Family { zsh: "usr/share/zsh/site-functions", licences: "usr/share/licenses/keybearer" };

/// What the programs are called.
pub(super) const PROGRAMS: [&str; 2] = ["keybearer", "keybearer-desktop"];

const UNITS: &str = "usr/lib/systemd/user";
const SOCKETS: [&str; 3] = ["bridge", "control", "http"];
/// Where the switch lies for a person who has moved nothing; the core itself looks in the right place.
const TURNED_OFF: &str = "%h/.local/state/keybearer/turned-off";

const ICONS: [(&str, &str); 4] = [
    ("icons/32x32.png", "32x32/apps/com.keybearer.app.png"),
    ("icons/128x128.png", "128x128/apps/com.keybearer.app.png"),
    ("icons/128x128@2x.png", "256x256/apps/com.keybearer.app.png"),
    ("icons/app.svg", "scalable/apps/com.keybearer.app.svg"),
];

/// Lays everything out below `stage`.
pub(super) fn stage(order: &Order, stage: &Path, family: Family) -> Result<PathBuf> {
    let stage = Stage { root: stage.to_owned() };
    let bin = places::target().join(order.profile.folder());
    for name in PROGRAMS {
        let place = format!("usr/bin/{name}");
        stage.copy(&bin.join(name), &place, 0o755)?;
        if order.profile == Profile::Debug {
            Run::new("strip").args([stage.root.join(&place)]).quietly()?;
        }
    }
    units(&stage)?;
    desktop(&stage)?;
    reference(&stage, &bin.join("keybearer"), family)?;
    let licence = places::root();
    for name in ["LICENSE-APACHE", "LICENSE-MIT"] {
        // Debian has the one, and wants the other in `copyright`.
        if !family.licences.contains("doc") {
            stage.copy(&licence.join(name), &format!("{}/{name}", family.licences), 0o644)?;
        }
    }
    stage.write("usr/share/doc/keybearer/changelog", &fs::read_to_string(licence.join("CHANGELOG.md"))?)?;
    stage.compress("usr/share/doc/keybearer/changelog")?;
    Ok(stage.root)
}

/// systemd's units for everybody: the sockets are listened on in every session, and the core starts with the first
/// connection. Nothing has to be enabled, and nothing is left to be disabled.
fn units(stage: &Stage) -> Result<()> {
    let unit = |name: &str| -> Result<String> {
        let text = fs::read_to_string(places::root().join("crates/os/units").join(name))?;
        let text = text.replace("# Written by `keybearer service install`.\n", "").replace("@TURNED_OFF@", TURNED_OFF);
        let (text, _) = text.split_once("\n[Install]").unwrap_or((&text, ""));
        Ok(format!("{}\n", text.trim_end()))
    };
    let service = unit("keybearer.service")?.replace("@EXECUTABLE@", "/usr/bin/keybearer");
    stage.write(&format!("{UNITS}/keybearer.service"), &service)?;
    for name in SOCKETS {
        let file = format!("keybearer-{name}.socket");
        stage.write(&format!("{UNITS}/{file}"), &unit("keybearer.socket")?.replace("@NAME@", name))?;
        stage.link(&format!("../{file}"), &format!("{UNITS}/sockets.target.wants/{file}"))?;
    }
    Ok(())
}

fn desktop(stage: &Stage) -> Result<()> {
    let entry = "com.keybearer.app.desktop";
    stage.write(&format!("usr/share/applications/{entry}"), &template(entry, &[])?)?;
    stage.write(&format!("etc/xdg/autostart/{entry}"), &template("autostart.desktop", &[])?)?;
    for (source, place) in ICONS {
        stage.copy(&places::root().join(source), &format!("usr/share/icons/hicolor/{place}"), 0o644)?;
    }
    Ok(())
}

/// Man pages and completions: the program writes them itself.
fn reference(stage: &Stage, program: &Path, family: Family) -> Result<()> {
    let pages = stage.root.join("usr/share/man/man1");
    Run::new(program).args(["man"]).args([&pages]).quietly()?;
    for name in names(&pages)? {
        set_mode(&pages.join(&name), 0o644)?;
        stage.compress(&format!("usr/share/man/man1/{name}"))?;
    }
    let places = [
        ("bash", "usr/share/bash-completion/completions/keybearer".to_owned()),
        ("zsh", format!("{}/_keybearer", family.zsh)),
        ("fish", "usr/share/fish/vendor_completions.d/keybearer.fish".to_owned()),
    ];
    for (shell, place) in places {
        stage.write(&place, &Run::new(program).args(["completions", shell]).read()?)?;
    }
    Ok(())
}

/// The names in a folder, in their order.
pub(super) fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read `{}`", folder.display()))?;
    let mut names: Vec<String> =
        entries.map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned())).collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

/// Every file and link below a folder, by its path from there, in their order.
pub(super) fn files(root: &Path) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for name in names(root)? {
        let path = root.join(&name);
        if path.symlink_metadata()?.is_dir() {
            all.extend(files(&path)?.into_iter().map(|below| format!("{name}/{below}")));
        } else {
            all.push(name);
        }
    }
    Ok(all)
}

/// The tree that becomes the package.
struct Stage {
    root: PathBuf,
}

impl Stage {
    fn copy(&self, source: &Path, place: &str, mode: u32) -> Result<()> {
        let path = self.place(place)?;
        fs::copy(source, &path).with_context(|| format!("copy `{}`", source.display()))?;
        set_mode(&path, mode)
    }

    fn write(&self, place: &str, text: &str) -> Result<()> {
        let path = self.place(place)?;
        fs::write(&path, text).with_context(|| format!("write `{}`", path.display()))?;
        set_mode(&path, 0o644)
    }

    fn link(&self, to: &str, place: &str) -> Result<()> {
        symlink(to, self.place(place)?).with_context(|| format!("link `{place}`"))
    }

    /// Without the time and the name, so that the same text gives the same bytes.
    fn compress(&self, place: &str) -> Result<()> {
        Run::new("gzip").args(["-n9"]).args([self.root.join(place)]).quietly()
    }

    /// The path, with the folder that it lies in.
    fn place(&self, place: &str) -> Result<PathBuf> {
        let path = self.root.join(place);
        let folder = path.parent().unwrap_or(&self.root);
        fs::create_dir_all(folder).with_context(|| format!("make `{}`", folder.display()))?;
        Ok(path)
    }
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    fs::set_permissions(path, Permissions::from_mode(mode)).with_context(|| format!("open `{}`", path.display()))
}
