//! The icon for each state, in the colours that its panel needs.

use keybearer_control::view::Mark;
use tauri::image::Image;
use tauri::include_image;

use crate::panel::Shade;

macro_rules! icons {
    ($mark:expr, $ready:tt, $sign_in:tt, $asking:tt, $blocked:tt, $offline:tt) => {
        match $mark {
            Mark::Ready => include_image!($ready),
            Mark::SignIn { .. } => include_image!($sign_in),
            Mark::Asking { .. } => include_image!($asking),
            Mark::Blocked => include_image!($blocked),
            Mark::Offline => include_image!($offline),
        }
    };
}

/// Windows draws the tray at 16 to 32 pixels and scales badly; the others take the larger one.
#[cfg(windows)]
pub(super) fn image(mark: Mark, shade: Shade) -> Image<'static> {
    match shade {
        Shade::Unknown => icons!(
            mark,
            "icons/tray/ready-unknown-32.png",
            "icons/tray/sign-in-unknown-32.png",
            "icons/tray/asking-unknown-32.png",
            "icons/tray/blocked-unknown-32.png",
            "icons/tray/offline-unknown-32.png"
        ),
        Shade::Light => icons!(
            mark,
            "icons/tray/ready-light-32.png",
            "icons/tray/sign-in-light-32.png",
            "icons/tray/asking-light-32.png",
            "icons/tray/blocked-light-32.png",
            "icons/tray/offline-light-32.png"
        ),
        Shade::Dark => icons!(
            mark,
            "icons/tray/ready-dark-32.png",
            "icons/tray/sign-in-dark-32.png",
            "icons/tray/asking-dark-32.png",
            "icons/tray/blocked-dark-32.png",
            "icons/tray/offline-dark-32.png"
        ),
    }
}

/// macOS gives a template the menu bar's own colour.
#[cfg(target_os = "macos")]
pub(super) fn image(mark: Mark, _shade: Shade) -> Image<'static> {
    icons!(
        mark,
        "icons/tray/ready-template.png",
        "icons/tray/sign-in-template.png",
        "icons/tray/asking-template.png",
        "icons/tray/blocked-template.png",
        "icons/tray/offline-template.png"
    )
}

#[cfg(not(any(windows, target_os = "macos")))]
pub(super) fn image(mark: Mark, shade: Shade) -> Image<'static> {
    match shade {
        Shade::Unknown => icons!(
            mark,
            "icons/tray/ready-unknown-64.png",
            "icons/tray/sign-in-unknown-64.png",
            "icons/tray/asking-unknown-64.png",
            "icons/tray/blocked-unknown-64.png",
            "icons/tray/offline-unknown-64.png"
        ),
        Shade::Light => icons!(
            mark,
            "icons/tray/ready-light-64.png",
            "icons/tray/sign-in-light-64.png",
            "icons/tray/asking-light-64.png",
            "icons/tray/blocked-light-64.png",
            "icons/tray/offline-light-64.png"
        ),
        Shade::Dark => icons!(
            mark,
            "icons/tray/ready-dark-64.png",
            "icons/tray/sign-in-dark-64.png",
            "icons/tray/asking-dark-64.png",
            "icons/tray/blocked-dark-64.png",
            "icons/tray/offline-dark-64.png"
        ),
    }
}
