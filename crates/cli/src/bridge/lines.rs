//! Lines out of a byte stream: short ones whole, long ones in pieces.

use std::io::{self, Read};

/// How much is read at once.
const PIECE: usize = 64 << 10;

/// The longest line that is held together. A connection that breaks within a longer one leaves a part of it behind.
pub(super) const LONGEST_HELD: usize = 1 << 20;

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Chunk<'a> {
    /// Whole lines, each with its line feed.
    Lines(&'a [u8]),
    /// A piece of a line that is too long to be held. The last one, and no other, ends with the line feed.
    Piece(&'a [u8]),
}

/// Reads lines. A line that the stream's end cuts off is none.
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// What of the buffer is not given out yet.
    from: usize,
    to: usize,
    within_long: bool,
}

impl<R: Read> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, buffer: vec![0; PIECE], from: 0, to: 0, within_long: false }
    }

    /// What comes next; `None` at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Chunk<'_>>> {
        let mut searched = self.from;
        loop {
            let fresh = self.buffer.get(searched..self.to).unwrap_or_default();
            let end = if self.within_long {
                fresh.iter().position(|byte| *byte == b'\n')
            } else {
                fresh.iter().rposition(|byte| *byte == b'\n')
            };
            if let Some(end) = end {
                return Ok(Some(self.give(searched + end + 1)));
            }
            if self.to > self.from && (self.within_long || self.to - self.from >= LONGEST_HELD) {
                self.within_long = true;
                return Ok(Some(self.give(self.to)));
            }
            self.make_room();
            searched = self.to;
            match self.reader.read(self.buffer.get_mut(self.to..).unwrap_or_default()) {
                Ok(0) => return Ok(None),
                Ok(count) => self.to += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn give(&mut self, end: usize) -> Chunk<'_> {
        let given = self.buffer.get(self.from..end).unwrap_or_default();
        self.from = end;
        if !self.within_long {
            return Chunk::Lines(given);
        }
        self.within_long = given.last() != Some(&b'\n');
        Chunk::Piece(given)
    }

    /// Moves what is held to the front, and gives memory back that a long line has taken.
    fn make_room(&mut self) {
        self.buffer.copy_within(self.from..self.to, 0);
        self.to -= self.from;
        self.from = 0;
        let wanted = self.to + PIECE;
        if self.buffer.len() < wanted || (self.buffer.len() > 2 * PIECE && self.to == 0 && !self.within_long) {
            self.buffer.resize(wanted, 0);
            self.buffer.shrink_to(wanted);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives out its pieces one by one.
    struct Pieces(Vec<Vec<u8>>);

    impl Read for Pieces {
        fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
            let Some(first) = self.0.first_mut() else { return Ok(0) };
            let count = first.len().min(buf.len());
            buf[..count].copy_from_slice(&first[..count]);
            first.drain(..count);
            if first.is_empty() {
                self.0.remove(0);
            }
            Ok(count)
        }
    }

    fn read(pieces: &[&[u8]]) -> Vec<(bool, Vec<u8>)> {
        let mut lines = Lines::new(Pieces(pieces.iter().map(|piece| piece.to_vec()).collect()));
        let mut read = Vec::new();
        while let Some(chunk) = lines.next().unwrap() {
            read.push(match chunk {
                Chunk::Lines(lines) => (true, lines.to_vec()),
                Chunk::Piece(piece) => (false, piece.to_vec()),
            });
        }
        read
    }

    fn whole(text: &str) -> (bool, Vec<u8>) {
        (true, text.as_bytes().to_vec())
    }

    #[test]
    fn whole_lines_are_given_as_soon_as_they_are_there() {
        assert_eq!(
            read(&[b"{\"a\"", b":1}\n{}\n{\"b", b"\":2}\n", b"cut off"]),
            [whole("{\"a\":1}\n{}\n"), whole("{\"b\":2}\n")]
        );
    }

    #[test]
    fn a_long_line_comes_in_pieces_and_the_next_one_whole() {
        let mut long = vec![b'x'; 3 * LONGEST_HELD];
        long.extend_from_slice(b"\nnext\n");
        let read = read(&[&long]);
        let (last, pieces) = read.split_last().unwrap();
        assert_eq!(*last, whole("next\n"));
        assert!(pieces.iter().all(|(lines, _)| !lines));
        let together = pieces.iter().flat_map(|(_, piece)| piece.clone()).collect::<Vec<_>>();
        assert!(together == long[..3 * LONGEST_HELD + 1]);
        assert!(pieces.iter().rev().skip(1).all(|(_, piece)| piece.last() != Some(&b'\n')));
    }

    #[test]
    fn memory_that_a_long_line_took_is_given_back() {
        let mut long = vec![b'x'; 2 * LONGEST_HELD];
        long.push(b'\n');
        let mut lines = Lines::new(Pieces(vec![long, b"{}\n".to_vec()]));
        while lines.next().unwrap().is_some() {}
        assert!(lines.buffer.capacity() <= 2 * PIECE, "{}", lines.buffer.capacity());
    }
}
