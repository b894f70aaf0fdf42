//! What the stories of `tests/` share: starting real parts, running a real core, looking through what was written.
//!
//! Nothing here is a stand-in: issuers, servers, clients, keychains and the core are the programs themselves. A part
//! that cannot be started fails the story; it is never skipped.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "stories start programs, and give up on them after a while")]

pub mod bridge;
pub mod clients;
pub mod company;
pub mod core;
pub mod gates;
pub mod house;
pub mod http;
pub mod keyring;
pub mod live;
pub mod parts;
pub mod raw_upstream;
pub mod search;
pub mod together;
pub mod wire;
