//! What the window can ask: each a line that passes it on. How signing in and out went is in the next view.
#![expect(clippy::needless_pass_by_value, reason = "what a command gets is its own")]

use keybearer_control::activity::Record;
use keybearer_control::connect::{Connected, Disconnected, KnownClient, Preview, Wish};
use keybearer_control::error::Error;
use keybearer_control::inspector::Exchange;
use keybearer_control::pages::{Found, Settings, Tool};
use keybearer_control::view::{Failure, View};
use tauri::State;
use tauri::ipc::Channel;

use crate::about::{self, About};
use crate::inspecting::Inspecting;
use crate::link::Link;
use crate::panel;

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

#[tauri::command]
pub(crate) async fn tools(link: State<'_, Link>, server: String) -> Result<Vec<Tool>, Failure> {
    link.core().tools(&server).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn look(link: State<'_, Link>, url: String) -> Result<Found, Failure> {
    link.core().look(&url).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn add_server(link: State<'_, Link>, name: String, url: String) -> Result<(), Failure> {
    link.core().add_server(&name, &url).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn remove_server(link: State<'_, Link>, name: String) -> Result<(), Failure> {
    link.core().remove_server(&name).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn apps(link: State<'_, Link>) -> Result<Vec<KnownClient>, Failure> {
    link.core().known_clients().await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn preview(link: State<'_, Link>, wish: Wish) -> Result<Preview, Failure> {
    link.core().connect_preview(wish).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn connect(link: State<'_, Link>, wish: Wish, token: String) -> Result<Connected, Failure> {
    link.core().connect(wish, token).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn disconnect(link: State<'_, Link>, client: String) -> Result<Disconnected, Failure> {
    link.core().disconnect(&client).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn revoke(link: State<'_, Link>, client: String) -> Result<(), Failure> {
    link.core().revoke(&client).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn revoke_permission(link: State<'_, Link>, number: u64) -> Result<(), Failure> {
    link.core().revoke_permission(number).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn activity(link: State<'_, Link>, records: Channel<Vec<Record>>) -> Result<(), Failure> {
    link.activity(|new| records.send(new)).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn inspect(
    link: State<'_, Link>,
    looking: State<'_, Inspecting>,
    exchanges: Channel<Vec<Exchange>>,
) -> Result<(), Failure> {
    looking.follow(link.core(), |new| exchanges.send(new)).await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) fn stop_inspecting(looking: State<'_, Inspecting>) {
    looking.end();
}

#[tauri::command]
pub(crate) async fn settings(link: State<'_, Link>) -> Result<Settings, Failure> {
    link.core().settings().await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn stop_access(link: State<'_, Link>) -> Result<(), Failure> {
    link.core().stop_access().await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn resume_access(link: State<'_, Link>) -> Result<(), Failure> {
    link.core().resume_access().await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn turn_off(link: State<'_, Link>) -> Result<(), Failure> {
    // Where it asks first, the view says so.
    link.turn_off().await.map(drop).map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn turn_off_anyway(link: State<'_, Link>) -> Result<(), Failure> {
    link.turn_off_anyway().await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn keep_on(link: State<'_, Link>) -> Result<(), Failure> {
    link.keep_on().await.map_err(Failure::from)
}

#[tauri::command]
pub(crate) async fn about() -> About {
    about::about(panel::is_there().await)
}
