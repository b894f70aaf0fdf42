//! Which program is our desktop shell: the one that may put questions to the person and bring the answers.
//!
//! What counts is the file that the process runs. Which is a question of who can change that file: a shell that only the
//! system's administrator can change is genuine wherever it lies; one that lies beside the core is, where the core
//! itself could be changed by the user too (a development build, an unpacked archive), because whoever can replace the
//! one can replace the other.

use std::io;
use std::path::PathBuf;

use keybearer_model::program::{Changeable, Process};

use crate::own_file;
use crate::peer;
use crate::start::beside_me;

/// The name of the shell's executable, without what a system adds to it.
const NAME: &str = "keybearer-desktop";

/// Which program is taken for the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell {
    /// This one, whoever can change it.
    beside: Option<PathBuf>,
    /// Any of our name that only the system's administrator can change.
    installed: bool,
}

impl Shell {
    /// The shell that belongs to this core, which runs from `keybearer` beside it.
    ///
    /// # Errors
    /// If the system does not tell where this program lies.
    pub fn of_this_core() -> io::Result<Self> {
        let core = peer::look(&own_file::path()?)?;
        let beside = match core.changeable {
            Changeable::ByRootOnly => None,
            // The peer is named by a path without links.
            Changeable::ByUser => beside_me(NAME)?.canonicalize().ok(),
        };
        Ok(Self { beside, installed: true })
    }

    /// This program alone: for a core that is composed inside of another one.
    pub fn only(path: PathBuf) -> Self {
        Self { beside: Some(path), installed: false }
    }

    /// Whether the system says that `process` is the shell.
    pub fn is(&self, process: &Process) -> bool {
        let Some(path) = &process.executable else { return false };
        let installed = self.installed
            && process.changeable == Changeable::ByRootOnly
            && path.file_stem().is_some_and(|name| name == NAME);
        installed || self.beside.as_ref() == Some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running(path: &str, changeable: Changeable) -> Process {
        Process { executable: Some(path.into()), changeable, ..Process::default() }
    }

    #[test]
    fn sec_54_the_shell_is_known_by_its_file_and_by_who_can_change_that() {
        let hard = Shell { beside: None, installed: true };
        let soft = Shell { beside: Some("/home/dana/kb/keybearer-desktop".into()), installed: true };
        let installed = running("/usr/bin/keybearer-desktop", Changeable::ByRootOnly);
        let own = running("/home/dana/kb/keybearer-desktop", Changeable::ByUser);
        assert!(hard.is(&installed) && soft.is(&installed) && soft.is(&own));
        assert!(!hard.is(&own), "a core that only root can change takes no shell that the user can change");
        for foreign in [
            running("/tmp/keybearer-desktop", Changeable::ByUser),
            running("/home/dana/kb/keybearer", Changeable::ByUser),
            running("/usr/bin/keybearer", Changeable::ByRootOnly),
            running("/usr/bin/keybearer-desktop-evil", Changeable::ByRootOnly),
            Process::default(),
        ] {
            assert!(!hard.is(&foreign) && !soft.is(&foreign), "{foreign:?}");
        }
        assert!(!Shell::only("/x/shell".into()).is(&installed));
    }

    #[test]
    fn a_core_that_the_user_can_change_has_its_shell_beside_it() {
        let shell = Shell::of_this_core().unwrap();
        assert!(shell.installed);
        // Tests lie where the user builds them; there is no shell beside them.
        assert_eq!(shell.beside, None);
    }
}
