//! The `keybearer` binary: core, bridge and command line in one.
//!
//! No graphics and no webview. Only `serve` holds secrets for longer than a request; the bridge is a pipe.

mod args;
mod ask;
mod bridge;
mod commands;
mod exit;
mod failure;
mod log;
mod out;
mod plain;
mod prompt;
#[cfg(test)]
mod reference;
mod serve;
mod session;
mod settings;
mod show;
mod take_over;
mod typed;
mod updated;
mod waiting;

use std::process::ExitCode;

use clap::Parser as _;

use crate::exit::Exit;

fn main() -> ExitCode {
    // A client waits for the bridge, so it does not wait for the argument parser.
    if let Some(server) = bridge::wanted(std::env::args_os().skip(1)) {
        return bridge::run(server).into();
    }
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(told) => return usage(&told),
    };
    let format = args.format();
    match commands::run(args.command, format) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            out::failure(format, &failure);
            failure.exit.into()
        }
    }
}

/// Help and version are no errors; everything else is a command line that makes no sense.
fn usage(told: &clap::Error) -> ExitCode {
    // Nobody reads any more: nothing to tell.
    let _ = told.print();
    if told.use_stderr() { Exit::Usage.into() } else { Exit::Ok.into() }
}
