//! What becomes of a file, and what is remembered of it: connecting, connecting again, and taking it back.

use std::path::PathBuf;

use keybearer_model::name::ClientName;
use keybearer_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::edit::{self, EditError, Format, Op, Piece};
use super::template::Filled;

/// What is remembered of a connected client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Which client of the catalogue.
    pub client: String,
    /// Under which name it is registered, if it is.
    pub registered: Option<ClientName>,
    /// How it reaches us.
    pub transport: String,
    /// Where it runs, where that makes a difference.
    pub placement: Option<String>,
    /// The servers that were named; empty means all.
    pub servers: Vec<String>,
    /// Its files.
    pub files: Vec<FileRecord>,
    /// When.
    pub since: Timestamp,
}

/// What is remembered of a file. No entry stands in it, only digests: an entry may hold a key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Where it is.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// A copy of it without us; absent if there was no file.
    pub backup: Option<PathBuf>,
    /// The digest of that copy.
    pub original: Option<String>,
    /// The digest of what was written.
    pub written: String,
    /// What was put in.
    pub entries: Vec<EntryRecord>,
    /// The folders that were made for it, the outermost first.
    pub folders: Vec<PathBuf>,
}

/// What was put in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// The keys on the way.
    pub at: Vec<String>,
    /// Whether it is an item of a list.
    pub item: bool,
    /// The digest of its value.
    pub digest: String,
    /// How many of the keys were there before.
    pub found: usize,
}

/// A file as it stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Standing<'a> {
    /// What is in it; `None` if there is none.
    pub text: Option<&'a str>,
    /// What is remembered of it.
    pub record: Option<&'a FileRecord>,
    /// The copy that is remembered, if it is there and is what it was.
    pub original: Option<&'a str>,
}

/// A changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The file without us: what is kept as a copy; `None` if there is none.
    pub base: Option<String>,
    /// What is to be written.
    pub text: String,
    /// What is put in, for a preview.
    pub pieces: Vec<Piece>,
    /// What is to be remembered.
    pub entries: Vec<EntryRecord>,
}

/// What a file becomes when we leave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undone {
    /// There is nothing of ours in it, or no file.
    Nothing,
    /// It did not exist before.
    Removed,
    /// The bytes that it had before.
    Restored(String),
    /// Its present text without our entries: somebody else has changed it meanwhile.
    Cut(String),
}

/// Why a file is left alone.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The text itself stands in the way.
    #[error(transparent)]
    Edit(#[from] EditError),
    /// Somebody has changed our entry.
    #[error("`{0}` was changed since keybearer wrote it")]
    Drifted(String),
}

/// Puts the changes in. What we put in before goes first.
///
/// # Errors
/// If the file is not understood, something else stands there, or somebody has changed our entry.
pub fn plan(format: Format, standing: Standing<'_>, changes: &[Filled]) -> Result<Planned, PlanError> {
    let base = match undo(standing)? {
        Undone::Nothing => standing.text.map(ToOwned::to_owned),
        Undone::Removed => None,
        Undone::Restored(text) | Undone::Cut(text) => Some(text),
    };
    let mut text = base.clone().unwrap_or_default();
    let (mut pieces, mut entries) = (Vec::new(), Vec::new());
    for change in changes {
        if let Some(at) = &change.only_where
            && edit::find(&edit::read(format, &text)?, at).is_none()
        {
            continue;
        }
        let edited = edit::apply(format, &text, &change.op)?;
        if edited.text != text {
            entries.push(EntryRecord::of(&change.op, edited.found));
            pieces.extend(edited.pieces);
        }
        text = edited.text;
    }
    Ok(Planned { base, text, pieces, entries })
}

/// Takes out what we put in, and nothing else.
///
/// # Errors
/// If the file is not understood, or somebody has changed our entry.
pub fn undo(standing: Standing<'_>) -> Result<Undone, PlanError> {
    let (Some(text), Some(record)) = (standing.text, standing.record) else { return Ok(Undone::Nothing) };
    if digest(text) == record.written {
        match (&record.original, standing.original) {
            (None, _) => return Ok(Undone::Removed),
            (Some(known), Some(original)) if digest(original) == *known => {
                return Ok(Undone::Restored(original.to_owned()));
            }
            (Some(_), _) => {}
        }
    }
    let mut left = text.to_owned();
    for entry in record.entries.iter().rev() {
        if let Some(op) = entry.op_in(&edit::read(record.format, &left)?)? {
            left = edit::revert(record.format, &left, &op, entry.found)?;
        }
    }
    let nothing = matches!(left.trim(), "" | "{}");
    Ok(match record.original {
        None if nothing => Undone::Removed,
        _ if left == text => Undone::Nothing,
        _ => Undone::Cut(left),
    })
}

impl EntryRecord {
    fn of(op: &Op, found: usize) -> Self {
        let (item, value) = match op {
            Op::Put { value, .. } => (false, value),
            Op::Add { item, .. } => (true, item),
        };
        Self { at: op.at().to_vec(), item, digest: digest(&value.to_string()), found }
    }

    /// The change that we made, as the file shows it; `None` if somebody has taken it out.
    fn op_in(&self, file: &Value) -> Result<Option<Op>, PlanError> {
        let Some(found) = edit::find(file, &self.at) else { return Ok(None) };
        let ours = |value: &Value| digest(&value.to_string()) == self.digest;
        if self.item {
            let item = found.as_array().into_iter().flatten().find(|item| ours(item));
            return Ok(item.map(|item| Op::Add { at: self.at.clone(), item: item.clone() }));
        }
        if !ours(found) {
            return Err(PlanError::Drifted(self.at.join(".")));
        }
        Ok(Some(Op::Put { at: self.at.clone(), value: found.clone() }))
    }
}

/// What must not change between a preview and the write: the paths, whether there is a file, what stands where our
/// entries go, and the entries, in which a placeholder stands for the key.
#[derive(Default)]
pub struct Precondition(Sha256);

impl Precondition {
    /// One more thing that was looked at.
    pub fn note(&mut self, what: &str) {
        self.0.update((what.len() as u64).to_be_bytes());
        self.0.update(what);
    }

    /// A file and its changes.
    ///
    /// # Errors
    /// If the file is not understood.
    pub fn file(
        &mut self,
        path: &str,
        format: Format,
        text: Option<&str>,
        changes: &[Filled],
    ) -> Result<(), EditError> {
        self.note(path);
        self.note(if text.is_some() { "there" } else { "not there" });
        let standing = edit::read(format, text.unwrap_or_default())?;
        for change in changes {
            self.note(&edit::find(&standing, change.op.at()).map(ToString::to_string).unwrap_or_default());
            self.note(&format!("{:?}", change.op));
        }
        Ok(())
    }

    /// All of it, short enough to be passed on.
    pub fn token(self) -> String {
        hex(&self.0.finalize()[..16])
    }
}

/// The SHA-256 of a text.
pub fn digest(text: &str) -> String {
    hex(&Sha256::digest(text))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests;
