//! The page: its packages, its checks, its build. The desktop package takes in what is built here.

use std::{fs, path::Path, time::SystemTime};

use anyhow::{Context, Result};

use crate::{places, setup};

/// Everything that must hold of the page, and its build.
pub(crate) fn check() -> Result<()> {
    install()?;
    run(&["run", "check"])?;
    run(&["test"])?;
    run(&["run", "build"])
}

/// Builds the page if its sources are newer than what was built last.
pub(crate) fn build() -> Result<()> {
    let ui = places::root().join("ui");
    let built = newest(&ui.join("dist"))?;
    let sources = ["src", "index.html", "package-lock.json", "vite.config.ts"].map(|name| newest(&ui.join(name)));
    let changed = sources.into_iter().collect::<Result<Vec<_>>>()?.into_iter().max().flatten();
    if built.is_some() && built > changed {
        return Ok(());
    }
    install()?;
    run(&["run", "build"])
}

fn install() -> Result<()> {
    run(&["ci", "--no-fund", "--no-audit"])
}

fn run(arguments: &[&str]) -> Result<()> {
    setup::npm()?.args(arguments).dir(places::root().join("ui")).env("CI", "true").run()
}

/// The time of the newest file in a folder or of the file itself; none if there is nothing.
fn newest(path: &Path) -> Result<Option<SystemTime>> {
    let Ok(metadata) = fs::metadata(path) else { return Ok(None) };
    if metadata.is_file() {
        return metadata.modified().map(Some).with_context(|| format!("read the time of `{}`", path.display()));
    }
    let entries = fs::read_dir(path).with_context(|| format!("read `{}`", path.display()))?;
    let times = entries.flatten().map(|entry| newest(&entry.path())).collect::<Result<Vec<_>>>()?;
    Ok(times.into_iter().max().flatten())
}

#[cfg(test)]
mod tests {
    use super::newest;

    #[test]
    fn a_folder_is_as_new_as_its_newest_file() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(newest(folder.path()).unwrap(), None);
        let file = folder.path().join("deep/file");
        std::fs::create_dir(folder.path().join("deep")).unwrap();
        std::fs::write(&file, "x").unwrap();
        assert_eq!(newest(folder.path()).unwrap(), Some(std::fs::metadata(file).unwrap().modified().unwrap()));
    }
}
