//! The program behind `cargo xtask demo`: a small company, the real `keybearer`, two apps, and what never left the core.
//!
//! Everything that it says is checked when it says it. Absent: fixed ports, the person's own settings, stored secrets.

#![allow(clippy::print_stdout, reason = "a demo speaks on its standard output")]
#![allow(clippy::disallowed_methods, reason = "a demo starts programs and looks for a display")]

#[path = "../demo/mod.rs"]
mod demo;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args().skip(1).collect::<Vec<_>>();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(cause) => {
            println!("the demo cannot start: {cause}");
            return ExitCode::FAILURE;
        }
    };
    runtime.block_on(demo::run(&arguments))
}
