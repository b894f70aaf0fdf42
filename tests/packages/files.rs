//! What lies in the packages, and what the systems' own programs say of it.

use std::process::Command;

use super::{PACKAGES, Packages, one, run, well};

#[test]
fn debians_own_look_for_mistakes_finds_none() {
    let told = run(Command::new("lintian").args(["--fail-on", "error", "--allow-root"]).arg(&PACKAGES.deb));
    assert!(told.status.success(), "{told:?}");
}

#[test]
fn a_second_run_packs_the_same_contents() {
    let place = tempfile::tempdir().unwrap();
    let again = Packages::make(place.path());
    let contents = |package| {
        let place = tempfile::tempdir().unwrap();
        well(Command::new("ar").arg("x").arg(package).current_dir(place.path()));
        // The signature is by a key of its own run; everything else is the package.
        let members = ["debian-binary", "control.tar.gz", "data.tar.gz"];
        members.map(|name| std::fs::read(place.path().join(name)).unwrap())
    };
    assert!(contents(&PACKAGES.deb) == contents(&one(again.deb.parent().unwrap(), "deb")));
    let header = |package| {
        well(Command::new("rpm").args(["--query", "--queryformat", "%{SHA256HEADER}", "--package"]).arg(package))
    };
    assert_eq!(header(&PACKAGES.rpm), header(&again.rpm));
}

#[test]
fn an_rpm_is_installed_verified_and_removed_and_nothing_is_left() {
    let root = tempfile::tempdir().unwrap();
    let rpm = || {
        // Files belong to root: to whom that is outside does not matter here.
        let mut rpm = Command::new("unshare");
        rpm.args(["--map-root-user", "rpm", "--root"]).arg(root.path());
        rpm
    };
    // What it needs lies on the machine, and not in this folder; nor does a shell for what it says on leaving.
    well(rpm().args(["--install", "--nodeps", "--noscripts", "--nosignature"]).arg(&PACKAGES.rpm));
    for place in ["usr/bin/keybearer", "usr/bin/keybearer-desktop", "usr/share/man/man1/keybearer-remove-my-data.1.gz"]
    {
        assert!(root.path().join(place).is_file(), "{place}");
    }
    well(rpm().args(["--verify", "--nodeps", "--noscripts", "keybearer"]));
    well(rpm().args(["--erase", "--noscripts", "keybearer"]));
    for folder in ["usr", "etc"] {
        let left = well(Command::new("find").arg(root.path().join(folder)).args(["-not", "-type", "d"]));
        assert_eq!(left, "", "left in /{folder}");
    }
}
