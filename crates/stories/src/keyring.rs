//! A real keychain: gnome-keyring in a private D-Bus session, with a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::core::Home;

/// A private session bus with an unlocked gnome-keyring on it; both end when it is dropped.
pub struct Keyring {
    folder: TempDir,
    bus: Child,
    keyring: Child,
    address: String,
}

impl Keyring {
    /// Starts bus and keyring, and waits until the keyring answers.
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("kr").tempdir().unwrap();
        for name in ["run", "data/keyrings"] {
            std::fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        restrict(&folder.path().join("run"));
        let mut bus = within(&folder, "dbus-daemon")
            .args(["--session", "--nofork", "--print-address=1"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("`dbus-daemon` did not start: run `cargo xtask setup` first");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        let mut keyring = within(&folder, "gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("`gnome-keyring-daemon` did not start: run `cargo xtask setup` first");
        std::io::Write::write_all(&mut keyring.stdin.take().unwrap(), b"a password of this test alone").unwrap();
        let this = Self { folder, bus, keyring, address };
        this.wait_until_it_answers();
        this
    }

    /// The bus tells when a name has an owner: `gdbus wait` returns at that moment.
    fn wait_until_it_answers(&self) {
        let waited = Command::new("gdbus")
            .args(["wait", "--session", "--timeout", "30", "org.freedesktop.secrets"])
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .status()
            .expect("`gdbus` did not start: run `cargo xtask setup` first");
        assert!(waited.success(), "the keyring did not answer");
    }

    /// Lets a home use this keychain.
    pub fn serve(&self, home: &mut Home) {
        home.set("DBUS_SESSION_BUS_ADDRESS", &self.address);
    }

    /// Where the keyring keeps its files.
    pub fn files(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The process id of the keyring, to stop and continue it.
    pub fn pid(&self) -> u32 {
        self.keyring.id()
    }

    /// The address of the bus.
    pub fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        for child in [&mut self.keyring, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn within(folder: &TempDir, program: &str) -> Command {
    let mut command = Command::new(program);
    for (name, below) in
        [("HOME", ""), ("XDG_RUNTIME_DIR", "run"), ("XDG_DATA_HOME", "data"), ("XDG_CONFIG_HOME", "config")]
    {
        command.env(name, folder.path().join(below));
    }
    command.env_remove("GNOME_KEYRING_CONTROL");
    command
}

fn restrict(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).unwrap();
}
