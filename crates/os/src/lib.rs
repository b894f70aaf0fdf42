//! What the operating system gives to every process of ours: folders, local sockets, the identity of who connects,
//! hardening, and starting the core.
//!
//! No core, no OAuth, no keychain and no network: the bridge and the desktop shell link this crate and stay small.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "tests"))]
#![allow(clippy::disallowed_methods, reason = "what the others ask of the system is asked here")]

pub mod environment;
pub mod folders;
pub mod footprint;
pub mod harden;
pub mod interface;
pub mod local;
pub mod lock;
pub mod machine;
pub mod open_files;
pub mod own_file;
pub mod passed;
pub mod peer;
pub mod person_file;
pub mod registry;
pub mod shell;
pub mod start;
pub mod subnet;
pub mod supervisor;
pub mod switch;
pub mod tcp_peer;
pub mod tell;
pub mod terminal;
pub mod traces;
