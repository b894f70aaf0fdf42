//! `cargo xtask bench [ROUNDS]`: measures what Keybearer adds to a call and writes docs/benchmarks.md.

use anyhow::Result;

use crate::{
    command::Run,
    places,
    setup::{self, Need},
};

pub(crate) fn command(arguments: &[String]) -> Result<()> {
    setup::bring(&[Need::Node, Need::Bench])?;
    println!("building for release");
    Run::cargo().args(["build", "--quiet", "--release", "-p", "keybearer-cli", "-p", "keybearer-bench"]).run()?;
    let mcp_remote = places::part_scripts().join("node_modules/mcp-remote/dist/proxy.js");
    let page = places::root().join("docs/benchmarks.md");
    let bench = Run::new(places::target().join("release/keybearer-bench")).args([mcp_remote, page]);
    bench.args(arguments).env("PATH", setup::node_path()?).run()
}
