//! Use cases of the broker: admission, credentials, sign-in, audit, and the ports they need.
//!
//! No sockets and no operating system: what it needs of them comes through the five ports of [`ports`].

pub mod ports;
