//! Reads `config.toml` where no core does it for us, and tells its problems with file and line.

use std::io::ErrorKind;
use std::path::Path;

use keybearer_control::error::{Code, Error};
use keybearer_core::config::{Config, Problem};
use keybearer_os::folders::Folders;

use crate::exit::Exit;
use crate::failure::Failure;

/// The settings of these folders; a file that does not exist is an empty one.
pub(crate) fn read(folders: &Folders) -> Result<Config, Failure> {
    let path = folders.config_file();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(cause) if cause.kind() == ErrorKind::NotFound => String::new(),
        Err(cause) => {
            return Err(Failure::new(Code::BrokenConfig, format!("`{}` cannot be read: {cause}", path.display())));
        }
    };
    Config::parse(&text).map_err(|problems| broken(&path, &problems))
}

/// Whether the settings would let a core start.
pub(crate) fn check(folders: &Folders) -> Result<(), Failure> {
    read(folders).map(drop)
}

/// All problems, each as `file:line: what`.
pub(crate) fn broken(path: &Path, problems: &[Problem]) -> Failure {
    let errors = problems.iter().map(|problem| told(path, problem)).collect();
    Failure { exit: Exit::BrokenConfig, errors }
}

fn told(path: &Path, problem: &Problem) -> Error {
    let place = match problem.line {
        Some(line) => format!("{}:{line}", path.display()),
        None => path.display().to_string(),
    };
    let error = Error::new(Code::BrokenConfig, format!("{place}: {}", problem.message));
    match &problem.hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problems(text: &str) -> Vec<String> {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(home.path());
        std::fs::write(folders.config_file(), text).unwrap();
        let file = folders.config_file().display().to_string();
        match check(&folders) {
            Ok(()) => Vec::new(),
            Err(failure) => {
                assert_eq!(failure.exit, Exit::BrokenConfig);
                failure.errors.iter().map(|error| error.message.replace(&file, "config.toml")).collect()
            }
        }
    }

    #[test]
    fn every_problem_is_told_with_its_line() {
        let told = problems("keystore = \"drawer\"\n\n[servers.crm]\nurl = \"ftp://crm\"\ncolour = 1\n");
        assert!(told.len() >= 3, "{told:?}");
        for line in ["config.toml:1:", "config.toml:4:", "config.toml:5:"] {
            assert!(told.iter().any(|problem| problem.starts_with(line)), "{line} is missing in {told:?}");
        }
    }

    #[test]
    fn no_settings_are_good_settings() {
        let home = tempfile::tempdir().unwrap();
        assert!(check(&Folders::at(home.path())).is_ok());
    }

    #[test]
    fn settings_that_cannot_be_read_are_no_empty_ones() {
        let home = tempfile::tempdir().unwrap();
        let folders = Folders::at(home.path());
        std::fs::create_dir(folders.config_file()).unwrap();
        assert_eq!(check(&folders).unwrap_err().exit, Exit::BrokenConfig);
    }
}
