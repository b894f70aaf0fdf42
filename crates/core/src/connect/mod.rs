//! Connecting clients: what is known of their files, and how those are changed so that a person would not mind.
//!
//! Pure: no files, no sockets. What is known of a client is data in `clients/*.toml`; who reads and writes the files
//! is the server crate.

pub mod bundle;
pub mod catalog;
pub mod edit;
pub mod managed;
pub mod places;
pub mod plan;
pub mod read_back;
pub mod template;
