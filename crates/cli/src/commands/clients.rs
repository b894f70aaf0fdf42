//! `clients`: add, list, revoke.

use std::path::{Path, PathBuf};

use keybearer_control::error::Code;
use keybearer_control::wire::{Reply, Request};
use keybearer_model::name::{ClientName, ServerName};
use serde_json::json;

use crate::args::Clients;
use crate::ask::Core;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::show;

/// Does what the command line says about clients.
pub(super) fn run(command: Clients, format: Format) -> Result<Exit, Failure> {
    match command {
        Clients::Add { name, servers, program, container } => {
            add(&name, &servers, program.as_deref(), container, format)?;
        }
        Clients::List => {
            let clients = Core::started()?.status()?.clients;
            out::result(format, &clients, || show::clients::list(&clients, super::now()));
        }
        Clients::Revoke { name } => {
            Core::started()?.ask(&Request::RevokeClient { name: name.to_string() })?;
            out::result(format, &json!({ "revoked": name }), || format!("✓ {name} is revoked, and cut off.\n"));
        }
    }
    Ok(Exit::Ok)
}

fn add(
    name: &ClientName,
    servers: &[ServerName],
    program: Option<&Path>,
    container: bool,
    format: Format,
) -> Result<(), Failure> {
    let request = Request::AddClient {
        name: name.to_string(),
        servers: servers.iter().map(ToString::to_string).collect(),
        program: program.map(resolved).transpose()?,
        container,
    };
    let Reply::ClientAdded { client, key, urls } = Core::started()?.ask(&request)? else {
        return Err(Failure::unexpected_answer());
    };
    let told = json!({ "client": client, "key": key, "urls": urls });
    out::result(format, &told, || show::clients::added(&client, key.as_deref(), &urls));
    Ok(())
}

/// The executable as the operating system will name it when it runs: absolute, links followed.
fn resolved(program: &Path) -> Result<String, Failure> {
    let path: PathBuf = program.canonicalize().map_err(|cause| {
        Failure::new(Code::BadRequest, format!("`{}` is no program: {cause}", program.display()))
            .hint("give the path of the program that starts `keybearer stdio`")
    })?;
    path.into_os_string()
        .into_string()
        .map_err(|path| Failure::new(Code::BadRequest, format!("`{}` is not UTF-8", path.to_string_lossy())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_known_by_its_real_path() {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("claude");
        std::fs::write(&program, "").unwrap();
        let roundabout = dir.path().join(".").join("claude");
        let real = program.canonicalize().unwrap();
        assert_eq!(resolved(&roundabout).unwrap(), real.to_str().unwrap());
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_of_the_command_line() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(resolved(&dir.path().join("gone")).unwrap_err().exit, Exit::Usage);
    }
}
