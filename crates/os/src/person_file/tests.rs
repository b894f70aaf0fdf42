use std::os::unix::fs::{PermissionsExt as _, symlink};

use super::*;

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

#[test]
fn a_file_is_replaced_and_keeps_its_mode() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("settings.json");
    fs::write(&path, "old").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    let file = PersonFile::look(&path, home.path()).unwrap();
    assert_eq!(file.replace("new").unwrap(), Vec::<PathBuf>::new());
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), mode(&path)), ("new", 0o640));
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_new_file_is_private_and_its_folders_go_with_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("a/b/settings.json");
    let made = PersonFile::look(&path, home.path()).unwrap().replace("x").unwrap();
    assert_eq!(made, [home.path().join("a"), home.path().join("a/b")]);
    assert_eq!(mode(&path), 0o600);
    PersonFile::look(&path, home.path()).unwrap().remove(&made).unwrap();
    assert!(!home.path().join("a").exists());
}

#[test]
fn links_among_the_persons_files_are_followed() {
    let home = tempfile::tempdir().unwrap();
    let (target, link) = (home.path().join("dotfiles/settings.json"), home.path().join(".config/settings.json"));
    for file in [&target, &link] {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
    }
    fs::write(&target, "old").unwrap();
    symlink(&target, &link).unwrap();
    PersonFile::look(&link, home.path()).unwrap().replace("new").unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&target).unwrap(), "new");
}

#[test]
fn what_is_not_the_persons_is_left_alone() {
    let (home, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (target, link) = (elsewhere.path().join("target"), home.path().join("link"));
    fs::write(&target, "x").unwrap();
    symlink(&target, &link).unwrap();
    assert!(matches!(PersonFile::look(&link, home.path()), Err(PersonFileError::LinkLeaves { .. })));
    let dangling = home.path().join("dangling");
    symlink(elsewhere.path().join("gone"), &dangling).unwrap();
    assert!(matches!(PersonFile::look(&dangling, home.path()), Err(PersonFileError::Failed { .. })));
    assert!(matches!(PersonFile::look(home.path(), home.path()), Err(PersonFileError::NotAFile(_))));
    let read_only = home.path().join("read-only");
    fs::write(&read_only, "x").unwrap();
    fs::set_permissions(&read_only, fs::Permissions::from_mode(0o444)).unwrap();
    assert!(matches!(PersonFile::look(&read_only, home.path()), Err(PersonFileError::ReadOnly(_))));
    let binary = home.path().join("binary");
    fs::write(&binary, b"\xff\xfe{").unwrap();
    assert!(matches!(PersonFile::look(&binary, home.path()), Err(PersonFileError::NotText(_))));
}

#[test]
fn what_another_program_writes_meanwhile_is_not_lost() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("f");
    fs::write(&path, "old").unwrap();
    let file = PersonFile::look(&path, home.path()).unwrap();
    fs::write(&path, "theirs").unwrap();
    assert!(matches!(file.replace("ours"), Err(PersonFileError::Changed(_))));
    assert!(matches!(file.remove(&[]), Err(PersonFileError::Changed(_))));
    assert_eq!(fs::read_to_string(&path).unwrap(), "theirs");
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 1);
}

#[test]
fn a_star_stands_for_any_name() {
    let home = tempfile::tempdir().unwrap();
    for name in ["Claude_abc", "Claude_def", "Other"] {
        fs::create_dir(home.path().join(name)).unwrap();
    }
    fs::write(home.path().join("Claude_def/x.json"), "").unwrap();
    assert_eq!(matching(&home.path().join("Claude_*/x.json")), [home.path().join("Claude_def/x.json")]);
    assert_eq!(matching(&home.path().join("Claude_*")).len(), 2);
    assert_eq!(matching(&home.path().join("gone")), Vec::<PathBuf>::new());
}
