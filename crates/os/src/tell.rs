//! What the core tells the service manager that started it (`sd_notify(3)`). Without one, nobody hears it.

/// The core has opened its doors.
pub fn ready() {
    say("READY=1");
}

/// The core is about to end.
pub fn stopping() {
    say("STOPPING=1");
}

#[cfg(target_os = "linux")]
fn say(state: &str) {
    use std::os::linux::net::SocketAddrExt as _;
    use std::os::unix::ffi::OsStrExt as _;
    use std::os::unix::net::{SocketAddr, UnixDatagram};

    let Some(place) = std::env::var_os("NOTIFY_SOCKET") else { return };
    let address = match place.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name),
        [b'/', ..] => SocketAddr::from_pathname(&place),
        _ => return,
    };
    let told = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(cause) = told {
        tracing::warn!(%cause, "the service manager could not be told that this core is {state}");
    }
}

#[cfg(not(target_os = "linux"))]
fn say(_state: &str) {}
