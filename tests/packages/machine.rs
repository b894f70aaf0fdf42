//! A machine of its own for packages: this one, seen through layers that take what is written, and forgotten at the end.
//!
//! Packages are installed there as they would be here, by the system's own program, with a person's session that runs
//! a service manager or does not.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};

use keybearer_stories::core::Ended;
use keybearer_stories::live::LiveClient;
use keybearer_stories::parts;
use serde_json::Value;
use tempfile::TempDir;

use super::{run, well};

/// Sets the layers up, starts the session's service manager if there is to be one, and lives until its input ends.
/// `$1`: where the layers are. `$2`: `systemd` or `none`. `$3`: a package that is there from the beginning.
const MACHINE: &str = r#"
mount -t tmpfs none "$1"
for folder in usr etc var; do
  mkdir -p "$1/$folder" "$1/work/$folder"
  mount -t overlay -o "lowerdir=/$folder,upperdir=$1/$folder,workdir=$1/work/$folder,userxattr" overlay "/$folder"
done
mount -t tmpfs none /run
mkdir -p /run/systemd/system "$XDG_RUNTIME_DIR"
chmod 700 "$XDG_RUNTIME_DIR"
unset KEYBEARER_HOME DBUS_SESSION_BUS_ADDRESS NOTIFY_SOCKET LISTEN_PID LISTEN_FDS
dpkg --no-triggers --force-depends --force-unsafe-io --install "$3" >&2
if test "$2" = systemd; then
  systemd=/usr/lib/systemd/systemd
  test -x $systemd || systemd=/lib/systemd/systemd
  $systemd --user --unit=sockets.target >"$HOME/manager.log" 2>&1 &
  until systemctl --user is-active --quiet sockets.target; do
    kill -0 $! || exit 70
    sleep 0.05
  done
fi
echo ready
read -r _
systemctl --user exit >/dev/null 2>&1 || true
"#;

/// Who starts the core there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Starts {
    Systemd,
    WhoeverNeedsIt,
}

pub(super) struct Machine {
    /// The person's home, and beside it what was written to the machine.
    place: TempDir,
    child: Child,
    input: Option<ChildStdin>,
    /// The first process of it.
    first: String,
    /// Service managers share the control groups of their machine: one at a time.
    _turn: File,
}

impl Machine {
    pub(super) fn with(package: &Path, starts: Starts, config: &str) -> Self {
        let turn = File::create(std::env::temp_dir().join("keybearer-stories-session.lock")).unwrap();
        turn.lock().unwrap();
        let place = tempfile::Builder::new().prefix("kb").tempdir().unwrap();
        let home = place.path().join("home");
        for folder in ["home/.config/keybearer", "home/.config/systemd/user/keybearer.service.d", "layers"] {
            fs::create_dir_all(place.path().join(folder)).unwrap();
        }
        fs::write(home.join(".config/keybearer/config.toml"), config).unwrap();
        // What the core says of itself, where a story can read it.
        let log = format!("[Service]\nStandardError=append:{}\n", home.join("core.log").display());
        fs::write(home.join(".config/systemd/user/keybearer.service.d/log.conf"), log).unwrap();
        let mut command = Command::new("unshare");
        command.args(["--mount", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]);
        command.args(["sh", "-eu", "-c", MACHINE, "machine"]).arg(place.path().join("layers"));
        command.arg(if starts == Starts::Systemd { "systemd" } else { "none" }).arg(package);
        in_session(&mut command, &home);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "{}", fs::read_to_string(home.join("manager.log")).unwrap_or_default());
        let children = format!("/proc/{0}/task/{0}/children", child.id());
        let first = fs::read_to_string(children).unwrap().trim().to_owned();
        Self { input: child.stdin.take(), place, child, first, _turn: turn }
    }

    pub(super) fn home(&self) -> PathBuf {
        self.place.path().join("home")
    }

    /// A program in it, as that person.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--target", &self.first, "--user", "--mount", "--pid", "--preserve-credentials", "--", program]);
        in_session(&mut command, &self.home());
        command
    }

    pub(super) fn keybearer(&self, arguments: &[&str]) -> Ended {
        run(self.command("/usr/bin/keybearer").args(arguments))
    }

    pub(super) fn dpkg(&self, arguments: &[&str]) {
        well(self.command("dpkg").args(["--no-triggers", "--force-depends", "--force-unsafe-io"]).args(arguments));
    }

    /// An official client, which starts what an app would.
    pub(super) fn client(&self, server: &str) -> LiveClient {
        let mut command = self.command(parts::node().to_str().unwrap());
        command.arg(parts::script("client_live.mjs")).args(["client", "--", "/usr/bin/keybearer", "stdio", server]);
        LiveClient::of(command)
    }

    /// The core's state, as soon as it is as wished.
    pub(super) fn status_when(&self, wished: impl Fn(&Value) -> bool) -> Value {
        for _ in 0..3000 {
            let ended = self.keybearer(&["status", "--json"]);
            if ended.status.success() && wished(&ended.json()) {
                return ended.json();
            }
        }
        panic!("the core is not as wished: {:?}", self.keybearer(&["status"]));
    }

    /// Every file that was written to the machine and is there still, but for the installer's own records.
    pub(super) fn written(&self) -> Vec<String> {
        let layers = self.place.path().join("layers");
        let mut find = self.command("find");
        find.args(["usr", "etc", "var"].map(|folder| layers.join(folder))).args(["-not", "-type", "d", "-not"]);
        // What is marked as gone from the layer below was there before.
        let found = well(find.args(["-type", "c"]));
        let ours = found.lines().filter_map(|line| line.strip_prefix(layers.to_str().unwrap()));
        ours.filter(|path| !["/var/lib/dpkg/", "/var/log/"].iter().any(|records| path.starts_with(records)))
            .map(str::to_owned)
            .collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut input) = self.input.take() {
            let _ = input.write_all(b"\n");
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With as little around it as a session has.
fn in_session(command: &mut Command, home: &Path) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("HOME", home).env("PATH", path).env("KEYBEARER_LOG", "info");
    // Inside, this person is root.
    command.env("XDG_RUNTIME_DIR", "/run/user/0");
}
