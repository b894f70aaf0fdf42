//! A grant in a key store that crashes, tears what it writes, and is opened again.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use keybearer_model::secret::Secret;
use proptest::prelude::*;

use super::Custody;
use crate::ports::{KeyStore, KeyStoreError, KeyStoreKind};
use crate::samples::grant;

/// What becomes of the write after so many more.
#[derive(Clone, Copy, Debug)]
enum Crash {
    /// It does not happen.
    Lost,
    /// Its beginning is there.
    Torn(usize),
    /// It happens, and nobody hears of it.
    Unheard,
}

/// A key store that can crash at any write; nothing works from then on, until it is opened again.
#[derive(Default)]
struct Crashing(Mutex<Inside>);

#[derive(Default)]
struct Inside {
    entries: BTreeMap<String, String>,
    crash: Option<(usize, Crash)>,
    down: bool,
}

impl Crashing {
    fn crash_at(&self, writes: usize, how: Crash) {
        self.0.lock().unwrap().crash = Some((writes, how));
    }

    fn open_again(&self) {
        let mut inside = self.0.lock().unwrap();
        (inside.crash, inside.down) = (None, false);
    }

    fn names(&self) -> Vec<String> {
        self.0.lock().unwrap().entries.keys().cloned().collect()
    }
}

impl Inside {
    fn write(&mut self, key: &str, text: Option<&str>) -> Result<(), KeyStoreError> {
        let gone = || KeyStoreError::Failed("it is down".into());
        if self.down {
            return Err(gone());
        }
        let entries = &mut self.entries;
        let mut keep = |text: Option<&str>| match text {
            Some(text) => drop(entries.insert(key.to_owned(), text.to_owned())),
            None => drop(entries.remove(key)),
        };
        match self.crash {
            Some((0, how)) => {
                match how {
                    Crash::Lost => {}
                    Crash::Torn(share) => keep(text.map(|text| &text[..text.len() * share / 100])),
                    Crash::Unheard => keep(text),
                }
                self.down = true;
                return Err(gone());
            }
            Some((left, how)) => self.crash = Some((left - 1, how)),
            None => {}
        }
        keep(text);
        Ok(())
    }
}

#[async_trait]
impl KeyStore for Crashing {
    async fn get(&self, key: &str) -> Result<Option<Secret>, KeyStoreError> {
        let inside = self.0.lock().unwrap();
        if inside.down {
            return Err(KeyStoreError::Failed("it is down".into()));
        }
        Ok(inside.entries.get(key).map(|text| Secret::new(text.clone())))
    }

    async fn put(&self, key: &str, secret: &Secret) -> Result<(), KeyStoreError> {
        self.0.lock().unwrap().write(key, Some(secret.expose()))
    }

    async fn delete(&self, key: &str) -> Result<(), KeyStoreError> {
        self.0.lock().unwrap().write(key, None)
    }

    fn kind(&self) -> KeyStoreKind {
        KeyStoreKind::System
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// The next generation is stored, perhaps with a crash on the way.
    Renew(Option<(usize, Crash)>),
    /// A deletion that belongs to a generation so much older.
    Delete(u64),
    OpenAgain,
}

fn crash() -> impl Strategy<Value = (usize, Crash)> {
    let how = prop_oneof![Just(Crash::Lost), (0_usize..100).prop_map(Crash::Torn), Just(Crash::Unheard)];
    (0_usize..3, how)
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => proptest::option::of(crash()).prop_map(Step::Renew),
        1 => (0_u64..3).prop_map(Step::Delete),
        1 => Just(Step::OpenAgain),
    ]
}

/// What must be there: a generation for certain, and perhaps the one after it.
struct Model {
    certain: u64,
    perhaps: u64,
}

async fn check(steps: Vec<Step>) {
    let keys = Arc::new(Crashing::default());
    let custody = Custody::new(Arc::clone(&keys) as _, "home", "machine");
    let id = grant(0).facts.id;
    let mut model = Model { certain: 0, perhaps: 0 };
    for step in steps {
        match step {
            Step::Renew(crash) => {
                if let Some((writes, how)) = crash {
                    keys.crash_at(writes, how);
                }
                let mut next = grant(model.perhaps + 1);
                let stored = custody.put_grant(&mut next).await;
                let tidied = match stored {
                    Ok(slot) => custody.tidy_grant(&id, slot).await,
                    Err(_) => Ok(()),
                };
                model.perhaps = next.generation;
                if stored.is_ok() {
                    model.certain = next.generation;
                }
                keys.open_again();
                if crash.is_none() {
                    assert!(stored.is_ok() && tidied.is_ok());
                    assert_eq!(keys.names().len(), 1, "what was replaced is removed");
                }
            }
            Step::Delete(older) => {
                let generation = model.perhaps.saturating_sub(older);
                custody.delete_grant(&id, generation).await.unwrap();
                let kept = custody.grant(&id).await.unwrap().map_or(0, |kept| kept.generation);
                assert!(kept == 0 || kept > generation, "{kept} was left though {generation} was deleted");
                if kept == 0 {
                    assert!(keys.names().is_empty());
                    model = Model { certain: 0, perhaps: 0 };
                }
            }
            Step::OpenAgain => keys.open_again(),
        }
        let kept = custody.grant(&id).await.unwrap().map_or(0, |kept| kept.generation);
        assert!((model.certain..=model.perhaps).contains(&kept), "{kept}, not {}..{}", model.certain, model.perhaps);
        // What is read is what the next write goes on from.
        model = Model { certain: kept, perhaps: kept };
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn sec_37_whatever_breaks_off_the_older_record_or_the_newer_one_is_there(
        steps in proptest::collection::vec(step(), 1..24)
    ) {
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(check(steps));
    }
}

#[tokio::test]
async fn sec_37_a_record_that_was_changed_counts_for_nothing() {
    let keys = Arc::new(Crashing::default());
    let custody = Custody::new(Arc::clone(&keys) as _, "home", "machine");
    let (mut first, mut second) = (grant(1), grant(2));
    custody.put_grant(&mut first).await.unwrap();
    custody.put_grant(&mut second).await.unwrap();
    assert_eq!(keys.names().len(), 2);
    let id = &first.facts.id;
    assert_eq!(custody.grant(id).await.unwrap().unwrap().generation, 2);
    for (name, text) in &mut keys.0.lock().unwrap().entries {
        if name.ends_with("/B") {
            *text = text.replace("\"generation\":2", "\"generation\":9");
        }
    }
    assert_eq!(custody.grant(id).await.unwrap().unwrap().generation, 1);
}

#[tokio::test]
async fn two_installations_never_share_an_entry() {
    let keys = Arc::new(Crashing::default());
    for (home, machine) in [("home", "one"), ("home", "two"), ("elsewhere", "one"), ("homeo", "ne")] {
        Custody::new(Arc::clone(&keys) as _, home, machine).put_grant(&mut grant(1)).await.unwrap();
    }
    assert_eq!(keys.names().len(), 4);
}
