//! Brings what is missing, and only that: system packages, Node, npm and PyPI packages, cargo-deny.
//!
//! Everything but system packages goes to `target/parts` (npm packages beside the scripts that import them) and is
//! stamped with what it was made from; a second run with the same lock files does nothing.

mod deny;
mod node;
mod packages;
mod python;
mod stamp;

use anyhow::{Result, bail};

pub(crate) use deny::cargo_deny;
pub(crate) use node::{node_path, npm};

/// Why something is needed; each command asks for its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Compiling the desktop package.
    Build,
    /// The issuer, the servers and the clients that run on Node.
    Node,
    /// The server and the client that run on Python.
    Python,
    /// A display, a session bus and a keychain for tests.
    Session,
    /// Licences, bans and sources.
    Deny,
    /// The Windows compiler and Wine.
    Windows,
    /// The rivals in the benchmark.
    Bench,
    /// Packers, what signs and verifies packages, and what looks for mistakes in them.
    Dist,
}

const NEEDS: [(&str, Need); 8] = [
    ("build", Need::Build),
    ("node", Need::Node),
    ("python", Need::Python),
    ("session", Need::Session),
    ("deny", Need::Deny),
    ("windows", Need::Windows),
    ("bench", Need::Bench),
    ("dist", Need::Dist),
];

/// `cargo xtask setup [NEED...]`.
pub(crate) fn command(arguments: &[String]) -> Result<()> {
    if arguments.is_empty() {
        return bring(&[Need::Build, Need::Node, Need::Python, Need::Session, Need::Deny]);
    }
    let mut needs = Vec::new();
    for argument in arguments {
        match NEEDS.iter().find(|(name, _)| name == argument) {
            Some((_, need)) => needs.push(*need),
            None => bail!("`{argument}` is no need; there are {}", NEEDS.map(|(name, _)| name).join(", ")),
        }
    }
    bring(&needs)
}

/// Makes sure that everything for these needs is there.
pub(crate) fn bring(needs: &[Need]) -> Result<()> {
    packages::bring(needs)?;
    if needs.contains(&Need::Node) {
        node::bring()?;
    }
    if needs.contains(&Need::Python) {
        python::bring()?;
    }
    if needs.contains(&Need::Deny) {
        deny::bring()?;
    }
    Ok(())
}
