//! When sign-ins will end: what is known of each, kept beside the grants, and whose person is to be told now.
//!
//! Nothing here is on the way of a call: owners of grants tell what they hear of an issuer, a look once a minute tells
//! the person, and who shows the state asks.

mod course;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keybearer_model::grant::GrantFacts;
use keybearer_model::name::GrantId;
use keybearer_model::time::Timestamp;

pub(crate) use self::course::Course;
pub use self::course::{Evidence, Foreseen};
use crate::grants::Ending;
use crate::store::Store;

/// What is known of the ends of all sign-ins. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Foresight(Arc<Watched>);

struct Watched {
    store: Arc<Store>,
    // Looked into for a moment by owners of grants and by who shows the state; a task would be a mailbox around a map.
    grants: Mutex<HashMap<GrantId, Followed>>,
}

/// A grant that is followed.
struct Followed {
    /// The sign-in that it is a part of.
    sign_in: GrantId,
    issuer: String,
    signed_in_at: Timestamp,
    /// How long it lasts, where that is known beforehand.
    set: Option<Duration>,
    course: Course,
    /// How long earlier ones lasted.
    lives: Vec<Duration>,
}

impl Followed {
    fn end(&self) -> Option<Foreseen> {
        self.course.end(self.signed_in_at, self.set, &self.lives)
    }
}

/// The near end of a sign-in, for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NearEnd {
    /// When, and how that is known.
    pub foreseen: Foreseen,
    /// When the person was told of it.
    pub told_at: Option<Timestamp>,
}

impl Foresight {
    pub(crate) fn new(store: Arc<Store>) -> Self {
        Self(Arc::new(Watched { store, grants: Mutex::default() }))
    }

    fn grants(&self) -> MutexGuard<'_, HashMap<GrantId, Followed>> {
        self.0.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows a grant that was found or came by a sign-in. `set` is how long it lasts, where that is known beforehand.
    pub(crate) async fn follow(&self, facts: &GrantFacts, set: Option<Duration>) {
        let (store, id) = (Arc::clone(&self.0.store), facts.id.clone());
        let issuer = facts.issuer.to_string();
        let asked = issuer.clone();
        let read = tokio::task::spawn_blocking(move || {
            Ok::<_, crate::store::StoreError>((store.course(&id)?, store.lives(&asked)?))
        });
        let (course, lives) = read.await.ok().and_then(Result::ok).unwrap_or_default();
        let (sign_in, signed_in_at) = (facts.sign_in(), facts.signed_in_at);
        let mut grants = self.grants();
        // What an owner has said meanwhile is newer than what was written.
        let course = match grants.get(&facts.id) {
            Some(known) if known.signed_in_at == signed_in_at => known.course.clone(),
            Some(_) | None => course,
        };
        grants.insert(facts.id.clone(), Followed { sign_in, issuer, signed_in_at, set, course, lives });
    }

    /// The issuer has just given a bearer for this grant, and said how long the refresh token lives, if it does.
    pub(crate) fn heard(&self, id: &GrantId, now: Timestamp, refresh_life: Option<Duration>) {
        let course = {
            let mut grants = self.grants();
            let Some(followed) = grants.get_mut(id) else { return };
            followed.course.good_at = Some(now);
            if let Some(life) = refresh_life {
                let said = now + life;
                // A later end is another one: what was told of the earlier one is settled.
                if followed.course.said.is_none_or(|before| said > before + course::SHOWN) {
                    followed.course.told_at = None;
                }
                followed.course.said = Some(said);
            }
            followed.course.clone()
        };
        self.keep(id.clone(), course);
    }

    /// A grant is over. One that its issuer ended tells how long sign-ins last there.
    pub(crate) fn ended(&self, id: &GrantId, ending: Ending) {
        let Some(followed) = self.grants().remove(id) else { return };
        let Followed { issuer, signed_in_at, course, .. } = followed;
        let Ending::Refused { at } = ending else { return };
        // It ended somewhere between the last bearer and this refusal: the earlier one warns in time.
        let life = course.good_at.unwrap_or(signed_in_at).since(signed_in_at);
        if life.is_zero() {
            return;
        }
        self.write(move |store| store.add_life(&issuer, life, at));
    }

    /// The end of a sign-in, if it is near.
    pub(crate) fn near(&self, sign_in: &GrantId, now: Timestamp) -> Option<NearEnd> {
        let grants = self.grants();
        let ends = grants.values().filter(|followed| followed.sign_in == *sign_in);
        let ends = ends.filter_map(|followed| Some((followed.end()?, followed.course.told_at)));
        let near = ends.filter(|(end, _)| course::is_near(*end, now)).min_by_key(|(end, _)| end.at)?;
        Some(NearEnd { foreseen: near.0, told_at: near.1 })
    }

    /// Whether the person is to be told now that a sign-in ends; they count as told from then on.
    pub(crate) fn tell(&self, sign_in: &GrantId, now: Timestamp) -> Option<Foreseen> {
        let mut told = Vec::new();
        let end = {
            let mut grants = self.grants();
            let all = grants.iter_mut().filter(|(_, followed)| followed.sign_in == *sign_in);
            let mut all: Vec<_> = all.collect();
            // One sign-in has many grants where each server needs its own: it is told of once.
            let quiet = all.iter().filter_map(|(_, followed)| followed.course.told_at).max();
            let due = all.iter().filter_map(|(_, followed)| {
                let end = followed.end()?;
                Course { told_at: quiet, ..followed.course.clone() }.is_due(end, now).then_some(end)
            });
            let end = due.min_by_key(|end| end.at)?;
            for (id, followed) in &mut all {
                followed.course.told_at = Some(now);
                told.push(((*id).clone(), followed.course.clone()));
            }
            end
        };
        for (id, course) in told {
            self.keep(id, course);
        }
        Some(end)
    }

    fn keep(&self, id: GrantId, course: Course) {
        self.write(move |store| store.put_course(&id, &course));
    }

    /// Writes in the background: what is lost of it is a warning that comes twice, or a lesson.
    fn write(&self, change: impl FnOnce(&Store) -> Result<(), crate::store::StoreError> + Send + 'static) {
        let store = Arc::clone(&self.0.store);
        tokio::task::spawn_blocking(move || {
            if let Err(error) = change(&store) {
                tracing::warn!(%error, "when a sign-in ends could not be written down");
            }
        });
    }
}
