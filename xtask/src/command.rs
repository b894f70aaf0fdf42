//! Running other programs: always an argument list, never a shell.

use std::{
    ffi::OsStr,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

use crate::places;

/// A program to run in the root of the repository, and how to name it in an error.
pub(crate) struct Run {
    command: Command,
    shown: String,
}

impl Run {
    /// The program, found on `PATH` unless it is a path.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(&program);
        command.current_dir(places::root());
        Self { command, shown: program.as_ref().to_string_lossy().into_owned() }
    }

    /// The cargo that runs us.
    pub(crate) fn cargo() -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
    }

    pub(crate) fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        for argument in arguments {
            self.shown.push(' ');
            self.shown.push_str(&argument.as_ref().to_string_lossy());
            self.command.arg(argument);
        }
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Runs it on our own standard streams; an unsuccessful end is an error.
    pub(crate) fn run(mut self) -> Result<()> {
        let status = self.command.status().with_context(|| format!("start `{}`", self.shown))?;
        if !status.success() {
            bail!("`{}` ended with {status}", self.shown);
        }
        Ok(())
    }

    /// Runs it silently; what it printed becomes part of the error.
    pub(crate) fn quietly(self) -> Result<()> {
        self.read().map(drop)
    }

    /// Runs it and returns what it printed.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self.command.stdin(Stdio::null()).output().with_context(|| format!("start `{}`", self.shown))?;
        if !output.status.success() {
            let said = [output.stdout, output.stderr].concat();
            bail!("`{}` ended with {}:\n{}", self.shown, output.status, String::from_utf8_lossy(&said).trim());
        }
        String::from_utf8(output.stdout).with_context(|| format!("read the output of `{}`", self.shown))
    }

    /// Runs it and returns what it printed; what it says of errors goes where ours goes, which ends the reading with the
    /// program even if something that it started lives on.
    pub(crate) fn read_output(mut self) -> Result<String> {
        let output = self.command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
        let output = output.with_context(|| format!("start `{}`", self.shown))?;
        if !output.status.success() {
            bail!("`{}` ended with {}", self.shown, output.status);
        }
        String::from_utf8(output.stdout).with_context(|| format!("read the output of `{}`", self.shown))
    }

    /// Whether it can be started and ends well.
    pub(crate) fn succeeds(mut self) -> bool {
        self.command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        self.command.status().is_ok_and(|status| status.success())
    }
}
