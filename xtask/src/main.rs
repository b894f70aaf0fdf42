//! The project's own commands: `cargo xtask setup`, `demo`, `test`, `conformance`, `tidy`, `codegen`, `gates`,
//! `figures`, `screenshots`, `bench`, `windows`, `dist`.
//!
//! Each command is one module. Nothing here is shipped, and nothing that is shipped depends on it.

#![allow(clippy::disallowed_methods, reason = "building starts programs, reads the environment and measures time")]
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its standard streams")]

mod bench;
mod codegen;
mod command;
mod conformance;
mod demo;
mod dist;
mod figures;
mod gates;
mod icons;
mod machine;
mod places;
mod screenshots;
mod setup;
mod test;
mod tidy;
mod ui;
mod windows;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask COMMAND

  setup [NEED...]      brings what is missing: build, node, python, session, deny, windows, bench, dist; without a need, all but the last three
  demo [--keep|--script]  a small company on this machine, a sign-in, calls; --script ends by itself
  test [--only STEP]   everything that must hold before a change lands; CI runs exactly this
  conformance [--sign-ins]
                       the official conformance suite, directly and through Keybearer, compared check by check
  tidy                 checks the rules that a program can check
  codegen [--check]    writes what is generated, or only compares
  gates [GATE[=ROUNDS]]...  what kills, expiries, faults and clients that leave cost: ten thousand of each, an hour or so
  screenshots [THEME SCALE]  pictures of the real window, for docs/screenshots
  figures [--debug]    measures the packed desktop program, and writes docs/desktop.md
  bench [ROUNDS]       measures what a call costs, and writes docs/benchmarks.md
  windows              compiles everything for Windows, and runs what can run under Wine
  dist [deb|rpm|windows]...  signed packages in target/dist; docs/distribution.md has the options
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments.as_slice()),
    };
    let outcome = match command {
        "setup" => setup::command(rest),
        "demo" => demo::command(rest),
        "test" => test::command(rest),
        "conformance" => conformance::command(rest),
        "tidy" => tidy::command(),
        "codegen" => codegen::command(rest),
        "gates" => gates::command(rest),
        "screenshots" => screenshots::command(rest),
        "figures" => figures::command(rest),
        "bench" => bench::command(rest),
        "windows" => windows::command(),
        "dist" => dist::command(rest),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        _ => Err(anyhow::anyhow!("`{command}` is no command of xtask\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
