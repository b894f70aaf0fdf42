//! What is known of the ends of sign-ins: of the present ones, and how long earlier ones lasted.

use std::time::Duration;

use keybearer_model::name::GrantId;
use keybearer_model::time::Timestamp;
use rusqlite::{OptionalExtension as _, params};

use super::{Store, StoreError};
use crate::foresight::Course;

/// Of so many earlier sign-ins the lives are remembered.
const REMEMBERED: i64 = 5;

impl Store {
    /// What is known of a grant's course; nothing, for a new one.
    pub(crate) fn course(&self, id: &GrantId) -> Result<Course, StoreError> {
        let row: Option<Option<String>> = self
            .connection()
            .query_row("SELECT course FROM grants WHERE id = ?1", [id.as_str()], |row| row.get(0))
            .optional()?;
        Ok(row.flatten().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Remembers it.
    pub(crate) fn put_course(&self, id: &GrantId, course: &Course) -> Result<(), StoreError> {
        let text = serde_json::to_string(course).unwrap_or_default();
        self.connection().execute("UPDATE grants SET course = ?2 WHERE id = ?1", params![id.as_str(), text])?;
        Ok(())
    }

    /// How long the last sign-ins at an issuer lasted, the newest first. Whose client it was is not asked: one that
    /// registers itself may be another each time.
    pub(crate) fn lives(&self, issuer: &str) -> Result<Vec<Duration>, StoreError> {
        let connection = self.connection();
        let mut statement =
            connection.prepare("SELECT seconds FROM lives WHERE issuer = ?1 ORDER BY ended DESC LIMIT ?2")?;
        let rows = statement.query_map(params![issuer, REMEMBERED], |row| row.get::<_, u32>(0))?;
        Ok(rows.filter_map(|seconds| Some(Duration::from_secs(seconds.ok()?.into()))).collect())
    }

    /// Remembers how long one lasted that ended `at`.
    pub(crate) fn add_life(&self, issuer: &str, life: Duration, at: Timestamp) -> Result<(), StoreError> {
        let seconds = u32::try_from(life.as_secs()).unwrap_or(u32::MAX);
        let connection = self.connection();
        connection.execute(
            "INSERT INTO lives (issuer, seconds, ended) VALUES (?1, ?2, ?3)",
            params![issuer, seconds, at.as_millis()],
        )?;
        connection.execute(
            "DELETE FROM lives WHERE issuer = ?1 AND rowid NOT IN
             (SELECT rowid FROM lives WHERE issuer = ?1 ORDER BY ended DESC LIMIT ?2)",
            params![issuer, REMEMBERED],
        )?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::facts;

    #[test]
    fn courses_go_with_their_sign_in_and_lives_outlast_them() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let facts = facts();
        store.put_grant(&facts).unwrap();
        assert_eq!(store.course(&facts.id).unwrap(), Course::default());
        let course = Course { said: Some(Timestamp::from_millis(5)), ..Course::default() };
        store.put_course(&facts.id, &course).unwrap();
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.course(&facts.id).unwrap(), course);
        store.put_grant(&facts).unwrap();
        assert_eq!(store.course(&facts.id).unwrap(), Course::default(), "another sign-in begins anew");
        for n in 1..=9 {
            store.add_life("https://idp.test", Duration::from_secs(n), Timestamp::from_millis(n as i64)).unwrap();
        }
        let lives: Vec<_> = store.lives("https://idp.test").unwrap().iter().map(Duration::as_secs).collect();
        assert_eq!(lives, [9, 8, 7, 6, 5]);
        assert_eq!(store.lives("https://other.test").unwrap(), []);
    }
}
