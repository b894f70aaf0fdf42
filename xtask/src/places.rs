//! Where things lie in the tree.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// What was brought from package registries; it may be deleted at any time.
pub(crate) fn parts() -> PathBuf {
    root().join("target/parts")
}

/// The scripts that start real components, and their lock files.
pub(crate) fn part_scripts() -> PathBuf {
    root().join("tests/parts")
}

/// Where cargo puts what it builds.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// An executable of ours, as `cargo build` makes it.
pub(crate) fn executable(name: &str) -> PathBuf {
    target().join("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}
