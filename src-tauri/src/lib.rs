//! The desktop shell: a tray icon and a window over the core's control socket.
//!
//! A thin client: it holds no token, reads no settings and decides nothing. Tray and window are functions of the
//! [`View`](keybearer_control::view::View) that [`link`] keeps; the core lives on when the shell ends.

mod about;
pub mod arguments;
mod comings_back;
mod commands;
mod inspecting;
pub mod link;
pub mod menu;
mod panel;
pub mod prompts;
mod retries;
pub mod sign_in;
mod tray;
mod updated;
mod window;
mod windows_for_core;
pub mod words;

use keybearer_control::client::Client;
use keybearer_os::folders::Folders;
use tauri::{App, AppHandle, Emitter, Manager, RunEvent};

use arguments::Start;
use inspecting::Inspecting;
use link::Link;
use prompts::Questions;
use words::{Language, Words};

/// Runs the shell until the person closes it.
pub fn run(start: Start) -> Result<(), Box<dyn std::error::Error>> {
    let folders = Folders::from_env()?;
    tauri::Builder::default()
        // First, so that a second start ends before it does anything else.
        .plugin(tauri_plugin_single_instance::init(|app, argv, _| again(app, argv)))
        .invoke_handler(tauri::generate_handler![
            commands::view,
            commands::start,
            commands::sign_in,
            commands::sign_out,
            commands::tools,
            commands::look,
            commands::add_server,
            commands::remove_server,
            commands::apps,
            commands::preview,
            commands::connect,
            commands::disconnect,
            commands::revoke,
            commands::revoke_permission,
            commands::activity,
            commands::inspect,
            commands::stop_inspecting,
            commands::settings,
            commands::stop_access,
            commands::resume_access,
            commands::turn_off,
            commands::turn_off_anyway,
            commands::keep_on,
            commands::about,
            prompts::commands::prompts,
            prompts::commands::answer,
            prompts::commands::more_time,
            prompts::commands::fit
        ])
        .setup(move |app| set_up(app, folders, start))
        .build(tauri::generate_context!())?
        .run(|_, event| {
            // Closing the last window leaves the tray icon; only its own menu ends the shell.
            if let RunEvent::ExitRequested { code: None, api, .. } = event {
                api.prevent_exit();
            }
        });
    Ok(())
}

fn set_up(app: &mut App, folders: Folders, start: Start) -> Result<(), Box<dyn std::error::Error>> {
    let (link, questions, mut shades) = tauri::async_runtime::block_on(async {
        let client = Client::new(folders.clone());
        let link = Link::open(client.clone(), link::core_of(folders));
        tauri::async_runtime::spawn(windows_for_core::keep(client.clone(), link.views()));
        tauri::async_runtime::spawn(comings_back::keep(client.clone()));
        let questions = Questions::open(client, link.views());
        (link, questions, panel::shades())
    });
    let tray = tray::create(app.handle(), Words::of(Language::of_person()))?;
    let (mut views, mut asked) = (link.views(), questions.shown());
    app.manage(link);
    app.manage(questions);
    app.manage(Inspecting::default());
    tauri::async_runtime::spawn(prompts::window::keep(app.handle().clone()));
    let words = Words::of(Language::of_person());
    tauri::async_runtime::spawn(prompts::notices::keep(app.handle().clone(), words));
    updated::watch(app.handle());
    let shown_in = app.handle().clone();
    tauri::async_runtime::spawn(async move {
        loop {
            let view = views.borrow_and_update().clone();
            let (prompts, shade) = (asked.borrow_and_update().clone(), *shades.borrow_and_update());
            tray.draw(&view, &prompts, shade).unwrap_or_else(|error| tracing::warn!(%error, "tray not drawn"));
            let changed = tokio::select! {
                changed = views.changed() => changed.map(|()| {
                    let view = views.borrow().clone();
                    shown_in.emit("view", &view).unwrap_or_else(|error| tracing::warn!(%error, "view not shown"));
                }),
                changed = asked.changed() => changed,
                changed = shades.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
        }
    });
    match start {
        Start::Window => window::show(app.handle()),
        Start::Tray | Start::SignIn => {}
    }
    Ok(())
}

/// A second start: the person wants to see something.
fn again(app: &AppHandle, argv: Vec<String>) {
    match Start::of(argv.into_iter().skip(1).map(Into::into)) {
        Ok(Start::Window) => window::show(app),
        Ok(Start::Tray | Start::SignIn) => {}
        Err(error) => tracing::warn!(%error, "second start ignored"),
    }
}
