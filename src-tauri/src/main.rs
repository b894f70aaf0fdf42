//! The desktop shell's executable.
#![cfg_attr(all(windows, not(debug_assertions)), windows_subsystem = "windows")]

use std::process::ExitCode;

use keybearer_desktop::arguments::Start;
use keybearer_os::environment::{Cleaning, clean};

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO).init();
    let ended = Start::of(std::env::args_os().skip(1)).map_err(Into::into).and_then(begin);
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "keybearer-desktop ended");
            ExitCode::FAILURE
        }
    }
}

/// The one program is two: the shell, and each sign-in window.
fn begin(start: Start) -> Result<(), Box<dyn std::error::Error>> {
    match start {
        Start::SignIn => {
            clean(Cleaning::Whole)?;
            keybearer_desktop::sign_in::run()
        }
        Start::Window | Start::Tray => {
            // A test drives the shell's own window by WebDriver, in builds for that alone.
            clean(if cfg!(debug_assertions) { Cleaning::AllButAutomation } else { Cleaning::Whole })?;
            keybearer_desktop::run(start)
        }
    }
}
