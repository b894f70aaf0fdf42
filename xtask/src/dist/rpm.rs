//! The package for Fedora, Red Hat and SUSE, by rpm's own packer, which also finds what the executables are linked with.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::deb::LOADED;
use super::order::{Order, Profile};
use super::sign::Signer;
use super::{epoch, payload, template};
use crate::command::Run;

/// Packs the tree, and signs the package.
pub(super) fn pack(order: &Order, stage: &Path, work: &Path, signer: &Signer) -> Result<PathBuf> {
    let processor = std::env::consts::ARCH;
    let listed: Vec<String> = payload::files(stage)?.iter().map(|file| line(file)).collect();
    let spec = work.join("keybearer.spec");
    let text = template(
        "keybearer.spec",
        &[
            ("VERSION", &order.version),
            ("RELEASE", &order.revision),
            ("MAINTAINER", &order.maintainer),
            ("LOADED", &format!("{LOADED}()(64bit)")),
            ("STAGE", &stage.to_string_lossy()),
            ("FILES", &listed.join("\n")),
        ],
    )?;
    fs::write(&spec, text).context("write the package's description")?;
    let top = work.join("rpmbuild");
    let payload = match order.profile {
        Profile::Release => "w19.zstdio",
        Profile::Debug => "w1.gzdio",
    };
    let definitions = [
        ("_topdir", top.to_string_lossy().into_owned()),
        ("_binary_payload", payload.to_owned()),
        ("_buildhost", "keybearer".to_owned()),
        ("use_source_date_epoch_as_buildtime", "1".to_owned()),
        ("clamp_mtime_to_source_date_epoch", "1".to_owned()),
        // The executables are as they were tested: nothing strips, compresses or splits them.
        ("__os_install_post", "%{nil}".to_owned()),
        ("debug_package", "%{nil}".to_owned()),
        ("_build_id_links", "none".to_owned()),
    ];
    let define = definitions.into_iter().flat_map(|(name, value)| ["--define".to_owned(), format!("{name} {value}")]);
    let build = Run::new("rpmbuild").args(["-bb", "--quiet", "--target", processor]).args(define).args([&spec]);
    build.env("SOURCE_DATE_EPOCH", epoch()?).quietly()?;
    let name = format!("keybearer-{}-{}.{processor}.rpm", order.version, order.revision);
    let file = order.out.join(&name);
    fs::copy(top.join("RPMS").join(processor).join(&name), &file).with_context(|| format!("take `{name}`"))?;
    signer.rpm(&file)?;
    Ok(file)
}

/// A file as the description lists it. What an administrator may change is kept as they have it.
fn line(file: &str) -> String {
    match file {
        settings if settings.starts_with("etc/") => format!("%config(noreplace) /{file}"),
        _ if file.starts_with("usr/share/doc/") => format!("%doc /{file}"),
        _ if file.starts_with("usr/share/licenses/") => format!("%license /{file}"),
        _ => format!("/{file}"),
    }
}
