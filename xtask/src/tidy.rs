//! Rules of the house that a program can check, one module each: text in, problems out.
//!
//! What clippy, rustfmt and cargo-deny can say is theirs; here is what they have no word for.

mod captions;
mod commands;
mod dependencies;
mod edges;
mod names;
mod places;
mod sites;
mod sizes;
mod systems;
mod tree;
mod unfinished;
mod vendors;

use anyhow::{Result, bail};
use tree::Tree;

/// Something that breaks a rule, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    file: String,
    line: usize,
    text: String,
}

impl Problem {
    fn new(file: &str, line: usize, text: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, text: text.into() }
    }
}

type Rule = fn(&Tree) -> Result<Vec<Problem>>;

const RULES: [Rule; 11] = [
    captions::check,
    commands::check,
    dependencies::check,
    edges::check,
    names::check,
    places::check,
    sites::check_expose,
    sizes::check,
    systems::check,
    unfinished::check,
    vendors::check,
];

/// `cargo xtask tidy`.
pub(crate) fn command() -> Result<()> {
    let tree = Tree::read()?;
    let mut problems = Vec::new();
    for rule in RULES {
        problems.extend(rule(&tree)?);
    }
    for Problem { file, line, text } in &problems {
        println!("{file}:{line}: {text}");
    }
    match problems.len() {
        0 => {
            println!("tidy: {} files keep {} rules", tree.files.len(), RULES.len());
            Ok(())
        }
        count => bail!("tidy found {count} problems"),
    }
}
