//! The packages for Linux: signed, sound, installed, updated under a client that notices nothing, and removed.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "stories start programs, and give up on them after a while")]

#[path = "packages/files.rs"]
mod files;
#[path = "packages/machine.rs"]
mod machine;
#[path = "packages/signatures.rs"]
mod signatures;
#[path = "packages/update.rs"]
mod update;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use keybearer_stories::core::{Ended, keybearer};
use keybearer_stories::parts::end_of;

/// The packages of this build, made once: a deb and an rpm, and a deb of the version after.
///
/// In a folder that the next run empties: nothing that lives as long as the program is dropped at its end.
static PACKAGES: LazyLock<Packages> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("packages");
    if folder.exists() {
        std::fs::remove_dir_all(&folder).unwrap();
    }
    Packages::make(&folder)
});

struct Packages {
    folder: PathBuf,
    deb: PathBuf,
    rpm: PathBuf,
    /// The same programs as other files, in a package of a higher version.
    next: PathBuf,
}

impl Packages {
    fn make(folder: &Path) -> Self {
        let (first, next) = (folder.join("first"), folder.join("next"));
        let xtask = keybearer().with_file_name("xtask");
        for (out, words) in [(&first, &["deb", "rpm"][..]), (&next, &["deb", "--version", "0.1.1"])] {
            let made = run(Command::new(&xtask).arg("dist").args(words).args(["--debug", "--out"]).arg(out));
            assert!(made.status.success(), "{made:?}");
        }
        let (deb, rpm) = (one(&first, "deb"), one(&first, "rpm"));
        Self { deb, rpm, next: one(&next, "deb"), folder: folder.to_owned() }
    }

    /// The public key that lies beside the first ones.
    fn key(&self) -> PathBuf {
        self.folder.join("first/keybearer-packages.asc")
    }
}

fn one(folder: &Path, extension: &str) -> PathBuf {
    let mut all = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    all.find(|path| path.extension().is_some_and(|found| found == extension)).unwrap()
}

fn run(command: &mut Command) -> Ended {
    end_of(std::mem::replace(command, Command::new("true")))
}

/// Runs something that must end well, and gives what it printed.
#[track_caller]
fn well(command: &mut Command) -> String {
    let ended = run(command);
    assert!(ended.status.success(), "{ended:?}");
    ended.out
}
