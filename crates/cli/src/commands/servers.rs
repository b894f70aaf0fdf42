//! `servers`: add, list, show, remove.

use keybearer_control::error::Code;
use keybearer_control::snapshot::Server;
use keybearer_control::wire::{HeaderSecret, Reply, Request};
use serde_json::json;

use crate::args::{AddServer, Servers};
use crate::ask::Core;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::plain::clean;
use crate::show;
use crate::typed::typed_secret;

/// Does what the command line says about servers.
pub(super) fn run(command: Servers, format: Format) -> Result<Exit, Failure> {
    match command {
        Servers::Add(wanted) => add(wanted, format)?,
        Servers::List => {
            let servers = Core::started()?.status()?.servers;
            out::result(format, &servers, || show::servers::list(&servers) + &show::servers::advice(&servers));
        }
        Servers::Show { name } => {
            let server = find(Core::started()?.status()?.servers, name.as_str())?;
            out::result(format, &server, || show::servers::one(&server));
        }
        Servers::Remove { name } => {
            Core::started()?.ask(&Request::RemoveServer { name: name.to_string() })?;
            out::result(format, &json!({ "removed": name }), || format!("✓ {name} is removed, and its sign-in.\n"));
        }
    }
    Ok(Exit::Ok)
}

fn add(wanted: AddServer, format: Format) -> Result<(), Failure> {
    let header = match wanted.header {
        Some(name) => {
            let value = typed_secret(&format!("the value of {name}"))?;
            Some(HeaderSecret { name, value })
        }
        None => None,
    };
    let client_secret = match wanted.client_secret_stdin {
        true => Some(typed_secret("the client's secret")?),
        false => None,
    };
    let request = Request::AddServer {
        name: wanted.name.to_string(),
        url: wanted.url,
        header,
        client_id: wanted.client_id,
        issuer: wanted.issuer,
        client_secret,
        scopes: wanted.scopes,
    };
    let Reply::Server { server } = Core::started()?.ask(&request)? else { return Err(Failure::unexpected_answer()) };
    out::result(format, &server, || {
        let advice = show::servers::advice(std::slice::from_ref(&server));
        format!("✓ {} is added: {}\n{advice}", clean(&server.name), clean(&server.url))
    });
    Ok(())
}

fn find(servers: Vec<Server>, name: &str) -> Result<Server, Failure> {
    servers.into_iter().find(|server| server.name == name).ok_or_else(|| {
        Failure::new(Code::UnknownServer, format!("there is no server `{name}`"))
            .hint("`keybearer servers list` shows those that there are")
    })
}
