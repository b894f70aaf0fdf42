//! The life of a core: `start`, `stop`, `status`.

use keybearer_control::error::Code;
use serde_json::json;

use crate::ask::{self, Core, End, Start};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::out::{self, Format};
use crate::show;

/// Starts the core in the background.
pub(super) fn start(format: Format) -> Result<Exit, Failure> {
    let start = ask::turn_on(&ask::folders()?)?;
    let started = start == Start::Started;
    out::result(format, &json!({ "running": true, "started": started }), || match start {
        Start::Started => "✓ Keybearer runs.\n".to_owned(),
        Start::RanAlready => "Keybearer runs already.\n".to_owned(),
    });
    Ok(Exit::Ok)
}

/// Turns Keybearer off: ends the core in good order, and nobody but the person starts another one. Where a sign-in would
/// be lost with it, that takes a word more.
pub(super) fn stop(format: Format, anyway: bool) -> Result<Exit, Failure> {
    let folders = ask::folders()?;
    let losing = if anyway { Vec::new() } else { ask::losing(&folders)? };
    if !losing.is_empty() {
        let names = losing.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let lost = format!("the keychain has not taken the sign-in to {names}, which would be lost");
        let hint = "unlock the keychain and try again, or use `keybearer stop --anyway` and sign in again later";
        return Err(Failure::new(Code::KeyStore, lost).hint(hint));
    }
    ask::turn_off(&folders)?;
    out::result(format, &json!({ "running": false, "turned_off": true }), || {
        "✓ Keybearer is turned off. `keybearer start` turns it on again.\n".to_owned()
    });
    Ok(Exit::Ok)
}

/// Ends the core in good order, if one runs, and leaves Keybearer turned on: what an installer does.
pub(super) fn end(format: Format) -> Result<Exit, Failure> {
    let ended = ask::end(&ask::folders()?)?;
    out::result(format, &json!({ "running": false, "turned_off": false }), || match ended {
        End::Ended => "✓ The core has ended. Whoever needs it next starts it again.\n".to_owned(),
        End::NoneRan => "No core runs.\n".to_owned(),
    });
    Ok(Exit::Ok)
}

/// Shows the core's state.
pub(super) fn status(format: Format) -> Result<Exit, Failure> {
    let snapshot = Core::running()?.status()?;
    out::result(format, &snapshot, || show::status::status(&snapshot, super::now()));
    Ok(Exit::Ok)
}
