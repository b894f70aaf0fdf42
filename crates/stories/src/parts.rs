//! Real components: an identity provider, token-checked MCP servers, official clients.

use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

use crate::core::Ended;
use crate::http;

/// How long a program may take to be ready, or to do its work and end.
const LONGEST: Duration = Duration::from_secs(180);

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The folder of Node and of the programs that came with it.
fn node_bin() -> PathBuf {
    let modules = root().join("target/parts/node/node_modules");
    let found = std::fs::read_dir(&modules).ok().into_iter().flatten().flatten().map(|entry| entry.path().join("bin"));
    let mut found: Vec<PathBuf> = found.filter(|bin| bin.join("node").is_file()).collect();
    found.pop().unwrap_or_else(|| panic!("no Node in `{}`: run `cargo xtask setup` first", modules.display()))
}

/// The Node that the setup brought.
pub fn node() -> PathBuf {
    node_bin().join("node")
}

/// A `PATH` on which that Node comes first.
pub fn path_with_node() -> OsString {
    let mut path = node_bin().into_os_string();
    path.push(":");
    path.push(std::env::var_os("PATH").unwrap_or_default());
    path
}

/// The Python of the setup's virtual environment.
pub fn python() -> PathBuf {
    let python = root().join("target/parts/python/bin/python");
    assert!(python.is_file(), "no Python in `{}`: run `cargo xtask setup` first", python.display());
    python
}

/// A script of `tests/parts`.
pub fn script(name: &str) -> PathBuf {
    root().join("tests/parts").join(name)
}

/// A component that runs until it is dropped.
pub struct Part {
    child: Child,
    /// What it said when it was ready.
    pub ready: Value,
    printed: Arc<Mutex<Vec<u8>>>,
    listening: Option<JoinHandle<()>>,
}

impl Part {
    /// Starts a script of `tests/parts` and waits until it says that it is ready.
    pub fn start(name: &str, settings: &[(&str, &str)]) -> Self {
        let interpreter = if name.ends_with(".py") { python() } else { node() };
        let mut child = Command::new(interpreter)
            .arg(script(name))
            .envs(settings.iter().copied())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("`{name}` did not start: {error}"));
        let printed = Arc::new(Mutex::new(Vec::new()));
        let listening = collect(child.stderr.take().unwrap(), Arc::clone(&printed));
        let watch = Watch::over(&child);
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready = serde_json::from_str(&line).unwrap_or_else(|_| {
            let _ = child.wait();
            panic!("`{name}` was not ready: {line} {}", String::from_utf8_lossy(&printed.lock().unwrap()))
        });
        drop(watch);
        Self { child, ready, printed, listening: Some(listening) }
    }

    /// An issuer on `oidc-provider`; see `issuer.mjs` for its settings.
    pub fn issuer(settings: &[(&str, &str)]) -> Self {
        Self::start("issuer.mjs", settings)
    }

    /// A text that it said when it was ready.
    pub fn said(&self, name: &str) -> &str {
        self.ready[name].as_str().unwrap_or_else(|| panic!("it did not say `{name}`: {}", self.ready))
    }

    /// `id:secret` of a client that an issuer has set up.
    pub fn credentials(&self, client: &str) -> String {
        let client = &self.ready[client];
        format!("{}:{}", client["client_id"].as_str().unwrap(), client["client_secret"].as_str().unwrap())
    }

    /// Asks it something beside its protocol, such as `/__seen`.
    pub fn ask(&self, path: &str) -> Value {
        let port = self.ready["port"].as_u64().unwrap();
        let answer = http::get(&format!("http://127.0.0.1:{port}{path}"), &[]);
        serde_json::from_slice(&answer.body).unwrap()
    }

    /// What it printed to standard error so far.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.printed.lock().unwrap()).into_owned()
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // It ends when its standard input closes; one that does not is ended.
        drop(self.child.stdin.take());
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(listening) = self.listening.take() {
            let _ = listening.join();
        }
    }
}

/// Ends a program that takes longer than anything here may take, so that a story fails and does not hang.
pub struct Watch {
    /// Its end tells the watching thread that all is well.
    _done: mpsc::Sender<()>,
}

impl Watch {
    /// Watches a program until this is dropped.
    pub fn over(child: &Child) -> Self {
        let (done, told) = mpsc::channel::<()>();
        let pid = child.id().to_string();
        std::thread::spawn(move || {
            if told.recv_timeout(LONGEST) == Err(RecvTimeoutError::Timeout) {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
        });
        Self { _done: done }
    }
}

/// Reads a stream to its end on a thread of its own, so that nobody blocks on a full pipe.
pub fn collect(mut stream: impl std::io::Read + Send + 'static, into: Arc<Mutex<Vec<u8>>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut piece = [0; 4096];
        while let Ok(read) = stream.read(&mut piece) {
            if read == 0 {
                return;
            }
            into.lock().unwrap().extend_from_slice(&piece[..read]);
        }
    })
}

/// Runs a program to its end.
pub fn end_of(mut command: Command) -> Ended {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _watch = Watch::over(&child);
    let complaints = Arc::new(Mutex::new(Vec::new()));
    let listening = collect(child.stderr.take().unwrap(), Arc::clone(&complaints));
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    let status = child.wait().unwrap();
    listening.join().unwrap();
    let err = String::from_utf8_lossy(&complaints.lock().unwrap()).into_owned();
    Ended { status, out, err }
}

/// Runs an official client to its end and returns what it reported (see `client.mjs`).
pub fn report_of(command: Command) -> Value {
    let Ended { out, err, .. } = end_of(command);
    let line = out.lines().last().unwrap_or_default();
    serde_json::from_str(line).unwrap_or_else(|_| panic!("the client reported nothing: {out} {err}"))
}
