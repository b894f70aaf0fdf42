//! A script of `tests/parts` that runs until it is dropped.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{places, setup};

pub(super) struct Part {
    child: Child,
    /// Where it listens.
    pub(super) url: String,
}

impl Part {
    /// Starts a script and waits until it says that it is ready. What it complains of goes to a file beside the results.
    pub(super) fn start(script: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let complaints = places::target().join("conformance").join(script.replace('/', "-")).with_extension("log");
        let mut command = Command::new("node");
        command.arg(script).current_dir(places::part_scripts()).envs(settings.iter().copied());
        command.env("PATH", setup::node_path()?).env("KEYBEARER", places::executable("keybearer"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(open(&complaints)?);
        let mut child = command.spawn().with_context(|| format!("start `{script}`"))?;
        let mut line = String::new();
        let out = child.stdout.take().context("its standard output")?;
        let mut part = Self { child, url: String::new() };
        BufReader::new(out).read_line(&mut line).with_context(|| format!("read what `{script}` says"))?;
        let said: Value = serde_json::from_str(&line).with_context(|| {
            let complained = fs::read_to_string(&complaints).unwrap_or_default();
            format!("`{script}` was not ready: {line} {complained}")
        })?;
        part.url = said["url"].as_str().with_context(|| format!("`{script}` named no URL: {line}"))?.to_owned();
        Ok(part)
    }
}

fn open(file: &Path) -> Result<File> {
    fs::create_dir_all(file.parent().unwrap_or(file)).context("make a folder for the results")?;
    File::create(file).with_context(|| format!("write `{}`", file.display()))
}

impl Drop for Part {
    fn drop(&mut self) {
        // It ends, and ends what it started, when its standard input closes.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
