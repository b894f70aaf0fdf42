//! `cargo xtask demo`: brings and builds what the demo company needs, then hands over to it.
//!
//! The demo itself is `keybearer-demo` in `crates/testkit`: another composition root over the same core.

use anyhow::Result;

use crate::{
    command::Run,
    places,
    setup::{self, Need},
    test, ui,
};

/// `cargo xtask demo [--keep | --script]`; the arguments are the demo's.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    setup::bring(&[Need::Build, Need::Node, Need::Session])?;
    ui::build()?;
    println!("building Keybearer; the first time takes some minutes");
    test::build()?;
    Run::new(places::executable("keybearer-demo")).args(arguments).env("PATH", setup::node_path()?).run()
}
