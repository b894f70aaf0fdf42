//! The two files: how lines hang together, what the head says, and where a trail goes on.

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use keybearer_model::time::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{Event, Tampering};

/// The records.
pub(super) const RECORDS: &str = "audit.jsonl";

/// How far they go.
pub(super) const HEAD: &str = "audit.head";

/// How far the trail goes: written only after the records that it speaks of are on the disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    /// The number of the last record.
    pub(super) seq: u64,
    /// How many bytes all records have.
    pub(super) bytes: u64,
    /// The hash of the last line.
    pub(super) hash: String,
}

impl Head {
    fn of_nothing() -> Self {
        Self { seq: 0, bytes: 0, hash: hash(b"") }
    }

    /// Reads the head; `None` if there is none or it cannot be understood.
    pub(super) fn read(dir: &Path) -> io::Result<Option<Self>> {
        match std::fs::read(dir.join(HEAD)) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes).ok()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn write(&self, dir: &Path) -> io::Result<()> {
        let beside = dir.join("audit.head.new");
        let mut file = File::create(&beside)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        file.sync_all()?;
        std::fs::rename(beside, dir.join(HEAD))
    }
}

/// SHA-256 of a line's bytes, in hexadecimal.
pub(super) fn hash(line: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digest = Sha256::digest(line);
    let mut text = String::with_capacity(2 * digest.len());
    for byte in digest {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 0xf)]));
    }
    text
}

/// Goes along lines and holds each to the one before.
#[derive(Debug)]
pub(super) struct Walk {
    /// The number of the last record.
    pub(super) seq: u64,
    /// The hash of the last line, record or not.
    pub(super) hash: String,
    /// The length of the last line, if it is no record and nothing has said yet that a crash cut it off.
    torn: Option<u64>,
    /// How many torn lines were followed by the record that says so.
    pub(super) repaired: u64,
}

#[derive(Deserialize)]
struct Link<'a> {
    seq: u64,
    #[serde(borrow)]
    prev: Cow<'a, str>,
    #[serde(borrow)]
    event: Cow<'a, str>,
    torn_bytes: Option<u64>,
}

impl Walk {
    pub(super) fn from(head: &Head) -> Self {
        Self { seq: head.seq, hash: head.hash.clone(), torn: None, repaired: 0 }
    }

    pub(super) fn from_the_start() -> Self {
        Self::from(&Head::of_nothing())
    }

    /// Takes the next line, without its line feed.
    pub(super) fn step(&mut self, line: &[u8]) -> Result<(), Tampering> {
        let Ok(link) = serde_json::from_slice::<Link<'_>>(line) else {
            if self.torn.is_some() {
                return Err(Tampering::NotARecord);
            }
            self.torn = Some(line.len() as u64);
            self.hash = hash(line);
            return Ok(());
        };
        if link.event == "discontinued" {
            return Err(Tampering::Discontinued);
        }
        if link.prev != self.hash {
            return Err(Tampering::Changed);
        }
        if link.seq != self.seq + 1 {
            return Err(Tampering::Numbering);
        }
        match self.torn.take() {
            Some(_) if link.event == "repaired" && link.torn_bytes.is_some() => self.repaired += 1,
            Some(_) => return Err(Tampering::NotARecord),
            None => {}
        }
        self.seq = link.seq;
        self.hash = hash(line);
        Ok(())
    }

    /// That the last line was a record.
    pub(super) fn end(&self) -> Result<(), Tampering> {
        if self.torn.is_some() { Err(Tampering::NotARecord) } else { Ok(()) }
    }
}

/// The open end of a trail.
#[derive(Debug)]
pub(super) struct Chain {
    dir: PathBuf,
    file: File,
    head: Head,
}

