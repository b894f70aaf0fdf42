//! The desktop's panel: whether it shows tray icons at all, and how dark it is.
//!
//! Some desktops have no place for icons, and the window is the only way in.

use tokio::sync::watch;

/// How dark the panel is, as far as the desktop tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Shade {
    /// It does not tell: the icon takes a colour that stands out from both.
    #[default]
    Unknown,
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// How dark the panel is, as it changes. Needs a tokio runtime.
pub(crate) fn shades() -> watch::Receiver<Shade> {
    let (told, shades) = watch::channel(Shade::default());
    tokio::spawn(follow_shade(told));
    shades
}

#[cfg(target_os = "linux")]
pub(crate) async fn is_there() -> bool {
    watcher_has_host().await.unwrap_or(false)
}

/// Other systems have one, always.
#[cfg(not(target_os = "linux"))]
pub(crate) async fn is_there() -> bool {
    std::future::ready(true).await
}

/// Icons are told to a watcher on the session bus; one that nobody draws them for says so.
#[cfg(target_os = "linux")]
async fn watcher_has_host() -> zbus::Result<bool> {
    const WATCHER: &str = "org.kde.StatusNotifierWatcher";
    let bus = zbus::Connection::session().await?;
    let watcher = zbus::proxy::Builder::<zbus::Proxy<'_>>::new(&bus)
        .destination(WATCHER)?
        .path("/StatusNotifierWatcher")?
        .interface(WATCHER)?
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await?;
    watcher.get_property("IsStatusNotifierHostRegistered").await
}

/// The desktop's portal tells whether the person wants it dark, and when that changes.
#[cfg(target_os = "linux")]
async fn follow_shade(told: watch::Sender<Shade>) {
    if let Err(error) = portal_shades(&told).await {
        tracing::debug!(%error, "the desktop does not tell how dark it is");
    }
    // Whoever draws goes on with what is known.
    told.closed().await;
}

#[cfg(target_os = "linux")]
const APPEARANCE: (&str, &str) = ("org.freedesktop.appearance", "color-scheme");

#[cfg(target_os = "linux")]
async fn portal_shades(told: &watch::Sender<Shade>) -> zbus::Result<()> {
    use futures_util::StreamExt as _;

    let bus = zbus::Connection::session().await?;
    let portal = zbus::proxy::Builder::<zbus::Proxy<'_>>::new(&bus)
        .destination("org.freedesktop.portal.Desktop")?
        .path("/org/freedesktop/portal/desktop")?
        .interface("org.freedesktop.portal.Settings")?
        .cache_properties(zbus::proxy::CacheProperties::No)
        .build()
        .await?;
    let mut changes = portal.receive_signal("SettingChanged").await?;
    let now: zbus::zvariant::OwnedValue = portal.call("ReadOne", &APPEARANCE).await?;
    told.send_replace(shade(&now));
    while let Some(change) = changes.next().await {
        let body = change.body();
        let (group, key, value): (String, String, zbus::zvariant::OwnedValue) = body.deserialize()?;
        if (group.as_str(), key.as_str()) == APPEARANCE {
            told.send_replace(shade(&value));
        }
    }
    Ok(())
}

/// 1: dark is preferred; 2: light is. 0 says nothing of the panel.
#[cfg(target_os = "linux")]
fn shade(value: &zbus::zvariant::Value<'_>) -> Shade {
    match u32::try_from(value) {
        Ok(1) => Shade::Dark,
        Ok(2) => Shade::Light,
        Ok(_) | Err(_) => Shade::Unknown,
    }
}

/// The taskbar's own setting, read at the start.
#[cfg(windows)]
async fn follow_shade(told: watch::Sender<Shade>) {
    let key = include_str!("panel-key.txt").trim_end();
    let shade = match keybearer_os::registry::policy_value(key, "SystemUsesLightTheme").as_deref() {
        Some("0") => Shade::Dark,
        Some("1") => Shade::Light,
        Some(_) | None => Shade::Unknown,
    };
    told.send_replace(shade);
    told.closed().await;
}

/// A template takes the menu bar's own colour.
#[cfg(not(any(windows, target_os = "linux")))]
async fn follow_shade(told: watch::Sender<Shade>) {
    told.closed().await;
}
