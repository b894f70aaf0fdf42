//! Keybearer's own MCP server: our own tools, and every server's tools, resources and prompts as one.
//!
//! The official library answers handshakes, subscriptions and our own tools. What belongs to a server never goes through
//! its types, which drop what they do not know: it stays as it was written and passes through that server's own session
//! at the stdio door, so that every call is judged, asked about and recorded there as the client's.

mod era;
mod events;
mod guests;
mod hear;
mod http_door;
mod hub;
mod inner;
mod line_door;
mod listing;
mod lists;
mod names;
mod open;
mod outbox;
mod raw;
mod route;
mod send;
mod sign_in;
mod slots;
mod tools;
mod uris;
mod words;

pub(crate) use events::Events;
pub(crate) use http_door::HttpDoor;
pub(crate) use line_door::LineDoor;
pub(crate) use listing::tools_of;
