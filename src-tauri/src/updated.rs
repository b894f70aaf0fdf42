//! What the shell does when its own program is updated or removed.

use keybearer_os::own_file::{self, Fate};
use tauri::AppHandle;

/// Starts the shell again when another program lies in its place, for the core takes no other for the shell; and ends it
/// when none does.
pub(crate) fn watch(app: &AppHandle) {
    let app = app.clone();
    let tell = move |fate| match fate {
        Fate::Replaced => app.request_restart(),
        Fate::Removed => app.exit(0),
    };
    if let Err(cause) = own_file::watch(tell) {
        tracing::warn!(%cause, "an update of this program will not be noticed before the next start");
    }
}
