//! The `keybearer` binary: core, bridge and command line in one.
//!
//! No graphics and no webview. Only `serve` holds secrets; the bridge is a pipe and nothing else.

mod args;
mod exit;
mod failure;
mod out;
mod plain;
mod prompt;
mod show;

fn main() {}
