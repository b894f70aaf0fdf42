//! Reads the whole trail and says whether it is as it was written.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use super::chain::{Head, RECORDS, Walk, hash};

/// A trail that is as it was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// How many records it has.
    pub records: u64,
    /// How many lines were cut off by a crash earlier and are followed by the record that says so.
    pub repaired: u64,
    /// Whether it ends in the middle of a line: a crash, or a record that is being written right now.
    pub torn_tail: bool,
}

/// Why a trail does not verify.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// It cannot be read.
    #[error("the audit trail cannot be read: {0}")]
    Unreadable(#[from] io::Error),
    /// It was changed.
    #[error("line {line} of the audit trail: {tampering}")]
    Tampered {
        /// The line where it shows, from 1.
        line: u64,
        /// What shows there.
        tampering: Tampering,
    },
}

/// How a change shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Tampering {
    /// The hash is not that of the line before.
    #[error("the line before it was changed, or lines were moved or removed")]
    Changed,
    /// The numbers do not follow each other.
    #[error("its number does not follow")]
    Numbering,
    /// Something else stands where a record should.
    #[error("it is no record")]
    NotARecord,
    /// The end is missing.
    #[error("records are missing at the end")]
    CutOff,
    /// The line that the head speaks of is another one.
    #[error("it is not the record that was written last")]
    WrongHead,
    /// The head is missing.
    #[error("`audit.head` is missing or damaged")]
    NoHead,
    /// The trail itself says that it was found changed.
    #[error("the trail was found changed here")]
    Discontinued,
}

/// Verifies the trail in `dir`. A core may be writing to it meanwhile.
///
/// # Errors
/// At the first line where it shows that the trail is not as it was written.
pub fn verify(dir: &Path) -> Result<Verified, VerifyError> {
    // The head first: what is written between the two readings is behind it.
    let head = Head::read(dir)?;
    let file = match File::open(dir.join(RECORDS)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return match head {
                Some(head) if head.seq > 0 => at(1, Tampering::CutOff),
                Some(_) | None => Ok(Verified::default()),
            };
        }
        Err(error) => return Err(error.into()),
    };
    let Some(head) = head else {
        return if file.metadata()?.len() == 0 { Ok(Verified::default()) } else { at(1, Tampering::NoHead) };
    };
    follow(BufReader::new(file), &head)
}

fn follow(mut lines: impl BufRead, head: &Head) -> Result<Verified, VerifyError> {
    let mut walk = Walk::from_the_start();
    let (mut number, mut offset) = (0, 0);
    let mut head_seen = *head == Head { seq: 0, bytes: 0, hash: hash(b"") };
    let mut torn_tail = false;
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        number += 1;
        let length = line.len() as u64;
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            if offset < head.bytes {
                return at(number, Tampering::CutOff);
            }
            torn_tail = true;
            break;
        }
        walk.step(&line).or_else(|tampering| at(number, tampering))?;
        offset += length;
        if offset == head.bytes {
            head_seen = walk.seq == head.seq && walk.hash == head.hash;
            if !head_seen {
                return at(number, Tampering::WrongHead);
            }
        }
        line.clear();
    }
    if offset < head.bytes {
        return at(number + 1, Tampering::CutOff);
    }
    if !head_seen {
        return at(number, Tampering::WrongHead);
    }
    // A whole line that is no record can be the last one only in the moment before it is followed by its repair.
    let unfinished = walk.end().is_err();
    if unfinished && torn_tail {
        return at(number, Tampering::NotARecord);
    }
    Ok(Verified { records: walk.seq, repaired: walk.repaired, torn_tail: torn_tail || unfinished })
}

fn at<T>(line: u64, tampering: Tampering) -> Result<T, VerifyError> {
    Err(VerifyError::Tampered { line, tampering })
}
