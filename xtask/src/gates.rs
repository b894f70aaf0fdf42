//! `cargo xtask gates [GATE[=ROUNDS]]...`: the reliability gates with their full numbers, on loopback alone.

use anyhow::Result;

use crate::{
    command::Run,
    places,
    setup::{self, Need},
};

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    setup::bring(&[Need::Node, Need::Session])?;
    println!("building for release");
    Run::cargo()
        .args(["build", "--quiet", "--release", "-p", "keybearer-cli", "-p", "keybearer-stories", "--bins"])
        .run()?;
    Run::new(places::target().join("release/keybearer-gates")).args(arguments).run()?;
    if arguments.is_empty() { model() } else { Ok(()) }
}

/// The single flight under its model checker, with more preemptions than a test run has time for.
fn model() -> Result<()> {
    let test = Run::cargo().args(["test", "--quiet", "-p", "keybearer-core", "--test", "single_flight"]);
    test.env("LOOM_MAX_PREEMPTIONS", "5").run()
}
