//! When and on what something was measured, in words that name no machine.

use std::fs;

use anyhow::{Context, Result};

use crate::command::Run;

/// Today.
pub(super) fn date() -> Result<String> {
    Ok(Run::new("date").args(["--utc", "+%F"]).read()?.trim().to_owned())
}

/// What kind of machine this is, and what draws on it.
pub(super) fn in_words() -> Result<String> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let read = |path: &str| fs::read_to_string(path).with_context(|| format!("read `{path}`"));
    let memory = value(&read("/proc/meminfo")?, "MemTotal:").context("read how much memory there is")?;
    let kibibytes: u64 = memory.trim_end_matches("kB").trim().parse().context("read how much memory there is")?;
    let system = value(&read("/etc/os-release")?, "PRETTY_NAME=").unwrap_or_else(|| "Linux".to_owned());
    let webkit = Run::new("pkg-config").args(["--modversion", "webkit2gtk-4.1"]).read()?;
    Ok(format!(
        "{cores} cores ({}), {} GiB of memory, {system}, WebKitGTK {}",
        std::env::consts::ARCH,
        kibibytes.div_ceil(1024 * 1024),
        webkit.trim()
    ))
}

fn value(text: &str, name: &str) -> Option<String> {
    text.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().trim_matches('"').to_owned())
}
