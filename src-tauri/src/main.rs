//! The desktop shell's executable.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

use keybearer_desktop::arguments::Start;

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO).init();
    let ended = Start::of(std::env::args_os().skip(1)).map_err(Into::into).and_then(keybearer_desktop::run);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "keybearer-desktop ended");
            ExitCode::FAILURE
        }
    }
}
