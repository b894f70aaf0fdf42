//! What people see: pure functions from values to text.

pub(crate) mod arguments;
pub(crate) mod audit;
pub(crate) mod clients;
pub(crate) mod connect;
pub(crate) mod doctor;
pub(crate) mod ending;
pub(crate) mod json;
pub(crate) mod permissions;
pub(crate) mod question;
pub(crate) mod removal;
pub(crate) mod servers;
pub(crate) mod status;
pub(crate) mod table;
pub(crate) mod time;
pub(crate) mod tone;
pub(crate) mod tools;

#[cfg(test)]
pub(crate) mod samples;
