//! Every environment variable that Keybearer reads, once.

/// Moves the user's part (settings, state, sockets) into one folder: for tests and portable use. It never moves the
/// company's policy. Default: the folders of the operating system.
pub const HOME: &str = "KEYBEARER_HOME";

/// Log filter in `tracing`'s syntax, for example `keybearer_core=debug`. Default: `info`. Dependencies stay at `info`
/// whatever it says, because some of them write secrets at `debug`.
pub const LOG: &str = "KEYBEARER_LOG";

/// All of them, for the reference page.
pub const ALL: &[(&str, &str)] = &[
    (HOME, "moves settings, state and sockets into one folder; for tests and portable use"),
    (LOG, "log filter, for example `keybearer_core=debug`; dependencies stay at `info`"),
];
