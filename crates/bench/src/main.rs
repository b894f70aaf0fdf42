//! `keybearer-bench MCP_REMOTE PAGE [ROUNDS]`: measures every way in interleaved rounds and writes the page.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line speaks on its standard streams")]

use std::{fs, path::Path};

use anyhow::{Context, Result};
use keybearer_bench::{peers::Ways, rest, rounds, table};

const ROUNDS: usize = 5;

/// What the numbers rest on, for whoever wants better ones.
const STANDING: &str = include_str!("standing.md");

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mcp_remote = arguments.first().context("the first argument is mcp-remote's script")?;
    let page = arguments.get(1).context("the second argument is the page to write")?;
    let rounds = arguments.get(2).map_or(Ok(ROUNDS), |rounds| rounds.parse()).context("the rounds are a number")?;
    let ways = Ways::start(Path::new(mcp_remote))?;
    let measured =
        rounds::measure(&ways, rounds, |round, seconds| eprintln!("round {round} of {rounds}: {seconds} s"))?;
    let facts = rest::table(&rest::measure(&ways)?);
    let tables = format!("{}\n## At rest, at the start, in a crowd\n\n{facts}", table::tables(&measured));
    print!("{tables}");
    fs::write(page, format!("{}{tables}\n{STANDING}", introduction(rounds))).with_context(|| format!("write `{page}`"))
}

fn introduction(rounds: usize) -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!(
        "# Benchmarks

What Keybearer adds to a call, beside going direct, nginx (which adds the same bearer) and npm `mcp-remote`.
`cargo xtask bench` measures and writes this page; everything runs on loopback, on one machine with {cores} cores.

- Medians of {rounds} rounds; in each round every way does every job, and the way that begins changes.
- Ratios are formed inside a round, so that the drift of a shared machine cancels; differences under 20 % say nothing.
- CPU is that of the way alone, of all its processes; the server and the client that measures are not counted.
- Keybearer does here all that it does: it checks the client's key or process, judges each call by its rules, attaches
  the credential, and writes one audit record a call.

"
    )
}
