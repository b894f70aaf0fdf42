//! The one wire contract between core, shell and command line.
//!
//! One JSON object a line, over the control socket: a [`wire::Request`] is answered by a [`wire::Reply`];
//! `watch` by a line for each new [`snapshot::Snapshot`] until the peer hangs up.
//! No message carries a token, and none can approve a call.

pub mod activity;
mod asks;
mod because;
pub mod bindings;
pub mod bridge;
pub mod client;
pub mod connect;
pub mod doctor;
pub mod env;
pub mod error;
pub mod pages;
pub mod plain;
pub mod snapshot;
pub mod view;
pub mod wire;
