//! `cargo xtask codegen`: writes what is generated and committed; `--check` only compares.
//!
//! The command line's reference page is written by the command line's own test, because only that binary knows its
//! arguments; writing runs that test, and checking is part of `cargo test`.

use std::{fs, path::Path};

use anyhow::{Context, Result, bail};

use crate::{command::Run, icons, places};

/// A generated file and what makes it.
struct Generated {
    path: &'static str,
    make: fn() -> Vec<u8>,
}

const FILES: [Generated; 1] =
    [Generated { path: "ui/src/bindings.ts", make: || keybearer_control::bindings::typescript().into_bytes() }];

/// `cargo xtask codegen [--check]`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    match arguments {
        [] => write(),
        [option] if option == "--check" => check(),
        _ => bail!("`codegen` knows only `--check`"),
    }
}

fn write() -> Result<()> {
    for file in stale(places::root()) {
        let path = places::root().join(file.path);
        fs::write(&path, (file.make)()).with_context(|| format!("write `{}`", file.path))?;
        println!("codegen: wrote {}", file.path);
    }
    for icon in icons::generate(places::root())? {
        println!("codegen: drew {icon}");
    }
    Run::cargo().args(["test", "--quiet", "-p", "keybearer-cli", "reference"]).env("UPDATE_EXPECT", "1").quietly()
}

/// Fails if a generated file is not what its source makes of it.
pub(crate) fn check() -> Result<()> {
    let stale: Vec<_> = stale(places::root()).map(|file| file.path).collect();
    if !stale.is_empty() {
        bail!("not what its source makes of it: {}", stale.join(", "));
    }
    icons::check(places::root())?;
    println!("codegen: what is generated is current");
    Ok(())
}

fn stale(root: &Path) -> impl Iterator<Item = &'static Generated> {
    FILES.iter().filter(move |file| !fs::read(root.join(file.path)).is_ok_and(|written| written == (file.make)()))
}

#[cfg(test)]
mod tests {
    use super::{FILES, stale};

    #[test]
    fn a_missing_or_changed_file_is_stale() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(stale(root.path()).count(), FILES.len());
        for file in &FILES {
            let path = root.path().join(file.path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, (file.make)()).unwrap();
        }
        assert_eq!(stale(root.path()).count(), 0);
    }
}
