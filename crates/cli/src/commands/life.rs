//! The life of a core: `start`, `stop`, `status`.

use serde_json::json;

use crate::ask::{self, Core, Start};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::show;

/// Starts the core in the background.
pub(super) fn start(format: Format) -> Result<Exit, Failure> {
    let start = ask::start(&ask::folders()?)?;
    let started = start == Start::Started;
    out::result(format, &json!({ "running": true, "started": started }), || match start {
        Start::Started => "✓ Keybearer runs.\n".to_owned(),
        Start::RanAlready => "Keybearer runs already.\n".to_owned(),
    });
    Ok(Exit::Ok)
}

/// Ends the core in good order.
pub(super) fn stop(format: Format) -> Result<Exit, Failure> {
    Core::running()?.stop()?;
    ask::until_gone(&ask::folders()?);
    out::result(format, &json!({ "running": false }), || "✓ Keybearer has ended.\n".to_owned());
    Ok(Exit::Ok)
}

/// Shows the core's state.
pub(super) fn status(format: Format) -> Result<Exit, Failure> {
    let snapshot = Core::running()?.status()?;
    out::result(format, &snapshot, || show::status::status(&snapshot, super::now()));
    Ok(Exit::Ok)
}
