//! `keybearer connect` and `disconnect`: the person's files, the key in its one place, and the clients themselves, which
//! read what was written.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::expect_used, clippy::disallowed_methods, reason = "a story starts the programs that it is about")]

#[path = "connect/files.rs"]
mod files;
#[path = "connect/keys.rs"]
mod keys;
#[path = "connect/programs.rs"]
mod programs;

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use keybearer_stories::core::{Core, Ended, Home, keybearer};
use keybearer_stories::house::ALLOW_ALL;
use keybearer_stories::parts::{Part, Watch};
use keybearer_stories::search;
use serde_json::Value;
use tempfile::TempDir;

/// Somebody with a home folder in which other programs keep their settings, and a Keybearer with one server.
struct Person {
    folder: TempDir,
    home: Home,
    core: Option<Core>,
    _server: Part,
    /// What Keybearer printed, all of it.
    said: Mutex<String>,
}

impl Person {
    fn new() -> Self {
        let server = Part::start("everything.mjs", &[]);
        let config = format!(
            "keystore = \"memory\"\n[servers.everything]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}",
            server.said("url")
        );
        let (folder, mut home) = (tempfile::tempdir().unwrap(), Home::new(&config));
        for (name, place) in [("HOME", ""), ("XDG_CONFIG_HOME", ".config"), ("XDG_STATE_HOME", ".local/state")] {
            home.set(name, folder.path().join(place));
        }
        let core = Core::start(&home);
        Self { folder, home, core: Some(core), _server: server, said: Mutex::default() }
    }

    /// A file of the person's.
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("`{name}`: {error}"))
    }

    fn keybearer(&self, words: &[&str]) -> Ended {
        let ended = self.home.keybearer(words);
        self.said.lock().unwrap().push_str(&format!("{}{}", ended.out, ended.err));
        ended
    }

    /// Connects a client to the server and returns what is told.
    #[track_caller]
    fn connect(&self, client: &str, words: &[&str]) -> Value {
        let all = [&["connect", client, "--server", "everything", "--yes", "--json"], words].concat();
        self.keybearer(&all).json()
    }

    /// What connecting would do.
    #[track_caller]
    fn preview(&self, client: &str, words: &[&str]) -> Value {
        self.keybearer(&[&["connect", client, "--server", "everything", "--dry-run", "--json"], words].concat()).json()
    }

    /// Disconnects a client: what became of its files.
    #[track_caller]
    fn disconnect(&self, client: &str) -> Vec<String> {
        let told = self.keybearer(&["disconnect", client, "--json"]).json();
        told["files"].as_array().unwrap().iter().map(|file| file["how"].as_str().unwrap().to_owned()).collect()
    }

    /// The error of a command that has to fail, and that it left no trace in a file.
    #[track_caller]
    fn refused(&self, words: &[&str], code: &str) -> String {
        let ended = self.keybearer(&[words, &["--json"]].concat());
        let told: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("{ended:?}"));
        assert_eq!(told["error"]["code"], code, "{told}");
        assert!(!ended.status.success());
        told["error"]["message"].as_str().unwrap().to_owned()
    }

    /// Asks the core itself, over its control socket.
    fn ask(&self, request: &Value) -> Value {
        let mut socket = UnixStream::connect(self.home.path().join("run/control.sock")).unwrap();
        writeln!(socket, "{request}").unwrap();
        let mut line = String::new();
        BufReader::new(socket).read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Runs another program in this home to its end and returns what it printed.
    #[track_caller]
    fn run(&self, mut command: Command) -> String {
        command.current_dir(self.folder.path()).stdin(std::process::Stdio::null());
        let child = command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let _watch = Watch::over(&child);
        let output = child.wait_with_output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {printed} {complained}", output.status);
        format!("{printed}{complained}")
    }

    /// Ends the core; the keys stood nowhere but in the clients' files.
    fn end(mut self, keys: &[String]) {
        let core = self.core.take().unwrap();
        let log = core.log();
        assert!(core.stop(&self.home).success());
        self.home.assert_no_secret(keys);
        search::assert_not_in("what was printed", &self.said.lock().unwrap(), keys);
        search::assert_not_in("the log", &log.read(), keys);
    }
}

/// How many tools a connection listed when it was tried.
#[track_caller]
fn tools(told: &Value) -> u64 {
    assert!(told["tried"][0]["error"].is_null(), "{told}");
    told["tried"][0]["tools"].as_u64().unwrap()
}

/// The bridge that entries start.
fn program() -> String {
    keybearer().display().to_string()
}

fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().unwrap().permissions().mode() & 0o777
}
