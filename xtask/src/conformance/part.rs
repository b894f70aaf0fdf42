//! A script of `tests/parts` that runs until it is dropped.

use std::{
    io::{BufRead as _, BufReader},
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
    /// Starts a script and waits until it says that it is ready. What it complains of is ours to show.
    pub(super) fn start(script: &str, settings: &[(&str, &str)]) -> Result<Self> {
        let mut command = Command::new("node");
        command.arg(script).current_dir(places::part_scripts()).envs(settings.iter().copied());
        command.env("PATH", setup::node_path()?).env("KEYBEARER", places::executable("keybearer"));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().with_context(|| format!("start `{script}`"))?;
        let mut line = String::new();
        let out = child.stdout.take().context("its standard output")?;
        let mut part = Self { child, url: String::new() };
        BufReader::new(out).read_line(&mut line).with_context(|| format!("read what `{script}` says"))?;
        let said: Value = serde_json::from_str(&line).with_context(|| format!("`{script}` was not ready: {line}"))?;
        part.url = said["url"].as_str().with_context(|| format!("`{script}` named no URL: {line}"))?.to_owned();
        Ok(part)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It ends, and ends what it started, when its standard input closes.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
