//! The nouns of Keybearer: ids, secrets, callers, calls, verdicts, grants.
//!
//! No I/O, no clock, no `async`: a value of this crate can be made and compared anywhere.
//! Constructors parse; what exists is valid.

pub mod call;
pub mod caller;
pub mod consent;
pub mod grant;
pub mod name;
pub mod program;
pub mod reach;
pub mod secret;
pub mod time;
pub mod url;
pub mod verdict;
