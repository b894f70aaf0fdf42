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
    Run::new(places::target().join("release/keybearer-gates")).args(arguments).run()
}
