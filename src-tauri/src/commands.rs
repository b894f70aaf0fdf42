//! What the window can ask: each a line that passes it on to the link. How it went is in the next view.
#![expect(clippy::needless_pass_by_value, reason = "what a command gets is its own")]

use keybearer_control::error::Error;
use keybearer_control::view::View;
use tauri::State;

use crate::link::Link;

#[tauri::command]
pub(crate) fn view(link: State<'_, Link>) -> View {
    link.view()
}

#[tauri::command]
pub(crate) async fn start(link: State<'_, Link>) -> Result<(), Error> {
    link.start().await
}

#[tauri::command]
pub(crate) async fn sign_in(link: State<'_, Link>, server: String) -> Result<(), Error> {
    link.sign_in(&server).await
}

#[tauri::command]
pub(crate) async fn sign_out(link: State<'_, Link>, server: String) -> Result<(), Error> {
    link.sign_out(&server).await
}
