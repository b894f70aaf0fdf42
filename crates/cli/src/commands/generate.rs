//! Completion scripts and man pages, from the one definition of the command line.

use std::path::Path;

use clap::CommandFactory as _;
use keybearer_control::error::Code;
use serde_json::json;

use crate::args::Args;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};

/// Prints a completion script.
pub(super) fn completions(shell: clap_complete::Shell) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "keybearer", &mut script);
    out::bytes(&script);
    Exit::Ok
}

/// Writes a man page for each command.
pub(super) fn man(dir: &Path, format: Format) -> Result<Exit, Failure> {
    write_pages(dir)?;
    out::result(format, &json!({ "written": dir }), || format!("✓ The man pages are in {}.\n", dir.display()));
    Ok(Exit::Ok)
}

fn write_pages(dir: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(Args::command(), dir)).map_err(|cause| {
        Failure::new(Code::NotSaved, format!("the man pages cannot be written into `{}`: {cause}", dir.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_man_page() {
        let dir = tempfile::tempdir().unwrap();
        write_pages(dir.path()).unwrap();
        for page in ["keybearer.1", "keybearer-serve.1", "keybearer-servers-add.1", "keybearer-audit-verify.1"] {
            assert!(dir.path().join(page).exists(), "{page} is missing");
        }
    }
}
