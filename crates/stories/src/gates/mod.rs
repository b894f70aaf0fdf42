//! The reliability gates: what a person would lose, counted over many kills, expiries, faults and clients that leave.
//!
//! Each gate runs the `keybearer` program with a real keychain at a real issuer that rotates refresh tokens and ends a
//! sign-in when one is replayed. Tests run a few rounds of each, `cargo xtask gates` the full numbers.

pub mod callers;
pub mod crowd;
pub mod dice;
pub mod faults;
pub mod kills;
pub mod leavers;
pub mod progress;
pub mod relay;
pub mod works;
