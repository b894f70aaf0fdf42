//! A real keychain: gnome-keyring in a private D-Bus session, with a folder of its own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::core::Home;
use crate::parts::Watch;

const PASSWORD: &[u8] = b"a password of this test alone";

/// The bus starts nothing but what it is told to: no other keyring, and nobody who would ask a person for a password.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <servicedir>@services@</servicedir>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;

/// How a session's bus is told to start the keyring when somebody needs it and it is not there.
const SERVICE: &str = "[D-BUS Service]\nName=org.freedesktop.secrets\nExec=/bin/sh @revive@\n";

/// What it starts then: the same keyring, unlocked, and a line for each time.
const REVIVE: &str = r#"echo $$ >> "$HOME/revived"
exec gnome-keyring-daemon --foreground --components=secrets --unlock < "$HOME/password"
"#;

/// A private session bus with a gnome-keyring on it; both end when it is dropped.
pub struct Keyring {
    folder: TempDir,
    bus: Child,
    keyring: Child,
    address: String,
}

impl Keyring {
    /// Starts bus and keyring, unlocked, and waits until the keyring answers.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("kr").tempdir().unwrap();
        for name in ["run", "data/keyrings", "services"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        restrict(&folder.path().join("run"));
        let (bus, address) = start_bus(&folder);
        let keyring = start_keyring(&folder, &address, &["--unlock"]);
        Self { folder, bus, keyring, address }
    }

    /// The same in a session whose bus starts the keyring again when it has ended, as a desktop's does.
    pub fn start_revived() -> Self {
        let keyring = Self::start();
        let below = |name: &str| keyring.folder.path().join(name);
        std::fs::write(below("password"), PASSWORD).unwrap();
        std::fs::write(below("revive"), REVIVE).unwrap();
        let service = SERVICE.replace("@revive@", &below("revive").display().to_string());
        std::fs::write(below("services/org.freedesktop.secrets.service"), service).unwrap();
        let to_bus = "org.freedesktop.DBus";
        let mut reload = keyring.command("dbus-send");
        reload.args([
            "--session",
            "--print-reply",
            &format!("--dest={to_bus}"),
            "/",
            &format!("{to_bus}.ReloadConfig"),
        ]);
        let told = reload.output().unwrap_or_else(missing("dbus-send"));
        assert!(told.status.success(), "the bus does not read its settings again: {told:?}");
        keyring
    }

    /// How often the bus has had to start it again so far.
    pub fn revivals(&self) -> usize {
        self.revived().len()
    }

    /// The processes that the bus has started, the last one last.
    fn revived(&self) -> Vec<String> {
        let started = std::fs::read_to_string(self.folder.path().join("revived")).unwrap_or_default();
        started.lines().map(str::to_owned).collect()
    }

    /// Ends the keyring in the middle of whatever it does.
    pub fn end(&mut self) {
        end(&mut self.keyring);
        self.end_revived();
    }

    /// One that the bus has started is the bus's child: it is known by its number alone, and asked for its name before.
    fn end_revived(&self) {
        let Some(process) = self.revived().pop() else { return };
        let name = std::fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
        if name.starts_with("gnome-keyring") {
            let _ = Command::new("kill").args(["-KILL", &process]).status();
        }
    }

    /// A program in this session.
    fn command(&self, program: &str) -> Command {
        let mut command = within(&self.folder, program);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }

    /// Lets a home use this keychain.
    pub fn serve(&self, home: &mut Home) {
        home.set("DBUS_SESSION_BUS_ADDRESS", &self.address);
    }

    /// Where the keyring keeps its files.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The secrets that the keyring holds for Keybearer, as another program of the session is told them.
    pub fn secrets(&self) -> Vec<String> {
        let mut search = self.command("secret-tool");
        search.args(["search", "--all", "service", "com.keybearer.grant.v1"]);
        let found = search.output().unwrap_or_else(missing("secret-tool"));
        let text = String::from_utf8(found.stdout).unwrap();
        text.lines().filter_map(|line| line.strip_prefix("secret = ")).map(str::to_owned).collect()
    }

    /// Stops the keyring in the middle of whatever it does: it keeps its name on the bus and answers nothing.
    pub fn hang(&self) {
        self.signal("-STOP");
    }

    /// Lets a keyring that hangs go on.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    /// Restarts the keyring as after a login without a password: all that it holds is locked.
    pub fn lock(&mut self) {
        self.restart(&[]);
    }

    /// Restarts the keyring with its password.
    pub fn unlock(&mut self) {
        self.restart(&["--unlock"]);
    }

    fn restart(&mut self, options: &[&str]) {
        end(&mut self.keyring);
        self.keyring = start_keyring(&self.folder, &self.address, options);
    }

    fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.keyring.id().to_string()]).status().unwrap();
        assert!(sent.success(), "the keyring has ended");
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        // The bus first: it starts nothing any more.
        end(&mut self.bus);
        end(&mut self.keyring);
        self.end_revived();
    }
}

fn start_bus(folder: &TempDir) -> (Child, String) {
    let settings = folder.path().join("bus.conf");
    let services = folder.path().join("services").display().to_string();
    std::fs::write(&settings, BUS.replace("@services@", &services)).unwrap();
    let mut command = within(folder, "dbus-daemon");
    command
        .arg("--config-file")
        .arg(settings)
        .args(["--nofork", "--print-address=1"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut bus = command.spawn().unwrap_or_else(missing("dbus-daemon"));
    let mut address = String::new();
    BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
    (bus, address.trim().to_owned())
}

fn start_keyring(folder: &TempDir, address: &str, options: &[&str]) -> Child {
    let mut command = within(folder, "gnome-keyring-daemon");
    command.args(["--foreground", "--components=secrets"]).args(options).env("DBUS_SESSION_BUS_ADDRESS", address);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut keyring = command.spawn().unwrap_or_else(missing("gnome-keyring-daemon"));
    // One that is not told to unlock does not read it.
    let _ = keyring.stdin.take().unwrap().write_all(PASSWORD);
    // It closes its output when it is ready.
    let _watch = Watch::over(&keyring);
    keyring.stdout.take().unwrap().read_to_end(&mut Vec::new()).unwrap();
    keyring
}

fn end(child: &mut Child) {
    let _ = child.kill();
    let _ = child.wait();
}

fn missing<T>(program: &str) -> impl FnOnce(std::io::Error) -> T + use<'_, T> {
    move |error| panic!("`{program}` did not start ({error}): run `cargo xtask setup` first")
}

fn within(folder: &TempDir, program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, below) in
        [("HOME", ""), ("XDG_RUNTIME_DIR", "run"), ("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config")]
    {
        command.env(name, folder.path().join(below));
    }
    command.env_remove("GNOME_KEYRING_CONTROL").env_remove("DISPLAY");
    command
}

fn restrict(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}
