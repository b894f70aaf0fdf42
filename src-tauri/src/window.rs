//! The one window: made when it is wanted, gone when it is closed.

use tauri::webview::{NewWindowResponse, WebviewWindowBuilder};
use tauri::{AppHandle, Manager, Url, WebviewUrl, WindowEvent};

use crate::inspecting::Inspecting;
use crate::words::Language;

const LABEL: &str = "main";

/// Shows the window, in front of others if it is there already.
pub(crate) fn show(app: &AppHandle) {
    let shown = match app.get_webview_window(LABEL) {
        Some(window) => window.unminimize().and_then(|()| window.set_focus()),
        None => create(app),
    };
    shown.unwrap_or_else(|error| tracing::error!(%error, "window not shown"));
}

fn create(app: &AppHandle) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(address().into()))
        .title("Keybearer")
        .inner_size(920.0, 640.0)
        .min_inner_size(640.0, 480.0)
        .on_navigation(is_ours)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .on_download(|_, _| false)
        .build()?;
    let app = app.clone();
    window.on_window_event(move |event| {
        // Whoever looked at messages looks no longer.
        if let WindowEvent::Destroyed = event {
            app.state::<Inspecting>().end();
        }
    });
    Ok(())
}

/// The page, told which language the tray speaks.
fn address() -> String {
    format!("index.html?lang={}", Language::of_person().tag())
}

/// Whether an address is that of the window's own page; no other is ever loaded.
pub(crate) fn is_ours(url: &Url) -> bool {
    match (url.scheme(), url.host_str()) {
        ("tauri", Some("localhost")) | ("http" | "https", Some("tauri.localhost")) => true,
        ("http", Some("localhost")) => tauri::is_dev() && url.port() == Some(5183),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_page_is_loaded() {
        for ours in ["tauri://localhost/", "http://tauri.localhost/index.html"] {
            assert!(is_ours(&ours.parse().unwrap()), "{ours}");
        }
        for foreign in
            ["https://example.com/", "http://tauri.localhost.evil.test/", "http://localhost:1/", "file:///etc/passwd"]
        {
            assert!(!is_ours(&foreign.parse().unwrap()), "{foreign}");
        }
    }
}
