//! Programs that run while others measure them.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cpu;

/// A program that is ended when it is dropped.
pub struct Running {
    process: Child,
    /// Its first line, if it was asked for.
    pub said: Value,
}

impl Running {
    /// Starts a program that says in one line of JSON that it is ready.
    pub fn until_ready(command: &mut Command) -> Result<Self> {
        let name = format!("{command:?}");
        let mut process =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().with_context(|| format!("start {name}"))?;
        let mut line = String::new();
        let output = process.stdout.take().context("no standard output")?;
        BufReader::new(output).read_line(&mut line)?;
        let said = serde_json::from_str(&line).with_context(|| format!("{name} said `{}`", line.trim()))?;
        Ok(Self { process, said })
    }

    /// Starts a program that says nothing.
    pub fn silent(command: &mut Command) -> Result<Self> {
        let name = format!("{command:?}");
        let process = command.stdin(Stdio::null()).spawn().with_context(|| format!("start {name}"))?;
        Ok(Self { process, said: Value::Null })
    }

    /// CPU time of the program and of what it started.
    pub fn cpu(&self) -> Duration {
        cpu::of_tree(self.process.id())
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// A text in the first line.
    pub fn text(&self, pointer: &str) -> Result<String> {
        let value = self.said.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        value.with_context(|| format!("no `{pointer}` in `{}`", self.said))
    }
}

impl Drop for Running {
    /// Asks first, so that a program which has children can end them.
    fn drop(&mut self) {
        let asked = Command::new("kill").arg(self.process.id().to_string()).status();
        if !asked.is_ok_and(|status| status.success()) {
            // It has already ended if this fails.
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// Runs a program to its end and reads the JSON that it printed.
pub fn told(command: &mut Command) -> Result<Value> {
    let name = format!("{command:?}");
    let output = command.stderr(Stdio::inherit()).output().with_context(|| format!("start {name}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!("{name} ended with {}: {}", output.status, text.trim());
    }
    serde_json::from_str(text.trim()).with_context(|| format!("{name} said `{}`", text.trim()))
}

/// A program beside this one.
pub fn beside(name: &str) -> Result<Command> {
    let here = std::env::current_exe().context("find this program")?;
    let folder = here.parent().unwrap_or_else(|| Path::new("."));
    Ok(Command::new(folder.join(name).with_extension(std::env::consts::EXE_EXTENSION)))
}
