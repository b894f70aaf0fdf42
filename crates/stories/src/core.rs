//! A real core: the `keybearer` program with a home of its own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::parts::{self, Watch, collect};
use crate::search;

/// The longest wait for something in a log.
const PATIENCE: Duration = Duration::from_secs(30);

/// The `keybearer` program of this build.
pub fn keybearer() -> PathBuf {
    let mut folder = std::env::current_exe().unwrap();
    folder.pop();
    if folder.ends_with("deps") {
        folder.pop();
    }
    let program = folder.join(format!("keybearer{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "no `{}`: run `cargo build --workspace --bins` first", program.display());
    program
}

/// A home folder for Keybearer, with a browser that signs in by itself.
pub struct Home {
    folder: TempDir,
    /// Set for every program that runs in this home.
    settings: Vec<(String, std::ffi::OsString)>,
}

impl Home {
    /// A fresh home with this `config.toml`.
    pub fn new(config: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("kb").tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        let mut home = Self { folder, settings: Vec::new() };
        home.bring_browser();
        home
    }

    /// A browser that fills in the sign-in forms, named in `BROWSER`; it writes a line per visit.
    fn bring_browser(&mut self) {
        let bin = self.path().join("bin");
        std::fs::create_dir(&bin).unwrap();
        let open = bin.join("browser");
        let text = format!(
            "#!/bin/sh\nexec '{}' '{}' \"$@\"\n",
            parts::node().display(),
            parts::script("browser.mjs").display()
        );
        std::fs::write(&open, text).unwrap();
        make_executable(&open);
        self.set("PATH", parts::path_with_node());
        self.set("BROWSER_LOG", self.path().join("visits.log"));
        // The stories' own session bus, if the developer's has one, must not be asked for a keychain.
        self.set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent");
        self.set("BROWSER", open);
    }

    /// Sets an environment variable for every program that runs in this home.
    pub fn set(&mut self, name: &str, value: impl Into<std::ffi::OsString>) {
        self.settings.retain(|(set, _)| set != name);
        self.settings.push((name.to_owned(), value.into()));
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A command in this home: `keybearer` itself, or a client that starts it.
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("KEYBEARER_HOME", self.path());
        for (name, value) in &self.settings {
            command.env(name, value);
        }
        command
    }

    /// Runs `keybearer` to its end.
    pub fn keybearer(&self, arguments: &[&str]) -> Ended {
        self.keybearer_reading(arguments, "")
    }

    /// Runs `keybearer` to its end with something on its standard input.
    pub fn keybearer_reading(&self, arguments: &[&str], input: &str) -> Ended {
        let mut command = self.command(keybearer());
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let _watch = Watch::over(&child);
        // A program that does not read its input may be gone before it is written.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        Ended {
            status: output.status,
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// How many sign-in pages the browser was shown.
    pub fn visits(&self) -> usize {
        std::fs::read_to_string(self.path().join("visits.log")).map_or(0, |text| text.lines().count())
    }

    /// The audit trail's records.
    pub fn audit(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path().join("state/audit/audit.jsonl")).unwrap_or_default();
        text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Fails unless the audit trail has just so many records of an event, or of calls of a method. A record is written a
    /// moment after what it tells of.
    #[track_caller]
    pub fn assert_recorded(&self, what: &str, times: usize) {
        let is_of = |record: &Value| record["event"] == what || record["method"] == what;
        let count = || self.audit().iter().filter(|record| is_of(record)).count();
        let end = Instant::now() + PATIENCE;
        while count() < times && Instant::now() < end {
            std::thread::yield_now();
        }
        assert_eq!(count(), times, "records of `{what}`");
    }

    /// Fails if any of `secrets`, or the canary, was written anywhere in this home.
    #[track_caller]
    pub fn assert_no_secret(&self, secrets: &[String]) {
        let mut all = secrets.to_vec();
        all.push(search::CANARY.to_owned());
        search::assert_nowhere(self.path(), &all);
    }
}

/// A program that ran to its end.
#[derive(Debug)]
pub struct Ended {
    /// How it ended.
    pub status: ExitStatus,
    /// What it printed.
    pub out: String,
    /// What it complained.
    pub err: String,
}

impl Ended {
    /// Its standard output as one JSON value, after it ended well.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert!(self.status.success(), "it ended with {}: {} {}", self.status, self.out, self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.out))
    }

    /// Its exit code.
    pub fn code(&self) -> i32 {
        self.status.code().unwrap_or(-1)
    }
}

/// A running `keybearer serve`.
pub struct Core {
    child: Child,
    /// What it said when it was ready.
    pub ready: Value,
    logged: Arc<Mutex<Vec<u8>>>,
    listening: Option<JoinHandle<()>>,
}

impl Core {
    /// Starts a core in this home and waits until it says that it is ready.
    pub fn start(home: &Home) -> Self {
        Self::start_with(home, &[])
    }

    /// The same with more on the command line.
    pub fn start_with(home: &Home, arguments: &[&str]) -> Self {
        let mut command = home.command(keybearer());
        command
            .args(["serve", "--json"])
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        Self::from(command)
    }

    /// Starts a core in this home and waits for nothing.
    pub fn launch(home: &Home) -> Child {
        let mut command = home.command(keybearer());
        command.args(["serve", "--json"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().unwrap()
    }

    /// Takes a prepared command that runs `serve --json`, perhaps within another program.
    pub fn from(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let logged = Arc::new(Mutex::new(Vec::new()));
        let listening = collect(child.stderr.take().unwrap(), Arc::clone(&logged));
        let watch = Watch::over(&child);
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| {
            let _ = child.wait();
            panic!("the core was not ready: {line} {}", String::from_utf8_lossy(&logged.lock().unwrap()))
        });
        // Nothing more comes on standard output, but a closed pipe would end a program that writes to it.
        let rest = collect(out, Arc::clone(&logged));
        drop((rest, watch));
        Self { child, ready, logged, listening: Some(listening) }
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has logged so far.
    pub fn logged(&self) -> String {
        self.log().read()
    }

    /// Its log, which can be read to the end when it has ended.
    pub fn log(&self) -> Log {
        Log(Arc::clone(&self.logged))
    }

    /// Ends it in good order and returns how it ended.
    pub fn stop(mut self, home: &Home) -> ExitStatus {
        let _watch = Watch::over(&self.child);
        home.keybearer(&["stop", "--anyway"]);
        self.child.wait().unwrap()
    }

    /// Waits until it has ended by itself, and returns how.
    pub fn ended(mut self) -> ExitStatus {
        let _watch = Watch::over(&self.child);
        self.child.wait().unwrap()
    }

    /// Ends it without any warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// What a core logs.
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// All of it so far.
    pub fn read(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }

    /// Waits until this is in it.
    pub fn has(&self, text: &str) {
        self.has_times(text, 1);
    }

    /// Waits until this is in it so many times, or more often.
    pub fn has_times(&self, text: &str, times: usize) {
        let end = Instant::now() + PATIENCE;
        while self.read().matches(text).count() < times {
            assert!(Instant::now() < end, "the core does not log `{text}` {times} times: {}", self.read());
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
        let logged = String::from_utf8_lossy(&self.logged.lock().unwrap()).into_owned();
        if !std::thread::panicking() {
            assert!(!logged.contains(search::CANARY), "the canary stands in the core's log");
        }
    }
}

fn make_executable(file: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
}
