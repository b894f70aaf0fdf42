//! What a broker must know of MCP's wire: a strict look at a message, method classes, risk, headers, SSE, replies.
//!
//! Pure: no sockets, no clock, no `async`. No typed model of MCP either: a message is judged and its bytes are
//! forwarded as they came, so that a field which we do not know reaches the server all the same.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::panic, reason = "a test stops where it fails"))]

pub mod agreement;
pub mod class;
pub mod contact;
pub mod envelope;
pub mod header;
pub mod modern;
pub mod parameters;
pub mod peek;
pub mod reply;
pub mod risk;
mod scan;
pub mod sse;
