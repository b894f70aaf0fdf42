use expect_test::{Expect, expect};

use super::*;

/// A path with everything in it that some format reads in its own way.
const ODD: &str = "/opt/a b/100%h \"quoted\" $HOME\\n & <keybearer>";

#[track_caller]
fn check(supervisor: &Supervisor, executable: &str, golden: &Expect) {
    let folders = Folders::at(Path::new("/home/ada lovelace/50%"));
    let units = supervisor.texts(Path::new(executable), &folders);
    let shown = |unit: &Unit| format!("== {}\n{}", unit.path.display(), unit.text);
    golden.assert_eq(&units.iter().map(shown).collect::<String>());
    assert_eq!(units.into_iter().map(|unit| unit.path).collect::<Vec<_>>(), supervisor.files());
}

#[test]
fn systemd_is_told_of_three_sockets_and_one_service() {
    check(
        &Supervisor::Systemd { units: "/u".into() },
        ODD,
        &expect![[r#"
        == /u/keybearer-bridge.socket
        # Written by `keybearer service install`.
        [Unit]
        Description=Keybearer: the bridge socket
        ConditionPathExists=!/home/ada lovelace/50%%/state/turned-off

        [Socket]
        ListenStream=%t/keybearer/bridge.sock
        FileDescriptorName=bridge
        SocketMode=0600
        DirectoryMode=0700
        Service=keybearer.service

        [Install]
        WantedBy=sockets.target
        == /u/keybearer-control.socket
        # Written by `keybearer service install`.
        [Unit]
        Description=Keybearer: the control socket
        ConditionPathExists=!/home/ada lovelace/50%%/state/turned-off

        [Socket]
        ListenStream=%t/keybearer/control.sock
        FileDescriptorName=control
        SocketMode=0600
        DirectoryMode=0700
        Service=keybearer.service

        [Install]
        WantedBy=sockets.target
        == /u/keybearer-http.socket
        # Written by `keybearer service install`.
        [Unit]
        Description=Keybearer: the http socket
        ConditionPathExists=!/home/ada lovelace/50%%/state/turned-off

        [Socket]
        ListenStream=%t/keybearer/http.sock
        FileDescriptorName=http
        SocketMode=0600
        DirectoryMode=0700
        Service=keybearer.service

        [Install]
        WantedBy=sockets.target
        == /u/keybearer.service
        # Written by `keybearer service install`.
        [Unit]
        Description=Keybearer: carries the company sign-in for AI clients
        # Turned off by the person.
        ConditionPathExists=!/home/ada lovelace/50%%/state/turned-off

        [Service]
        Type=notify
        ExecStart="/opt/a b/100%%h \"quoted\" $HOME\\n & <keybearer>" serve
        Sockets=keybearer-bridge.socket keybearer-control.socket keybearer-http.socket
        TimeoutStartSec=30
        Restart=on-failure
        RestartSec=1
        # Turned off, broken settings, another core: trying again helps nobody.
        RestartPreventExitStatus=3 6 8
        # The browser that a sign-in opened stays.
        KillMode=process
    "#]],
    );
}

#[test]
fn launchd_is_told_of_an_agent() {
    check(
        &Supervisor::Launchd { agents: "/a".into(), domain: "gui/501".to_owned() },
        ODD,
        &expect![[r#"
        == /a/com.keybearer.core.plist
        <?xml version="1.0" encoding="UTF-8"?>
        <!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
        <plist version="1.0">
        <dict>
          <key>Label</key>
          <string>com.keybearer.core</string>
          <key>ProgramArguments</key>
          <array>
            <string>/opt/a b/100%h &quot;quoted&quot; $HOME\n &amp; &lt;keybearer&gt;</string>
            <string>serve</string>
          </array>
          <key>RunAtLoad</key>
          <true/>
          <key>KeepAlive</key>
          <dict>
            <key>SuccessfulExit</key>
            <false/>
          </dict>
          <key>StandardErrorPath</key>
          <string>/home/ada lovelace/50%/state/core.log</string>
        </dict>
        </plist>
    "#]],
    );
}

#[test]
fn the_task_scheduler_is_told_of_a_task() {
    let scheduler = Supervisor::TaskScheduler { folder: "/t".into(), account: "CORP\\r&d".to_owned() };
    check(
        &scheduler,
        ODD,
        &expect![[r#"
        == /t/keybearer-task.xml
        <Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
          <RegistrationInfo>
            <Description>Keybearer: carries the company sign-in for AI clients</Description>
          </RegistrationInfo>
          <Triggers>
            <LogonTrigger>
              <UserId>CORP\r&amp;d</UserId>
            </LogonTrigger>
          </Triggers>
          <Principals>
            <Principal id="Author">
              <UserId>CORP\r&amp;d</UserId>
              <LogonType>InteractiveToken</LogonType>
              <RunLevel>LeastPrivilege</RunLevel>
            </Principal>
          </Principals>
          <Settings>
            <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
            <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
            <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
            <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
          </Settings>
          <Actions Context="Author">
            <Exec>
              <Command>/opt/a b/100%h &quot;quoted&quot; $HOME\n &amp; &lt;keybearer&gt;</Command>
              <Arguments>start</Arguments>
            </Exec>
          </Actions>
        </Task>
    "#]],
    );
}

#[test]
fn nobody_is_told_nothing() {
    let folders = Folders::at(Path::new("/home/ada"));
    assert_eq!(Supervisor::None.texts(Path::new(ODD), &folders), []);
    assert_eq!(Supervisor::of_this_system(&folders), Supervisor::None, "the folders are moved");
    assert!(!Supervisor::None.installed());
}

#[test]
fn what_cannot_be_named_is_known() {
    let systemd = Supervisor::Systemd { units: "/u".into() };
    let launchd = Supervisor::Launchd { agents: "/a".into(), domain: "gui/501".to_owned() };
    assert!(systemd.can_name(Path::new("/opt/a b/100%h $HOME & <keybearer>")));
    assert!(!systemd.can_name(Path::new(ODD)));
    assert!(launchd.can_name(Path::new(ODD)));
    assert!(!launchd.can_name(Path::new("/opt/a\nb")));
}

#[test]
fn a_task_is_written_as_windows_writes_it() {
    assert_eq!(utf16("<é"), [0xFF, 0xFE, b'<', 0, 0xE9, 0]);
}

/// It refuses a unit whose program is not there: what it reads is the path that was meant.
#[cfg(target_os = "linux")]
#[test]
fn systemd_reads_the_units_as_they_are_meant() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().unwrap();
    let program = home.path().join("a b 100%h $HOME ${HOME} & <keybearer>");
    std::fs::write(&program, "#!/bin/sh\n").unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o700)).unwrap();
    let folders = Folders::at(home.path());
    let supervisor = Supervisor::Systemd { units: home.path().join("units") };
    let verify = |executable: &Path| {
        for unit in supervisor.texts(executable, &folders) {
            supervisor.write(&unit).unwrap();
        }
        let mut command = std::process::Command::new("systemd-analyze");
        command.args(["verify", "--user", "--man=no"]).args(supervisor.files()).env("HOME", home.path());
        command.env("XDG_RUNTIME_DIR", home.path()).env_remove("XDG_CONFIG_HOME");
        let output = command.output().unwrap();
        (output.status.success(), String::from_utf8(output.stderr).unwrap())
    };
    let (sound, told) = verify(&program);
    assert!(sound && !told.contains("keybearer"), "{told}");
    let (sound, told) = verify(&home.path().join("missing"));
    assert!(!sound && told.contains("not executable"), "{told}");
}
