//! Whole sign-ins against a scripted issuer: no network, no clock, nothing but values.

#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

mod authorization;
mod device;
mod discovery;
mod exceptions;
mod hostile;
mod lasting;
mod moving;
mod proof;
mod pushed;
mod registration;
mod world;
