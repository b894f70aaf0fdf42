//! OAuth 2.1 and OpenID Connect as state machines: discovery, registration, sign-in, renewal, revocation.
//!
//! No I/O, no clock, no `async`, no randomness: requests come out as values, replies go in as values, and time and
//! entropy are arguments. What is known of one kind of issuer is data in `profiles/*.toml`. Everything that comes in
//! here was written by somebody else: it is parsed, judged and never believed, and nothing of it can make us panic.

mod authorize;
pub mod challenge;
mod clock;
pub mod device;
mod discovery;
pub mod doctor;
pub mod document;
pub mod exceptions;
mod identity;
pub mod login;
mod metadata;
pub mod profile;
mod pushed;
pub mod registration;
pub mod renew;
pub mod revoke;
mod scope;
mod text;
mod token;
pub mod walls;
