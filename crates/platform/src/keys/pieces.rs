//! Long secrets in a store with small entries: one Windows entry holds 2,560 bytes, and tokens are longer (SEC-38).
//!
//! A long secret is several entries and a head that names them. The pieces are written first, in the slot that is not in
//! use, and the head last: a write that breaks off leaves the older secret whole.

use keybearer_core::ports::KeyStoreError;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

pub(super) type Answer<T> = Result<T, KeyStoreError>;

/// What a store of entries must be able to do.
pub(super) trait Entries {
    /// `None` only if there certainly is no such entry.
    fn get(&self, name: &str) -> Answer<Option<Zeroizing<Vec<u8>>>>;
    /// Replaces what was there.
    fn put(&self, name: &str, bytes: &[u8]) -> Answer<()>;
    /// Absent is well.
    fn delete(&self, name: &str) -> Answer<()>;
}

/// A store of entries of at most `largest` bytes, used for secrets of any length.
pub(super) struct Pieces<E> {
    pub(super) entries: E,
    pub(super) largest: usize,
}

/// How a head begins. A secret that begins like this is stored in pieces, however short it is.
const MARK: &str = "keybearer:pieces";
/// More would be no token.
const MOST: usize = 64;

/// What a head says.
struct Head {
    slot: char,
    count: usize,
    digest: String,
}

impl<E: Entries> Pieces<E> {
    pub(super) fn get(&self, key: &str) -> Answer<Option<Zeroizing<Vec<u8>>>> {
        let Some(bytes) = self.entries.get(key)? else { return Ok(None) };
        let Some(head) = Head::parse(&bytes) else { return Ok(Some(bytes)) };
        let mut whole = Zeroizing::new(Vec::with_capacity(head.count * self.largest.min(4096)));
        for number in 0..head.count {
            let piece = self.entries.get(&piece(key, head.slot, number))?.ok_or_else(torn)?;
            whole.extend_from_slice(&piece);
        }
        if digest(&whole) == head.digest { Ok(Some(whole)) } else { Err(torn()) }
    }

    pub(super) fn put(&self, key: &str, secret: &[u8]) -> Answer<()> {
        let before = self.entries.get(key)?.and_then(|bytes| Head::parse(&bytes));
        let count = secret.len().div_ceil(self.largest);
        if count <= 1 && !secret.starts_with(MARK.as_bytes()) {
            self.entries.put(key, secret)?;
            return self.sweep_both(key);
        }
        if count > MOST {
            return Err(KeyStoreError::Failed("the secret is too long".into()));
        }
        let slot = if before.is_some_and(|head| head.slot == 'a') { 'b' } else { 'a' };
        for (number, bytes) in secret.chunks(self.largest).enumerate() {
            self.entries.put(&piece(key, slot, number), bytes)?;
        }
        let head = format!("{MARK} {slot} {count} {}", digest(secret));
        self.entries.put(key, head.as_bytes())?;
        self.sweep(key, slot, count)?;
        self.sweep(key, if slot == 'a' { 'b' } else { 'a' }, 0)
    }

    /// The head goes first: what is left if that is all that happens belongs to nothing, and the next write removes it.
    pub(super) fn delete(&self, key: &str) -> Answer<()> {
        self.entries.delete(key)?;
        self.sweep_both(key)
    }

    fn sweep_both(&self, key: &str) -> Answer<()> {
        // Where everything fits into one entry there are no pieces to look for.
        if self.largest == usize::MAX {
            return Ok(());
        }
        self.sweep(key, 'a', 0)?;
        self.sweep(key, 'b', 0)
    }

    /// Removes the pieces of a slot that nothing names any more: the last one first, so that what is left when this
    /// breaks off is still found from its beginning.
    fn sweep(&self, key: &str, slot: char, from: usize) -> Answer<()> {
        let mut end = from;
        while end < MOST && self.entries.get(&piece(key, slot, end))?.is_some() {
            end += 1;
        }
        (from..end).rev().try_for_each(|number| self.entries.delete(&piece(key, slot, number)))
    }
}

impl Head {
    fn parse(bytes: &[u8]) -> Option<Self> {
        let mut words = std::str::from_utf8(bytes).ok()?.strip_prefix(MARK)?.split(' ').skip(1);
        let slot = words.next().filter(|slot| ["a", "b"].contains(slot))?.chars().next()?;
        let count = words.next()?.parse().ok().filter(|count| (1..=MOST).contains(count))?;
        let digest = words.next().filter(|digest| digest.len() == 64)?.to_owned();
        words.next().is_none().then_some(Self { slot, count, digest })
    }
}

