//! The rows of consents.

use rusqlite::{OptionalExtension as _, params};

use super::{Store, StoreError};

/// A row: its number, whose it is, and the rest as the ledger writes it.
pub(crate) type Row = (u64, [u8; 32], String);

impl Store {
    /// All consents, and the last number that was ever given.
    pub(crate) fn consents(&self) -> Result<(Vec<Row>, u64), StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT number, principal, facts FROM consents ORDER BY number")?;
        let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let rows = rows.collect::<Result<Vec<(i64, [u8; 32], String)>, _>>()?;
        let rows =
            rows.into_iter().filter_map(|(number, principal, facts)| Some((number.try_into().ok()?, principal, facts)));
        let last: Option<i64> = connection
            .query_row("SELECT seq FROM sqlite_sequence WHERE name = 'consents'", [], |row| row.get(0))
            .optional()?;
        Ok((rows.collect(), last.and_then(|last| last.try_into().ok()).unwrap_or(0)))
    }

    /// Keeps a consent.
    pub(crate) fn put_consent(&self, number: u64, principal: &[u8; 32], facts: &str) -> Result<(), StoreError> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.connection().execute(
            "INSERT OR IGNORE INTO consents (number, principal, facts) VALUES (?1, ?2, ?3)",
            params![number, principal, facts],
        )?;
        Ok(())
    }

    /// Forgets consents.
    pub(crate) fn remove_consents(&self, numbers: &[u64]) -> Result<(), StoreError> {
        let connection = self.connection();
        for number in numbers {
            connection.execute("DELETE FROM consents WHERE number = ?1", [i64::try_from(*number).unwrap_or(-1)])?;
        }
        Ok(())
    }
}
