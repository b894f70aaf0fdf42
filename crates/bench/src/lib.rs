//! What Keybearer adds to a call, measured beside going direct, nginx and mcp-remote.
//!
//! Three programs: `upstream` (a fast MCP server), `load` (a client that measures), `keybearer-bench` (starts every way
//! in turn and writes the table). Loopback only; nothing here is shipped, and no crate of ours is linked.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock and starts programs")]

pub mod cpu;
pub mod http_load;
pub mod message;
pub mod numbers;
pub mod peer;
pub mod peers;
pub mod rest;
pub mod rounds;
pub mod stdio_load;
pub mod table;
