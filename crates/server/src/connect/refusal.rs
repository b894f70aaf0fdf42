//! Why a client is not connected or not disconnected, and what to do about it.

use std::path::Path;

use keybearer_control::error::{Code, Error, Exactly};
use keybearer_core::connect::edit::EditError;
use keybearer_core::connect::plan::PlanError;
use keybearer_os::person_file::PersonFileError;

pub(super) fn internal(message: &str) -> Error {
    Error::new(Code::Internal, message)
}

pub(super) fn unknown_server(name: &str) -> Error {
    Error::new(Code::UnknownServer, format!("there is no server `{name}`"))
        .exactly(Exactly::NoServer { name: name.to_owned() })
        .hint("see the names with `keybearer servers list`")
}

pub(super) fn unknown_client(name: &str) -> Error {
    Error::new(Code::UnknownClient, format!("`{name}` is no client that keybearer knows how to connect"))
        .hint("see them with `keybearer connect`; any other client is registered with `keybearer clients add`")
}

pub(super) fn not_connected(name: &str) -> Error {
    Error::new(Code::UnknownClient, format!("`{name}` is not connected"))
        .exactly(Exactly::NoClient { name: name.to_owned() })
        .hint("see what is with `keybearer connect`")
}

pub(super) fn drifted() -> Error {
    Error::new(Code::Drifted, "the client's files have changed since the preview: nothing was written")
        .hint("look at the preview again")
}

pub(super) fn file(error: &PersonFileError) -> Error {
    match error {
        PersonFileError::Changed(_) => drifted(),
        PersonFileError::Failed { .. } => Error::new(Code::NotSaved, error.to_string()),
        PersonFileError::LinkLeaves { .. }
        | PersonFileError::NotAFile(_)
        | PersonFileError::ReadOnly(_)
        | PersonFileError::Foreign(_)
        | PersonFileError::NotText(_) => Error::new(Code::NotSaved, format!("{error}: it is left alone"))
            .hint("name another file with `--file PATH`"),
    }
}

pub(super) fn plan(path: &Path, error: &PlanError) -> Error {
    let message = format!("`{}` is left alone: {error}", path.display());
    let (code, hint) = match error {
        PlanError::Drifted(_) => (Code::Drifted, "take that entry out by hand, then try again"),
        PlanError::Edit(EditError::Unreadable(_)) => {
            (Code::NotSaved, "repair it first, or name another with `--file PATH`")
        }
        PlanError::Edit(EditError::Taken(_)) => (Code::NameTaken, "rename or remove that entry first"),
        PlanError::Edit(EditError::Shape(_) | EditError::Unsupported(_) | EditError::Missing(_)) => {
            (Code::NotSaved, "add the entry by hand: `--dry-run` shows it")
        }
    };
    Error::new(code, message).exactly(Exactly::LeftAlone { path: path.display().to_string() }).hint(hint)
}
