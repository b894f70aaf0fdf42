//! Who has a package knows whose it is, and that it is whole.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use super::{PACKAGES, run, well};

/// A copy with one byte changed in the middle.
fn tampered(package: &Path, into: &TempDir) -> PathBuf {
    let mut bytes = fs::read(package).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let copy = into.path().join(package.file_name().unwrap());
    fs::write(&copy, bytes).unwrap();
    copy
}

fn gpg(home: &TempDir) -> Command {
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let mut gpg = Command::new("gpg");
    gpg.args(["--batch", "--quiet", "--no-autostart", "--homedir"]).arg(home.path());
    gpg
}

/// The key's long number, as policies name it.
fn number(home: &TempDir) -> String {
    well(gpg(home).arg("--import").arg(PACKAGES.key()));
    let listed = well(gpg(home).args(["--list-keys", "--with-colons"]));
    let line = listed.lines().find(|line| line.starts_with("pub:")).unwrap();
    line.split(':').nth(4).unwrap().to_owned()
}

#[test]
fn a_deb_is_verified_by_the_systems_own_program_and_a_changed_one_is_refused() {
    let (place, home) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let id = number(&home);
    let (policies, rings) = (place.path().join("policies").join(&id), place.path().join("keyrings").join(&id));
    fs::create_dir_all(&policies).unwrap();
    fs::create_dir_all(&rings).unwrap();
    well(gpg(&home).arg("--output").arg(rings.join("keybearer.gpg")).arg("--export"));
    let required = format!("<Required Type=\"origin\" File=\"keybearer.gpg\" id=\"{id}\"/>");
    let policy = format!(
        "<?xml version=\"1.0\"?>\n<!DOCTYPE Policy SYSTEM \"https://www.debian.org/debsig/1.0/policy.dtd\">\n\
         <Policy xmlns=\"https://www.debian.org/debsig/1.0/\">\n<Origin Name=\"Keybearer\" id=\"{id}\"/>\n\
         <Selection>{required}</Selection>\n<Verification MinOptional=\"0\">{required}</Verification>\n</Policy>\n"
    );
    fs::write(policies.join("keybearer.pol"), policy).unwrap();
    let verify = |package: &Path| {
        let mut verify = Command::new("debsig-verify");
        verify.arg("--policies-dir").arg(place.path().join("policies"));
        verify.arg("--keyrings-dir").arg(place.path().join("keyrings")).arg(package);
        run(&mut verify)
    };
    let whole = verify(&PACKAGES.deb);
    assert!(whole.status.success(), "{whole:?}");
    let changed = verify(&tampered(&PACKAGES.deb, &place));
    assert!(!changed.status.success(), "{changed:?}");
    // One whose key nobody trusts: each run mints its own.
    let other = verify(&PACKAGES.next);
    assert!(!other.status.success(), "{other:?}");
}

#[test]
fn an_rpm_is_verified_and_a_changed_one_is_refused() {
    let place = tempfile::tempdir().unwrap();
    let keys = || {
        let mut keys = Command::new("rpmkeys");
        keys.arg("--dbpath").arg(place.path().join("db"));
        keys
    };
    well(keys().arg("--import").arg(PACKAGES.key()));
    let told = well(keys().args(["--checksig", "-v"]).arg(&PACKAGES.rpm));
    assert!(told.contains("Signature") && !told.contains("NOKEY"), "{told}");
    let changed = run(keys().arg("--checksig").arg(tampered(&PACKAGES.rpm, &place)));
    assert!(!changed.status.success(), "{changed:?}");
}

#[test]
fn the_list_of_checksums_is_signed_and_true() {
    let home = tempfile::tempdir().unwrap();
    number(&home);
    let folder = PACKAGES.deb.parent().unwrap();
    well(gpg(&home).arg("--verify").arg(folder.join("SHA256SUMS.asc")).arg(folder.join("SHA256SUMS")));
    let told = well(Command::new("sha256sum").args(["--check", "SHA256SUMS"]).current_dir(folder));
    assert_eq!(told.lines().count(), 2, "{told}");
}
