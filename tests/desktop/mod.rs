//! A desktop session for one test: its own display, its own session bus, its own home, and a real core.

use std::io::{BufRead, BufReader};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tempfile::TempDir;

#[allow(dead_code, reason = "not every story has notifications")]
pub(crate) mod notices;
#[allow(dead_code, reason = "not every story looks at the tray")]
pub(crate) mod panel;
#[allow(dead_code, reason = "the tray has no window")]
pub(crate) mod window;

/// Set for the process that runs inside the session.
const INSIDE: &str = "KEYBEARER_DESKTOP_TEST";
/// Names another shell than that of this build; its `keybearer` lies beside it.
const SHELL: &str = "KEYBEARER_DESKTOP_SHELL";
/// What nothing here takes, unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Runs the test `name` again inside a session of its own, or says that this is that run.
pub(crate) fn is_inside(name: &str) -> bool {
    is_inside_with(&["--exact", name, "--nocapture"])
}

/// Runs this program again with these arguments, inside a session of its own, or says that this is that run.
pub(crate) fn is_inside_with(arguments: &[&str]) -> bool {
    // Two that begin at the same moment must not look for a free display at the same number: both would find it free.
    let from = format!("--server-num={}", 100 + std::process::id() % 50_000);
    let screen = "--server-args=-screen 0 1280x800x24 -nolisten tcp";
    is_inside_of(arguments, &["xvfb-run", "--auto-servernum", &from, screen], "x11")
}

/// The same in a session that has no display yet, for one of the new kind.
#[allow(dead_code, reason = "one story has a Wayland session")]
pub(crate) fn is_inside_for_wayland(name: &str) -> bool {
    is_inside_of(&["--exact", name, "--nocapture"], &[], "wayland")
}

fn is_inside_of(arguments: &[&str], display: &[&str], backend: &str) -> bool {
    if std::env::var_os(INSIDE).is_some() {
        return true;
    }
    let home = TempDir::new().unwrap();
    let runtime = home.path().join("run");
    std::fs::DirBuilder::new().mode(0o700).create(&runtime).unwrap();
    let mut session = Command::new("dbus-run-session");
    session.arg("--").args(display);
    session.arg(std::env::current_exe().unwrap()).args(arguments);
    session.env(INSIDE, "1").env("HOME", home.path()).env("XDG_RUNTIME_DIR", &runtime);
    for (variable, folder) in
        [("CONFIG", ".config"), ("DATA", ".local/share"), ("CACHE", ".cache"), ("STATE", ".state")]
    {
        session.env(format!("XDG_{variable}_HOME"), home.path().join(folder));
    }
    session.envs([("GDK_BACKEND", backend), ("LIBGL_ALWAYS_SOFTWARE", "1"), ("NO_AT_BRIDGE", "1")]);
    session.env_remove("DBUS_SESSION_BUS_ADDRESS").env_remove("WAYLAND_DISPLAY").env_remove("DISPLAY");
    let ended = session.status().expect("`dbus-run-session` and `xvfb-run` are needed: `cargo xtask setup session`");
    assert!(ended.success(), "{arguments:?} failed inside its desktop session");
    false
}

/// The shell of this build, or the one that is named instead of it: a packed one, for instance.
pub(crate) fn shell() -> PathBuf {
    if let Some(named) = std::env::var_os(SHELL) {
        return named.into();
    }
    let me = std::env::current_exe().unwrap();
    let folder = me.ancestors().find(|folder| folder.join("keybearer-desktop").is_file());
    folder.expect("`keybearer-desktop` is built beside the tests").join("keybearer-desktop")
}

/// The `keybearer` beside the shell, where the shell looks for it.
fn command() -> PathBuf {
    let command = shell().with_file_name("keybearer");
    assert!(command.is_file(), "`{}` is missing: `cargo build --workspace` makes it", command.display());
    command
}

/// A real core with two servers: `crm`, which nobody is signed in to and which does not answer, and `wiki`, which needs
/// no sign-in.
pub(crate) struct Core {
    command: PathBuf,
    home: TempDir,
    serve: Child,
}

impl Core {
    pub(crate) fn run() -> Self {
        Self::run_with("")
    }

    /// One with these settings besides.
    pub(crate) fn run_with(top: &str) -> Self {
        let home = TempDir::new().unwrap();
        let settings = format!(
            "{top}keystore = \"memory\"\n\
            [servers.crm]\nurl = \"http://127.0.0.1:9/mcp\"\n\
            [servers.wiki]\nurl = \"http://127.0.0.1:9/mcp\"\nauth = \"none\"\n"
        );
        std::fs::write(home.path().join("config.toml"), settings).unwrap();
        let command = command();
        let mut serve = Command::new(&command);
        serve.args(["serve", "--json"]).env("KEYBEARER_HOME", home.path()).stdout(Stdio::piped());
        let mut serve = serve.spawn().unwrap();
        let mut ready = String::new();
        BufReader::new(serve.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert!(!ready.is_empty(), "the core ended at its start");
        Self { command, home, serve }
    }

    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// The audit trail so far.
    #[allow(dead_code, reason = "not every story reads it")]
    pub(crate) fn audit(&self) -> String {
        std::fs::read_to_string(self.home().join("state/audit/audit.jsonl")).unwrap_or_default()
    }

    /// Runs a command against this core, and gives what it printed.
    pub(crate) fn cli(&self, arguments: &[&str]) -> String {
        let ended = Command::new(&self.command).args(arguments).env("KEYBEARER_HOME", self.home()).output().unwrap();
        assert!(ended.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap()
    }

    /// Runs a command that has to fail, and gives what it said about it.
    #[allow(dead_code, reason = "not every story has something refused")]
    pub(crate) fn refuses(&self, arguments: &[&str]) -> String {
        let ended = Command::new(&self.command).args(arguments).env("KEYBEARER_HOME", self.home()).output().unwrap();
        assert!(!ended.status.success(), "{arguments:?} was not refused");
        String::from_utf8(ended.stderr).unwrap()
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // Whichever core runs now: the shell may have started another one.
        let _ = Command::new(&self.command).arg("stop").env("KEYBEARER_HOME", self.home()).output();
        let _ = self.serve.kill();
        let _ = self.serve.wait();
    }
}

/// What a program logs.
#[allow(dead_code, reason = "not every story reads it")]
pub(crate) struct Said(Arc<Mutex<String>>);

#[allow(dead_code, reason = "not every story reads it")]
impl Said {
    pub(crate) fn of(program: &mut Child) -> Self {
        let said = Self(Arc::default());
        let (lines, heard) = (BufReader::new(program.stderr.take().unwrap()).lines(), Arc::clone(&said.0));
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| heard.lock().unwrap().push_str(&line)));
        said
    }

    pub(crate) fn contains(&self, text: &str) -> bool {
        self.0.lock().unwrap().contains(text)
    }

    /// What came after this.
    pub(crate) fn after(&self, text: &str) -> Option<String> {
        Some(self.0.lock().unwrap().split_once(text)?.1.to_owned())
    }
}

/// A program that ends with the test, whatever happens.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
