//! `permissions`: list, revoke. None is given here: that takes the Keybearer window.

use keybearer_control::wire::Request;
use serde_json::json;

use crate::args::Permissions;
use crate::ask::Core;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::show;

/// Does what the command line says about permissions.
pub(super) fn run(command: &Permissions, format: Format) -> Result<Exit, Failure> {
    match command {
        Permissions::List => {
            let permissions = Core::started()?.status()?.permissions;
            out::result(format, &permissions, || show::permissions::list(&permissions, super::now()));
        }
        Permissions::Revoke { number } => {
            Core::started()?.ask(&Request::RevokePermission { number: *number })?;
            out::result(format, &json!({ "revoked": number }), || format!("✓ Permission {number} is revoked.\n"));
        }
    }
    Ok(Exit::Ok)
}
