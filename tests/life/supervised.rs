//! A real service manager of a session is told to start the core, and does; and where there is none, says so.

use std::fs::File;
use std::path::Path;
use std::process::Command;

use keybearer_stories::core::{Ended, Home, keybearer};
use keybearer_stories::house::ALLOW_ALL;
use keybearer_stories::parts::end_of;
use keybearer_testkit::upstream::FakeUpstream;
use serde_json::Value;

/// Runs a script in a session of its own: folders of its own, and a `/run` where systemd may believe that it has booted
/// the machine. The manager ends with the script, and the namespace with both.
const SESSION: &str = r#"
mount -t tmpfs none /run
mkdir -p /run/systemd/system /run/session
chmod 700 /run/session
export XDG_RUNTIME_DIR=/run/session DBUS_SESSION_BUS_ADDRESS=
unset KEYBEARER_HOME DBUS_SESSION_BUS_ADDRESS NOTIFY_SOCKET LISTEN_PID LISTEN_FDS
systemd=/usr/lib/systemd/systemd
test -x $systemd || systemd=/lib/systemd/systemd
$systemd --user --unit=sockets.target >"$HOME/manager.log" 2>&1 &
manager=$!
until systemctl --user is-active --quiet sockets.target; do
  kill -0 $manager 2>/dev/null || {
    echo "systemd --user does not run here: it needs control groups of its own (root, or a delegated scope)" >&2
    exit 70
  }
  sleep 0.05
done
sh -eu -c "$1"
result=$?
"$KEYBEARER" stop >/dev/null 2>&1
kill -TERM $manager
wait $manager
exit $result
"#;

/// Runs that script in this home. Managers share the control groups of their machine: one at a time.
fn session(home: &Home, script: &str) -> Ended {
    let turn = File::create(std::env::temp_dir().join("keybearer-stories-session.lock")).unwrap();
    turn.lock().unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child", "--"]);
    command.args(["sh", "-c", SESSION, "session", script]);
    in_home(&mut command, home.path());
    end_of(command)
}

/// A home as the operating system lays it out.
fn in_home(command: &mut Command, home: &Path) {
    command.env("HOME", home).env("KEYBEARER", keybearer()).env_remove("KEYBEARER_HOME");
    for (name, folder) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state"), ("XDG_DATA_HOME", "data")] {
        command.env(name, home.join(folder));
    }
}

fn settled(config: &str) -> Home {
    let home = Home::new("");
    let folder = home.path().join("config/keybearer");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config.toml"), format!("keystore = \"memory\"\n{config}")).unwrap();
    home
}

/// Every line that the script printed as JSON.
#[track_caller]
fn told(ended: &Ended) -> Vec<Value> {
    assert!(ended.status.success(), "{ended:?}");
    ended.out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_listens_and_starts_the_core_for_the_first_client() {
    let upstream = FakeUpstream::open().await.unwrap();
    let home = settled(&format!("[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}", upstream.url()));
    let ended = session(
        &home,
        r#"
        "$KEYBEARER" --json service status
        "$KEYBEARER" --json service install
        "$KEYBEARER" --json service status
        "$KEYBEARER" call crm get_account >&2
        "$KEYBEARER" --json service status
        "$KEYBEARER" --json status
        printf '{"pid":%s}\n' "$(systemctl --user show --property=MainPID --value keybearer.service)"
        "$KEYBEARER" --json service uninstall
        "$KEYBEARER" --json service status
        "#,
    );
    let told = told(&ended);
    let [before, install, waiting, running, status, main, uninstall, after] = &told[..] else { panic!("{ended:?}") };
    assert_eq!((&before["supervisor"], &before["state"]), (&"systemd".into(), &"not_installed".into()));
    assert_eq!(install["files"].as_array().map(Vec::len), Some(4), "{install}");
    assert_eq!((&waiting["state"], &running["state"]), (&"waiting".into(), &"running".into()));
    assert_eq!(status["pid"], main["pid"], "the core is the one that systemd started");
    assert_eq!(uninstall["files"], install["files"]);
    assert_eq!(after["state"], "not_installed");
    assert!(upstream.requests().iter().any(|request| request.mentions("get_account")));
}

#[tokio::test(flavor = "multi_thread")]
async fn turned_off_it_stays_off_until_it_is_turned_on() {
    let home = settled("");
    let ended = session(
        &home,
        r#"
        "$KEYBEARER" --json service install >/dev/null
        "$KEYBEARER" --json status >/dev/null
        "$KEYBEARER" --json stop >/dev/null
        "$KEYBEARER" --json service status
        "$KEYBEARER" --json status >/dev/null && exit 71
        "$KEYBEARER" --json service status
        "$KEYBEARER" --json start >/dev/null
        "$KEYBEARER" --json service status
        "#,
    );
    let states: Vec<Value> = told(&ended).into_iter().map(|mut told| told["state"].take()).collect();
    assert_eq!(states, ["resting", "resting", "running"], "{ended:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_runs_gives_its_place_to_the_one_of_systemd() {
    let home = settled("");
    let ended = session(
        &home,
        r#"
        "$KEYBEARER" --json start >/dev/null
        "$KEYBEARER" --json service install >/dev/null
        "$KEYBEARER" --json service status
        "$KEYBEARER" --json status >/dev/null
        "$KEYBEARER" --json service status
        systemctl --user stop keybearer.service
        rm "$XDG_RUNTIME_DIR"/keybearer/*.sock
        "$KEYBEARER" --json servers list >/dev/null
        "$KEYBEARER" --json service status
        "#,
    );
    let states: Vec<Value> = told(&ended).into_iter().map(|mut told| told["state"].take()).collect();
    assert_eq!(states, ["waiting", "running", "running"], "{ended:?}");
}

#[test]
fn where_no_service_manager_runs_nothing_is_written() {
    let home = settled("");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(keybearer());
        in_home(&mut command, home.path());
        // There is a folder for sockets, and nobody in it.
        command.env("XDG_RUNTIME_DIR", home.path().join("data")).args(arguments);
        end_of(command)
    };
    for command in ["install", "uninstall"] {
        let refused = run(&["service", command]);
        assert_eq!(refused.code(), 1, "{refused:?}");
        assert!(refused.err.contains("no service manager runs in this session"), "{refused:?}");
        assert!(refused.err.contains("hint"), "{refused:?}");
    }
    assert!(!home.path().join("config/systemd").exists());
    assert_eq!(run(&["service", "status", "--json"]).json()["state"], "not_installed");
    // Moved folders are no session's own.
    assert_eq!(home.keybearer(&["service", "install"]).code(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_core_that_dies_is_started_again() {
    let home = settled("");
    let ended = session(
        &home,
        r#"
        "$KEYBEARER" --json service install >/dev/null
        "$KEYBEARER" --json status
        kill -KILL "$(systemctl --user show --property=MainPID --value keybearer.service)"
        "$KEYBEARER" --json status || "$KEYBEARER" --json status
        "$KEYBEARER" --json service status
        "#,
    );
    let told = told(&ended);
    let (first, last) = (&told[0], &told[told.len() - 2]);
    assert!(last["pid"].is_u64() && first["pid"] != last["pid"], "{ended:?}");
    assert_eq!(told[told.len() - 1]["state"], "running", "{ended:?}");
}
