//! A terminal that may be somebody else's at the moment: `keybearer serve &`.

/// Lets this process go on when it reads or writes its terminal from the background: it gets an error instead of being
/// stopped by the shell's job control, which would hold up every client.
#[cfg(unix)]
pub fn go_on_in_background() {
    for signal in [libc::SIGTTIN, libc::SIGTTOU] {
        // SAFETY: ignoring a signal installs no code of ours, and both signals are ones that may be ignored.
        #[expect(unsafe_code, reason = "rustix leaves signal dispositions to others")]
        unsafe {
            libc::signal(signal, libc::SIG_IGN);
        }
    }
}

/// Consoles of this system have no job control.
#[cfg(not(unix))]
pub fn go_on_in_background() {}