impl Chain {
    /// Opens the trail where it ends. If it does not end as it was left, what is to be recorded first comes with it.
    pub(super) fn open(dir: &Path) -> io::Result<(Self, Option<Event>)> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(dir.join(RECORDS))?;
        let length = file.metadata()?.len();
        let (head, note) = match (Head::read(dir)?, length) {
            (None, 0) => (Head::of_nothing(), None),
            (None, _) => discontinued(&mut file, 0, "the head file is missing")?,
            (Some(head), _) => go_on(&mut file, &head, length)?,
        };
        Ok((Self { dir: dir.to_owned(), file, head }, note))
    }

    /// The number of the last record.
    pub(super) fn seq(&self) -> u64 {
        self.head.seq
    }

    /// Writes records in one go. After an error nothing of them should be there, and the chain has to be opened anew.
    pub(super) fn append<'w>(&mut self, records: impl Iterator<Item = (Timestamp, &'w [u8])>) -> io::Result<()> {
        let mut head = self.head.clone();
        let mut lines = Vec::new();
        for (time, words) in records {
            head.seq += 1;
            let begin = lines.len();
            // Its place goes before what it says: both are one object.
            write!(lines, r#"{{"seq":{},"time":"{time}","prev":"{}","#, head.seq, head.hash)?;
            lines.extend_from_slice(words.strip_prefix(b"{").unwrap_or(words));
            head.hash = hash(lines.get(begin..).unwrap_or_default());
            lines.push(b'\n');
        }
        if let Err(error) = self.file.write_all(&lines) {
            // A full disk takes half a line; what it took is taken back, as far as it can be.
            let whole = OpenOptions::new().write(true).open(self.dir.join(RECORDS));
            let _ = whole.and_then(|file| file.set_len(self.head.bytes));
            return Err(error);
        }
        head.bytes += lines.len() as u64;
        self.head = head;
        Ok(())
    }

    /// Brings everything to the disk, and then the head.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()?;
        self.head.write(&self.dir)
    }
}

/// Goes on behind what the head speaks of: whole records, and perhaps one that a crash cut off.
fn go_on(file: &mut File, head: &Head, length: u64) -> io::Result<(Head, Option<Event>)> {
    if head.bytes > length {
        return discontinued(file, head.seq, "records are missing at the end");
    }
    if hash(&line_before(file, head.bytes)?) != head.hash {
        return discontinued(file, head.seq, "the last record is not the one that was written");
    }
    file.seek(SeekFrom::Start(head.bytes))?;
    let mut walk = Walk::from(head);
    let mut rest = BufReader::new(&mut *file).take(length - head.bytes);
    let mut line = Vec::new();
    while rest.read_until(b'\n', &mut line)? > 0 {
        let whole = line.pop_if(|byte| *byte == b'\n').is_some();
        if walk.step(&line).is_err() {
            return discontinued(file, walk.seq.max(head.seq), "records were changed");
        }
        if !whole {
            return mend(file, length, &walk, line.len() as u64);
        }
        line.clear();
    }
    if walk.end().is_err() {
        // A crash came between the end of the torn line and the record that speaks of it.
        let torn_bytes = line_before(file, length)?.len() as u64;
        let head = Head { seq: walk.seq, bytes: length, hash: walk.hash };
        return Ok((head, Some(Event::Repaired { torn_bytes })));
    }
    Ok((Head { seq: walk.seq, bytes: length, hash: walk.hash }, None))
}

/// Ends a line that has no end. If that makes it a whole record nothing is lost and nothing to be said.
fn mend(file: &mut File, length: u64, walk: &Walk, torn_bytes: u64) -> io::Result<(Head, Option<Event>)> {
    file.write_all(b"\n")?;
    let head = Head { seq: walk.seq, bytes: length + 1, hash: walk.hash.clone() };
    Ok((head, walk.end().is_err().then_some(Event::Repaired { torn_bytes })))
}

/// Goes on behind a trail that is not as it was left, with a record that keeps the fact.
fn discontinued(file: &mut File, seq: u64, found: &str) -> io::Result<(Head, Option<Event>)> {
    let mut length = file.metadata()?.len();
    if length > 0 && byte_at(file, length - 1)? != b'\n' {
        file.write_all(b"\n")?;
        length += 1;
    }
    let last = line_before(file, length)?;
    let last_seq = serde_json::from_slice::<Link<'_>>(&last).map_or(0, |link| link.seq);
    let head = Head { seq: seq.max(last_seq), bytes: length, hash: hash(&last) };
    Ok((head, Some(Event::Discontinued { found: found.to_owned() })))
}

/// The line whose line feed is the byte before `end`; empty at the start of the file.
fn line_before(file: &mut File, end: u64) -> io::Result<Vec<u8>> {
    const BLOCK: u64 = 4096;
    let Some(end) = end.checked_sub(1) else { return Ok(Vec::new()) };
    let mut line = Vec::new();
    let mut from = end;
    while from > 0 {
        let start = from.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(file).take(from - start).read_to_end(&mut block)?;
        let feed = block.iter().rposition(|byte| *byte == b'\n');
        let tail = block.split_off(feed.map_or(0, |feed| feed + 1));
        line.splice(..0, tail);
        if feed.is_some() {
            break;
        }
        from = start;
    }
    Ok(line)
}

fn byte_at(file: &mut File, at: u64) -> io::Result<u8> {
    let mut byte = [0];
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}
