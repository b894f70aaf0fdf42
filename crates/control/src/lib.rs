//! The one wire contract between core, shell and command line.
//!
//! One JSON object a line, over the control socket: a [`wire::Request`] is answered by a [`wire::Reply`];
//! `watch` by a line for each new [`snapshot::Snapshot`] until the peer hangs up.
//! No message carries a token. Questions are answered on the one connection that holds the prompter lease, which the
//! core gives to the desktop shell alone.

pub mod activity;
pub mod arguments;
mod asks;
mod because;
pub mod bindings;
pub mod bridge;
pub mod client;
pub mod connect;
pub mod doctor;
pub mod env;
pub mod error;
pub mod inspector;
pub mod pages;
pub mod plain;
pub mod prompt;
pub mod sign_in_window;
pub mod snapshot;
pub mod view;
pub mod wire;
