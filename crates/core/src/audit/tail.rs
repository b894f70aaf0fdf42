//! The last records, for a person to read.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use serde_json::Value;

use super::chain::RECORDS;

/// The last `count` records, the oldest first. Lines that are no records are left out; nothing is verified.
///
/// # Errors
/// If the trail cannot be read; a trail that does not exist has no records.
pub fn tail(dir: &Path, count: usize) -> io::Result<Vec<Value>> {
    const BLOCK: u64 = 64 << 10;
    let mut file = match File::open(dir.join(RECORDS)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other?,
    };
    let mut from = file.seek(SeekFrom::End(0))?;
    let mut text = Vec::new();
    // One line more than is wanted: the first that was read may be half of one, and the last may be torn.
    while from > 0 && text.iter().filter(|byte| **byte == b'\n').count() < count.saturating_add(2) {
        let start = from.saturating_sub(BLOCK);
        let mut block = Vec::new();
        file.seek(SeekFrom::Start(start))?;
        Read::by_ref(&mut file).take(from - start).read_to_end(&mut block)?;
        block.append(&mut text);
        text = block;
        from = start;
    }
    let lines = text.split(|byte| *byte == b'\n');
    let records = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok()).filter(Value::is_object);
    let records = records.collect::<Vec<_>>();
    Ok(records.into_iter().rev().take(count).rev().collect())
}
