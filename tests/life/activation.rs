//! A service manager listens, and starts the core for whoever comes first.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;

use keybearer_stories::core::Home;
use keybearer_stories::core::{Core, keybearer};
use keybearer_stories::house::ALLOW_ALL;
use keybearer_testkit::upstream::FakeUpstream;

#[tokio::test(flavor = "multi_thread")]
async fn the_first_client_starts_the_core_that_was_listened_for() {
    let upstream = FakeUpstream::open().await.unwrap();
    let home = Home::new(&format!(
        "keystore = \"memory\"\n[servers.crm]\nurl = \"{}\"\nauth = \"none\"\n{ALLOW_ALL}",
        upstream.url()
    ));
    for folder in ["run", "state"] {
        let folder = home.path().join(folder);
        std::fs::create_dir(&folder).unwrap();
        std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    let socket = |name: &str| home.path().join("run").join(name);
    let mut command = home.command("systemd-socket-activate");
    for name in ["bridge.sock", "control.sock", "http.sock"] {
        command.arg("-l").arg(socket(name));
    }
    // The settings of this home are handed on by name, as a unit would.
    for name in ["KEYBEARER_HOME", "PATH", "BROWSER", "BROWSER_LOG", "DBUS_SESSION_BUS_ADDRESS"] {
        command.args(["-E", name]);
    }
    command.arg("--fdname=bridge:control:http").arg(keybearer()).args(["serve", "--json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (called, core) = std::thread::scope(|scope| {
        // It says that it is ready when somebody has come, so the first one must not wait for that.
        let core = scope.spawn(|| Core::from(command));
        while !socket("http.sock").exists() {
            std::thread::yield_now();
        }
        let called = home.keybearer(&["call", "crm", "get_account"]);
        (called, core.join().unwrap())
    });
    assert!(called.status.success(), "{called:?}");
    assert_eq!(home.keybearer(&["status", "--json"]).json()["pid"], core.pid());
    assert!(core.stop(&home).success());
    // They belong to the service manager: the core has not removed them.
    for name in ["bridge.sock", "control.sock", "http.sock"] {
        assert!(socket(name).exists(), "{name}");
    }
}
