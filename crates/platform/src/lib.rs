//! Adapters for the core's ports: the keychain, the browser, HTTP to issuers, the clock.
//!
//! No rules of Keybearer's own: what may be asked, stored or shown is decided in the core. Here is only how this
//! machine does it, and the guards that belong to the doing: which addresses are reached, what is given to a browser.

#![allow(clippy::disallowed_methods, reason = "what the core asks of the system is asked here")]

pub mod browser;
pub mod chance;
pub mod clock;
pub mod keys;
pub mod tls;
pub mod web;
