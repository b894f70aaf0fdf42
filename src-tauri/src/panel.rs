//! Whether the desktop shows tray icons at all: some have no place for them, and the window is the only way in.

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
