//! A virtual environment with the PyPI packages of `tests/parts`.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use super::stamp::Stamp;
use crate::{command::Run, places};

/// The interpreter that everything of ours runs on.
fn python() -> PathBuf {
    folder().join("bin/python")
}

fn folder() -> PathBuf {
    places::parts().join("python")
}

pub(super) fn bring() -> Result<()> {
    let requirements = places::part_scripts().join("requirements.txt");
    let stamp = Stamp::new("python", "venv", &[&requirements])?;
    if stamp.is_current() && python().is_file() {
        return Ok(());
    }
    println!("setup: installing the PyPI packages of tests/parts");
    if folder().exists() {
        fs::remove_dir_all(folder()).context("remove the old virtual environment")?;
    }
    Run::new("python3").args(["-m", "venv"]).args([folder()]).quietly()?;
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    Run::new(python()).args(install).args([requirements]).quietly()?;
    stamp.write()
}
