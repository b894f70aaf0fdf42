//! A stamp says what a part was made from, so that it is made again only when that changed.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use crate::places;

/// The record of one part.
pub(super) struct Stamp {
    file: PathBuf,
    made_from: String,
}

impl Stamp {
    /// A part that is made from a text of ours and from files.
    pub(super) fn new(name: &str, text: &str, files: &[&Path]) -> Result<Self> {
        let mut made_from = text.to_owned();
        for file in files {
            let content = fs::read_to_string(file).with_context(|| format!("read `{}`", file.display()))?;
            made_from.push('\n');
            made_from.push_str(&content);
        }
        Ok(Self { file: places::parts().join(format!("{name}.stamp")), made_from })
    }

    /// Whether the part was made from the same things.
    pub(super) fn is_current(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|written| written == self.made_from)
    }

    /// Records that the part is made.
    pub(super) fn write(&self) -> Result<()> {
        fs::create_dir_all(places::parts()).context("make `target/parts`")?;
        fs::write(&self.file, &self.made_from).with_context(|| format!("write `{}`", self.file.display()))
    }
}
