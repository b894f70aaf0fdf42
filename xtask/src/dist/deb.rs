//! The package for Debian and Ubuntu, by Debian's own packer.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::order::{Order, Profile};
use super::sign::Signer;
use super::{epoch, payload, template};
use crate::{command::Run, places};

/// What the desktop program loads when it draws its icon: no list of its own executable names it.
pub(super) const LOADED: &str = "libayatana-appindicator3.so.1";

/// Packs the tree, and signs the package.
pub(super) fn pack(order: &Order, stage: &Path, signer: &Signer) -> Result<PathBuf> {
    papers(order, stage)?;
    let control = stage.join("DEBIAN");
    fs::create_dir_all(&control).context("make a folder for the package's control files")?;
    let architecture = Run::new("dpkg").args(["--print-architecture"]).read()?.trim().to_owned();
    let text = template(
        "control",
        &[
            ("VERSION", &format!("{}-{}", order.version, order.revision)),
            ("ARCHITECTURE", &architecture),
            ("MAINTAINER", &order.maintainer),
            ("SIZE", &kibibytes(stage)?.to_string()),
            ("DEPENDS", &depends(stage)?),
        ],
    )?;
    write(&control.join("md5sums"), &sums(stage)?, 0o644)?;
    write(&control.join("control"), &text, 0o644)?;
    write(&control.join("conffiles"), "/etc/xdg/autostart/com.keybearer.app.desktop\n", 0o644)?;
    write(&control.join("prerm"), &template("prerm", &[])?, 0o755)?;
    let file = order.out.join(format!("keybearer_{}-{}_{architecture}.deb", order.version, order.revision));
    let compression: &[&str] = match order.profile {
        Profile::Release => &["-Zxz"],
        Profile::Debug => &["-Zgzip", "-z1"],
    };
    let build = Run::new("dpkg-deb").args(["--root-owner-group"]).args(compression).args(["--build"]);
    build.args([stage, &file]).env("SOURCE_DATE_EPOCH", epoch()?).quietly()?;
    signer.deb(&file)?;
    Ok(file)
}

/// What Debian wants beside the program.
fn papers(order: &Order, stage: &Path) -> Result<()> {
    let doc = stage.join("usr/share/doc/keybearer");
    let mit = fs::read_to_string(places::root().join("LICENSE-MIT")).context("read `LICENSE-MIT`")?;
    let expat: Vec<String> = mit
        .trim_end()
        .lines()
        .map(|line| if line.trim().is_empty() { " .".into() } else { format!(" {line}") })
        .collect();
    write(&doc.join("copyright"), &template("copyright", &[("EXPAT", &expat.join("\n"))])?, 0o644)?;
    let date = Run::new("date").args(["--utc", "--rfc-email", "--date", &format!("@{}", epoch()?)]).env("LC_ALL", "C");
    let entry = format!(
        "keybearer ({}-{}) stable; urgency=medium\n\n  * What is new is in changelog.gz.\n\n -- {}  {}\n",
        order.version,
        order.revision,
        order.maintainer,
        date.read()?.trim()
    );
    let changes = doc.join("changelog.Debian");
    write(&changes, &entry, 0o644)?;
    Run::new("gzip").args(["-n9"]).args([changes]).quietly()?;
    let overrides = stage.join("usr/share/lintian/overrides");
    fs::create_dir_all(&overrides).context("make a folder for lintian")?;
    write(&overrides.join("keybearer"), &template("lintian-overrides", &[])?, 0o644)
}

/// The packages that the executables need: what they are linked with, and what one of them loads.
fn depends(stage: &Path) -> Result<String> {
    // The tool wants to be called from a source package.
    let source = tempfile::tempdir().context("make a folder for dpkg-shlibdeps")?;
    fs::create_dir(source.path().join("debian"))?;
    fs::write(source.path().join("debian/control"), "Source: keybearer\n\nPackage: keybearer\nArchitecture: any\n")?;
    let programs = payload::PROGRAMS.map(|name| stage.join("usr/bin").join(name));
    let told = Run::new("dpkg-shlibdeps").args(["-O"]).args(programs).dir(source.path()).read_output()?;
    let linked = told.lines().find_map(|line| line.strip_prefix("shlibs:Depends=")).context("read what is linked")?;
    Ok(format!("{linked}, {}", loading_package(stage)?))
}

/// The package of the library that is loaded, if the executable still names it.
fn loading_package(stage: &Path) -> Result<String> {
    let program = fs::read(stage.join("usr/bin/keybearer-desktop")).context("read the desktop program")?;
    let named = program.windows(LOADED.len()).any(|window| window == LOADED.as_bytes());
    ensure!(named, "the desktop program does not load `{LOADED}` any more: mend `LOADED`");
    let found = Run::new("dpkg").args(["--search", &format!("*/{LOADED}")]).read()?;
    let package = found.split(':').next().unwrap_or_default();
    Ok(package.to_owned())
}

/// The checksums that `dpkg --verify` compares with.
fn sums(stage: &Path) -> Result<String> {
    let files = payload::files(stage)?;
    let is_file = |file: &&String| {
        let kind = stage.join(file).symlink_metadata();
        !file.starts_with("DEBIAN/") && !file.starts_with("etc/") && kind.is_ok_and(|kind| kind.is_file())
    };
    Run::new("md5sum").args(files.iter().filter(is_file)).dir(stage).read()
}

/// The size on disk, as Debian counts it.
fn kibibytes(stage: &Path) -> Result<u64> {
    let sizes =
        payload::files(stage)?.into_iter().map(|file| Ok(stage.join(file).symlink_metadata()?.len().div_ceil(1024)));
    sizes.sum()
}

fn write(path: &Path, text: &str, mode: u32) -> Result<()> {
    fs::write(path, text).with_context(|| format!("write `{}`", path.display()))?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).with_context(|| format!("open `{}`", path.display()))
}