fn piece(key: &str, slot: char, number: usize) -> String {
    format!("{key}#{slot}{number}")
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn torn() -> KeyStoreError {
    KeyStoreError::Torn
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::collections::BTreeMap;

    use super::*;

    /// A store like the Credential Manager, which breaks off after a number of writes.
    #[derive(Default)]
    struct Small {
        entries: RefCell<BTreeMap<String, Vec<u8>>>,
        writes_left: Cell<Option<usize>>,
    }

    impl Small {
        fn write(&self) -> Answer<()> {
            match self.writes_left.get() {
                Some(0) => return Err(KeyStoreError::Timeout),
                left => self.writes_left.set(left.map(|left| left - 1)),
            }
            Ok(())
        }
    }

    impl Entries for Small {
        fn get(&self, name: &str) -> Answer<Option<Zeroizing<Vec<u8>>>> {
            Ok(self.entries.borrow().get(name).cloned().map(Zeroizing::new))
        }

        fn put(&self, name: &str, bytes: &[u8]) -> Answer<()> {
            self.write()?;
            assert!(bytes.len() <= 2_560, "the system would refuse it");
            self.entries.borrow_mut().insert(name.into(), bytes.into());
            Ok(())
        }

        fn delete(&self, name: &str) -> Answer<()> {
            self.write()?;
            self.entries.borrow_mut().remove(name);
            Ok(())
        }
    }

    fn store() -> Pieces<Small> {
        Pieces { entries: Small::default(), largest: 2_400 }
    }

    fn names(store: &Pieces<Small>) -> Vec<String> {
        store.entries.entries.borrow().keys().cloned().collect()
    }

    #[test]
    fn secrets_of_every_length_come_back_and_leave_nothing_behind() {
        let store = store();
        for length in [0_usize, 1, 2_399, 2_400, 2_401, 65_536, 4_801, 100_000, 7, 65_536, 5_000] {
            let secret = (0..length).map(|i| u8::try_from(i % 251).unwrap()).collect::<Vec<u8>>();
            store.put("k", &secret).unwrap();
            assert_eq!(*store.get("k").unwrap().unwrap(), secret);
            let pieces = if length > 2_400 { length.div_ceil(2_400) } else { 0 };
            assert_eq!(names(&store).len(), pieces + 1, "{length}: {:?}", names(&store));
        }
        store.delete("k").unwrap();
        assert!(names(&store).is_empty() && store.get("k").unwrap().is_none());
        assert!(store.put("k", &[0; 2_400 * MOST + 1]).is_err());
    }

    #[test]
    fn a_write_that_breaks_off_leaves_the_old_or_the_new() {
        let lengths = [10, 3_000, 9_000];
        for (before, after) in lengths.into_iter().flat_map(|before| lengths.map(|after| (before, after))) {
            for writes in 0..24 {
                let store = store();
                let (old, new) = (vec![b'o'; before], vec![b'n'; after]);
                store.put("k", &old).unwrap();
                store.entries.writes_left.set(Some(writes));
                let done = store.put("k", &new).is_ok();
                store.entries.writes_left.set(None);
                let kept = store.get("k").unwrap().unwrap();
                assert!(*kept == new || (!done && *kept == old), "{before} to {after} after {writes} writes");
                // What it left is gone with the next write, or with the next deletion.
                if writes % 2 == 0 {
                    store.put("k", b"short").unwrap();
                    assert_eq!(names(&store), ["k"], "{before} to {after} after {writes} writes");
                }
                store.delete("k").unwrap();
                assert!(names(&store).is_empty(), "{before} to {after} after {writes} writes: {:?}", names(&store));
            }
        }
    }

    #[test]
    fn a_missing_or_changed_piece_is_told_and_never_passed_on() {
        let store = store();
        store.put("k", &[b'x'; 5_000]).unwrap();
        store.entries.entries.borrow_mut().get_mut("k#a1").unwrap()[0] = b'y';
        assert!(store.get("k").is_err());
        store.entries.entries.borrow_mut().remove("k#a1");
        assert!(store.get("k").is_err());
        store.put("k", b"again").unwrap();
        assert_eq!(**store.get("k").unwrap().unwrap(), *b"again");
    }

    #[test]
    fn a_secret_that_looks_like_a_head_is_a_secret() {
        let store = store();
        let cunning = format!("{MARK} a 1 {}", "0".repeat(64));
        store.put("k", cunning.as_bytes()).unwrap();
        assert_eq!(*store.get("k").unwrap().unwrap(), cunning.as_bytes());
    }
}
