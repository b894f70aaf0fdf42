//! Use cases of the broker: admission, credentials, sign-in, audit, and the ports they need.
//!
//! No sockets and no operating system: what it needs of them comes through the five ports of [`ports`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails"))]

pub mod admission;
pub mod audit;
pub mod broker;
pub mod carriers;
pub mod clients;
pub mod config;
pub mod connect;
pub mod consent;
pub mod custody;
pub mod doctor;
pub mod foresight;
pub mod grants;
pub mod inspector;
pub mod keeper;
pub mod look;
pub mod ports;
mod programs;
mod questions;
mod registrations;
mod rounds;
#[cfg(test)]
mod samples;
pub mod sign_in;
pub mod store;
