//! What names this machine: two machines that share a home folder must never take each other's sign-ins for their own.

/// A name of this machine that stays, and tells nobody which machine it is unless they know it already. Where the system
/// has none, its host name; where it has not even that, nothing.
pub fn id() -> String {
    of_system().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty()).unwrap_or_else(host)
}

#[cfg(target_os = "linux")]
fn of_system() -> Option<String> {
    ["/etc/machine-id", "/var/lib/dbus/machine-id"].into_iter().find_map(|path| std::fs::read_to_string(path).ok())
}

#[cfg(target_os = "macos")]
#[expect(unsafe_code, reason = "the system is asked by its C interface")]
fn of_system() -> Option<String> {
    let mut id = [0_u8; 16];
    let at_once = libc::timespec { tv_sec: 1, tv_nsec: 0 };
    // SAFETY: the system writes sixteen bytes to the first argument and reads the second.
    let told = unsafe { libc::gethostuuid(id.as_mut_ptr(), &raw const at_once) };
    (told == 0).then(|| id.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(windows)]
fn of_system() -> Option<String> {
    crate::registry::policy_value(include_str!("../units/machine-key.txt"), "MachineGuid")
}

#[cfg(not(any(target_os = "linux", target_os = "macos", windows)))]
fn of_system() -> Option<String> {
    None
}

#[cfg(unix)]
fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    String::new()
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn the_machine_has_a_name_that_stays() {
        assert!(!id().is_empty());
        assert_eq!(id(), id());
    }
}
