//! The programs that clients are registered by, as files.

use keybearer_control::error::{Code, Error, Exactly};
use keybearer_core::broker::Broker;
use keybearer_model::name::ClientName;
use keybearer_model::program::Process;
use keybearer_os::peer;

/// What is known of the program at `path`, which is to be registered.
pub(crate) async fn of_path(path: String) -> Result<Process, Error> {
    let refused = |cause: &dyn std::fmt::Display| {
        Error::new(Code::BadRequest, format!("`{path}` cannot be a client's program: {cause}"))
            .hint("give the path of the program that starts `keybearer stdio`")
    };
    let place = path.clone().into();
    let looked = tokio::task::spawn_blocking(move || peer::program(std::path::PathBuf::as_path(&place))).await;
    match looked {
        Ok(looked) => looked.map_err(|cause| refused(&cause)),
        Err(cause) => Err(refused(&cause)),
    }
}

/// Looks at the programs of all registered clients, one after the other, so that what changed while no core ran is
/// known before they come.
pub(crate) async fn look_at_all(broker: Broker) {
    let paths: Vec<_> = broker.clients().programs().map(|(path, _)| path.to_owned()).collect();
    for path in paths {
        let broker = broker.clone();
        let looked = tokio::task::spawn_blocking(move || match peer::look(&path) {
            Ok(program) if broker.knows_program(&program) => {}
            // Reads it whole; one that cannot be read now is looked at when it comes.
            Ok(_) | Err(_) => peer::program(&path).map_or((), |program| broker.note_program(&program)),
        });
        let _ = looked.await;
    }
}

/// What a person is told of a client whose program is another one now.
pub(crate) fn changed(client: &ClientName) -> Error {
    let message = format!("the program of `{client}` is not the one that was registered: it is treated as unknown");
    let hint = format!(
        "if you or its maker updated it, register it again: `keybearer clients revoke {client}`, then \
         `keybearer clients add {client} --program PATH`"
    );
    Error::new(Code::NotAllowed, message).exactly(Exactly::OtherProgram { name: client.to_string() }).hint(hint)
}
