//! Consent: questions that wait for a person at the shell, the answers, and what is kept of them.
//!
//! The desk holds the questions. One shell at a time holds the lease: it is shown them and brings the answers, and
//! nothing else can. Everything that makes an answer count is enforced here, by this process's clock: who brings it, that
//! the question could be read first, that it is in time, and that it counts once (SEC-54). No answer in time means deny.
//! The ledger keeps what a yes allows beyond the call that was asked about. No sockets and no wire format are here.

pub mod desk;
pub mod lease;
pub mod ledger;
pub mod question;
mod quiet;
mod state;

#[cfg(test)]
mod tests;
