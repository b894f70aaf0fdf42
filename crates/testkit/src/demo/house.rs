//! Keybearer's house for the demo: its folder, its settings, and its commands run as real processes.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::Mode;

/// How long a command may take that waits for nobody.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a person may take to sign in.
const PERSON: Duration = Duration::from_secs(600);

/// A `KEYBEARER_HOME` of its own, and the programs that work in it.
pub(crate) struct House {
    folder: tempfile::TempDir,
    program: PathBuf,
    browser: Option<PathBuf>,
    pub(crate) mode: Mode,
    /// Everything that a command has printed.
    pub(crate) printed: Vec<u8>,
}

impl House {
    /// Builds the house with these settings; sign-ins open `browser`, or the person's own.
    pub(crate) fn build(mode: Mode, settings: &str, browser: Option<PathBuf>) -> anyhow::Result<Self> {
        let mut builder = tempfile::Builder::new();
        match mode {
            // It stands in pictures: whoever takes them has a place for it alone.
            Mode::Scene => builder.prefix("keybearer").rand_bytes(0),
            Mode::Told | Mode::Script | Mode::Keep => builder.prefix("keybearer-demo-"),
        };
        let folder = builder.tempdir().context("make a folder")?;
        std::fs::create_dir(folder.path().join("home")).context("make the home")?;
        std::fs::write(folder.path().join("home/config.toml"), settings).context("write the settings")?;
        let program = beside_me("keybearer")?;
        Ok(Self { folder, program, browser, mode, printed: Vec::new() })
    }

    /// Where Keybearer keeps everything here.
    pub(crate) fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// The `keybearer` program.
    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Where the processes' diagnostics go: beside the home, and searched for secrets like it.
    pub(crate) fn log_file(&self) -> PathBuf {
        self.folder.path().join("diagnostics.log")
    }

    /// The folder of home and log.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> anyhow::Result<Command> {
        let mut command = Command::new(program);
        command.args(arguments).env("KEYBEARER_HOME", self.home()).env("KEYBEARER_LOG", "info").kill_on_drop(true);
        if let Some(browser) = &self.browser {
            let folder = browser.parent().context("the browser lies nowhere")?;
            let mut path = OsString::from(folder);
            path.push(":");
            path.push(std::env::var_os("PATH").unwrap_or_default());
            command.env("PATH", path).env("BROWSER", browser);
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(self.log()?);
        Ok(command)
    }

    fn log(&self) -> anyhow::Result<Stdio> {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.log_file());
        Ok(log.context("open the log")?.into())
    }

    /// Starts the core and waits for the line in which it says that it is ready.
    pub(crate) async fn serve(&self) -> anyhow::Result<(Child, Value)> {
        let mut command = self.command(&self.program, &["serve", "--json"])?;
        if self.mode == Mode::Keep {
            // In this terminal it asks what no rule decides.
            command.stdin(Stdio::inherit()).stderr(Stdio::inherit()).env("KEYBEARER_LOG", "warn");
        }
        let mut core = command.spawn().with_context(|| format!("start `{}`", self.program.display()))?;
        let mut lines = BufReader::new(core.stdout.take().context("the core has no output")?);
        let mut line = String::new();
        tokio::time::timeout(PATIENCE, lines.read_line(&mut line)).await.context("the core does not come up")??;
        let ready = serde_json::from_str(&line)
            .with_context(|| format!("the core did not come up; its diagnostics:\n{}", self.diagnostics()))?;
        // Kept open: a core whose output breaks would end.
        tokio::spawn(async move { lines.read_to_end(&mut Vec::new()).await });
        Ok((core, ready))
    }

    /// Starts the desktop app, where there is a display and the app was built.
    pub(crate) fn desktop(&self) -> Option<Child> {
        let display = ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
        let program = beside_me("keybearer-desktop").ok().filter(|_| display && self.mode != Mode::Scene)?;
        self.command(&program, &[]).ok()?.stdout(Stdio::null()).spawn().ok()
    }

    /// Starts what an app starts: `keybearer stdio SERVER`.
    pub(crate) fn bridge(&self, server: &str) -> anyhow::Result<(Child, ChildStdin, ChildStdout)> {
        let mut command = self.command(&self.program, &["stdio", server])?;
        let mut bridge = command.stdin(Stdio::piped()).spawn().context("start the bridge")?;
        let input = bridge.stdin.take().context("the bridge has no input")?;
        let output = bridge.stdout.take().context("the bridge has no output")?;
        Ok((bridge, input, output))
    }

    /// Runs a command, and returns what it told as JSON.
    pub(crate) async fn run(&mut self, arguments: &[&str]) -> anyhow::Result<Value> {
        let line = arguments.join(" ");
        let mut command = self.command(&self.program, arguments)?;
        let running = command.arg("--json").output();
        let patience = if arguments.first() == Some(&"login") { PERSON } else { PATIENCE };
        let output = tokio::time::timeout(patience, running).await;
        let output = output.with_context(|| format!("`keybearer {line}` does not end"))??;
        self.printed.extend_from_slice(&output.stdout);
        if !output.status.success() {
            let told = String::from_utf8_lossy(&output.stdout);
            bail!("`keybearer {line}` ended with {}: {}{}", output.status, told.trim(), self.diagnostics());
        }
        serde_json::from_slice(&output.stdout).with_context(|| format!("`keybearer {line}` told no JSON"))
    }

    /// The end of the diagnostics, for an error.
    pub(crate) fn diagnostics(&self) -> String {
        let log = std::fs::read_to_string(self.log_file()).unwrap_or_default();
        let browser = self.browser.as_ref().map(|browser| browser.with_file_name("browser.log"));
        let browser = browser.and_then(|log| std::fs::read_to_string(log).ok()).unwrap_or_default();
        let lines = log.lines().chain(browser.lines()).collect::<Vec<_>>();
        lines.iter().skip(lines.len().saturating_sub(12)).map(|line| format!("\n      {line}")).collect()
    }
}

fn beside_me(name: &str) -> anyhow::Result<PathBuf> {
    let me = std::env::current_exe().context("find this program")?;
    let program = me.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    anyhow::ensure!(
        program.is_file(),
        "`{}` is not there; build it first: `cargo build -p keybearer-cli`",
        program.display()
    );
    Ok(program)
}
