//! System packages. They are named as Debian names them; each is looked for by what it brings, so that a machine
//! which has it from elsewhere needs no apt.

use std::path::Path;

use anyhow::{Result, bail};

use super::Need;
use crate::{
    command::Run,
    machine::{self, Privilege},
};

/// What tells that a package is there.
enum Brings {
    Program(&'static str),
    Library(&'static str),
    /// A folder, the start of an entry's name in it, and a path below that entry.
    Path(&'static str, &'static str, &'static str),
}

use Brings::{Library, Path as Folder, Program};

const PACKAGES: &[(Need, &str, Brings)] = &[
    (Need::Build, "build-essential", Program("cc")),
    (Need::Build, "pkg-config", Program("pkg-config")),
    (Need::Build, "libwebkit2gtk-4.1-dev", Library("webkit2gtk-4.1")),
    (Need::Build, "libgtk-3-dev", Library("gtk+-3.0")),
    (Need::Build, "libayatana-appindicator3-dev", Library("ayatana-appindicator3-0.1")),
    (Need::Build, "librsvg2-dev", Library("librsvg-2.0")),
    (Need::Build, "libdbus-1-dev", Library("dbus-1")),
    (Need::Node, "npm", Program("npm")),
    (Need::Python, "python3-venv", Folder("/usr/lib", "python3.", "ensurepip")),
    (Need::Session, "xvfb", Program("xvfb-run")),
    (Need::Session, "xauth", Program("xauth")),
    (Need::Session, "dbus", Program("dbus-run-session")),
    (Need::Session, "libglib2.0-bin", Program("gdbus")),
    (Need::Session, "libsecret-tools", Program("secret-tool")),
    (Need::Session, "gnome-keyring", Program("gnome-keyring-daemon")),
    (Need::Session, "xdotool", Program("xdotool")),
    (Need::Session, "weston", Program("weston")),
    (Need::Session, "webkit2gtk-driver", Program("WebKitWebDriver")),
    (Need::Session, "xdotool", Program("xdotool")),
    (Need::Session, "weston", Program("weston")),
    (Need::Session, "fonts-dejavu-core", Folder("/usr/share/fonts/truetype", "dejavu", "DejaVuSans.ttf")),
    (Need::Session, "iproute2", Program("ip")),
    (Need::Session, "util-linux", Program("setpriv")),
    (Need::Session, "systemd", Program("systemd-socket-activate")),
    (Need::Windows, "rustc-web", Folder("/usr/share/doc", "rustc-web", "")),
    (Need::Windows, "rust-web-src", Folder("/usr/src", "rustc-", "library/std")),
    (Need::Windows, "gcc-mingw-w64-x86-64", Program("x86_64-w64-mingw32-gcc")),
    (Need::Windows, "wine64", Folder("/usr/lib", "wine", "wine64")),
    (Need::Dist, "dpkg-dev", Program("dpkg-shlibdeps")),
    (Need::Dist, "binutils", Program("strip")),
    (Need::Dist, "rpm", Program("rpmbuild")),
    (Need::Dist, "gnupg", Program("gpg")),
    (Need::Dist, "debsig-verify", Program("debsig-verify")),
    (Need::Dist, "lintian", Program("lintian")),
    (Need::Dist, "openssl", Program("openssl")),
    (Need::Dist, "nsis", Program("makensis")),
    (Need::Dist, "osslsigncode", Program("osslsigncode")),
    (Need::Bench, "nginx-light", Program("nginx")),
];

/// Installs what is missing for these needs, or says in one list what to install.
pub(super) fn bring(needs: &[Need]) -> Result<()> {
    let missing = missing(needs);
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    let apt = if machine::find("apt-get").is_some() { machine::privilege() } else { Privilege::None };
    match apt {
        Privilege::Root => install("apt-get", &[], &missing),
        Privilege::Sudo => install("sudo", &["-n", "apt-get"], &missing),
        Privilege::None => bail!(
            "these system packages are missing (Debian's names): {list}\nhint: `sudo apt-get install {list}`, then run the command again"
        ),
    }
}

fn missing(needs: &[Need]) -> Vec<&'static str> {
    PACKAGES
        .iter()
        .filter(|(need, _, brings)| needs.contains(need) && !is_there(brings))
        .map(|(_, name, _)| *name)
        .collect()
}

fn is_there(brings: &Brings) -> bool {
    match brings {
        Program(name) => machine::find(name).is_some(),
        Library(name) => machine::has_library(name),
        Folder(folder, prefix, inside) => machine::has_path(Path::new(folder), prefix, inside),
    }
}

fn install(program: &str, before: &[&str], missing: &[&str]) -> Result<()> {
    println!("setup: installing {}", missing.join(" "));
    // Another apt may be at work on a machine that has just started.
    let apt = |arguments: &[&str]| {
        let options = ["-qq", "-o", "DPkg::Lock::Timeout=500"];
        Run::new(program).args(before).args(options).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").quietly()
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], missing].concat())
}
