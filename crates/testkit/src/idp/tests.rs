//! The issuer refuses what the RFCs refuse.

mod app;
mod codes;
mod metadata;
mod pages;
mod refreshing;
