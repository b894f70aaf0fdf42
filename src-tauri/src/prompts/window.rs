//! The prompt's window: made when a question comes, in front of everything, gone when none waits.

use keybearer_control::prompt::{Answer, Prompts};
use tauri::webview::{NewWindowResponse, WebviewWindowBuilder};
use tauri::{AppHandle, Emitter, LogicalSize, Manager, WebviewUrl, WebviewWindow, WindowEvent};

use super::Questions;
use crate::window::is_ours;
use crate::words::Language;

const LABEL: &str = "prompt";

/// How wide it is, and how high it can be.
const WIDTH: f64 = 480.0;
const LOWEST: f64 = 240.0;
const HIGHEST: f64 = 680.0;

/// Shows the questions that wait, as they come and go, until the shell ends.
pub(crate) async fn keep(app: AppHandle) {
    let mut shown = app.state::<Questions>().shown();
    loop {
        let prompts = shown.borrow_and_update().clone();
        show(&app, &prompts).unwrap_or_else(|error| tracing::error!(%error, "a question is not shown"));
        if shown.changed().await.is_err() {
            return;
        }
    }
}

/// Brings the prompt to the front; only there is a question answered.
pub(crate) fn raise(app: &AppHandle) {
    let raised = match app.get_webview_window(LABEL) {
        Some(window) => window.show().and_then(|()| window.unminimize()).and_then(|()| window.set_focus()),
        None => show(app, &app.state::<Questions>().now()),
    };
    raised.unwrap_or_else(|error| tracing::error!(%error, "the prompt is not shown"));
}

/// Makes the window as high as what is in it.
pub(crate) fn fit(window: &WebviewWindow, height: f64) {
    let size = LogicalSize::new(WIDTH, height.clamp(LOWEST, HIGHEST));
    window.set_size(size).unwrap_or_else(|error| tracing::warn!(%error, "the prompt's window keeps its size"));
}

/// Brings the questions to the front, if any wait: for a click on a notification, which other systems do not tell of.
#[cfg(target_os = "linux")]
pub(crate) fn to_front(app: &AppHandle) {
    if let Some(window) = app.get_webview_window(LABEL) {
        tracing::info!("the questions come to the front");
        let shown = window.unminimize().and_then(|()| window.show()).and_then(|()| window.set_focus());
        shown.unwrap_or_else(|error| tracing::warn!(%error, "the prompt stays where it is"));
    }
}

fn show(app: &AppHandle, prompts: &Prompts) -> tauri::Result<()> {
    match (app.get_webview_window(LABEL), prompts.questions.is_empty()) {
        (Some(window), true) => window.destroy(),
        (None, true) => Ok(()),
        (Some(_), false) => app.emit_to(LABEL, "prompts", prompts),
        (None, false) => create(app),
    }
}

fn create(app: &AppHandle) -> tauri::Result<()> {
    let page = format!("prompt.html?lang={}", Language::of_person().tag());
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(page.into()))
        .title("Keybearer asks")
        .inner_size(WIDTH, LOWEST)
        .resizable(false)
        .maximizable(false)
        .minimizable(false)
        .always_on_top(true)
        .visible_on_all_workspaces(true)
        .center()
        .focused(true)
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    let app = app.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            // Closing it is a no to what it shows; the core says whether that counts yet.
            api.prevent_close();
            deny_first(app.clone());
        }
    });
    Ok(())
}

fn deny_first(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        let questions = app.state::<Questions>();
        if let Some(first) = questions.now().questions.into_iter().next()
            && let Err(error) = questions.answer(first.id, Answer::Deny).await
        {
            tracing::debug!(%error, "closing the prompt did not count as an answer");
        }
    });
}
