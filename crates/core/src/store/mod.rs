//! State that is no secret, in SQLite: registered clients, grants' public parts, consents, the HTTP door's port.
//!
//! Calls are short and rare (never on the way of a call); async callers go through `spawn_blocking`.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use keybearer_model::name::{ClientName, ServerName};
use keybearer_model::program::Pin;
use keybearer_model::time::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

mod foresight;
mod grants;

pub use grants::{Served, StoredGrant};
mod consents;

/// What makes each version of the schema out of the one before; which one a database has is its `user_version`.
const STEPS: [&str; 6] = [
    "CREATE TABLE clients (name TEXT PRIMARY KEY, key_digest BLOB, program TEXT, servers TEXT NOT NULL, since INTEGER NOT NULL) STRICT;
     CREATE TABLE grants (server TEXT PRIMARY KEY, facts TEXT NOT NULL) STRICT;
     CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;",
    "ALTER TABLE clients ADD COLUMN pin TEXT;",
    "ALTER TABLE clients ADD COLUMN container INTEGER NOT NULL DEFAULT 0;",
    // Grants stood for one server each before; what they were cannot be taken over, for the keychain's names are others.
    "DROP TABLE IF EXISTS grants;
     CREATE TABLE grants (id TEXT PRIMARY KEY, facts TEXT NOT NULL, ending TEXT) STRICT;
     CREATE TABLE served (server TEXT PRIMARY KEY, grant_id TEXT NOT NULL, url TEXT NOT NULL, target TEXT NOT NULL) STRICT;",
    "CREATE TABLE consents (number INTEGER PRIMARY KEY AUTOINCREMENT, principal BLOB NOT NULL, facts TEXT NOT NULL) STRICT;",
    "ALTER TABLE grants ADD COLUMN course TEXT;
     CREATE TABLE lives (issuer TEXT NOT NULL, seconds INTEGER NOT NULL, ended INTEGER NOT NULL) STRICT;",
];

/// The state database of one installation.
pub struct Store {
    // A mutex rather than an owner task: every use is one statement, and none is on the way of a call.
    connection: Mutex<Connection>,
}

/// Why state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite's own words.
    #[error("the state database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// A newer Keybearer wrote it.
    #[error("the state database was written by a newer Keybearer")]
    TooNew,
}

/// A registered client as it is stored: what identifies it, never a key itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredClient {
    /// Its name.
    pub name: ClientName,
    /// SHA-256 of its key, for a client of the HTTP door.
    pub key_digest: Option<[u8; 32]>,
    /// Its executable's path, for a client of the stdio door.
    pub program: Option<String>,
    /// What that program is known by, where the system tells one file from another.
    pub pin: Option<Pin>,
    /// It runs in a container, which is where its key may come from (SEC-17).
    pub container: bool,
    /// The servers it may use; empty means all.
    pub servers: Vec<ServerName>,
    /// When it was registered.
    pub since: Timestamp,
}

impl Store {
    /// Opens (or makes) the database in `folder`.
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        let connection = Connection::open(folder.join("state.sqlite"))?;
        Self::prepare(connection)
    }

    fn prepare(connection: Connection) -> Result<Self, StoreError> {
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        let missing = usize::try_from(version).ok().and_then(|done| STEPS.get(done..)).ok_or(StoreError::TooNew)?;
        if !missing.is_empty() {
            // All in one: each transaction waits for the disk several times, and a client waits for a first start.
            let (steps, newest) = (missing.concat(), STEPS.len());
            connection.execute_batch(&format!("BEGIN; {steps} PRAGMA user_version = {newest}; COMMIT;"))?;
        }
        Ok(Self { connection: Mutex::new(connection) })
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic in between leaves no half statement behind: SQLite rolls back.
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All registered clients, by name.
    pub fn clients(&self) -> Result<Vec<StoredClient>, StoreError> {
        let connection = self.connection();
        let mut statement = connection
            .prepare("SELECT name, key_digest, program, servers, since, pin, container FROM clients ORDER BY name")?;
        let rows = statement.query_map([], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<[u8; 32]>>(1)?,
                row.get::<_, Option<String>>(2)?,
                row.get::<_, String>(3)?,
                row.get::<_, i64>(4)?,
                row.get::<_, Option<String>>(5)?,
                row.get::<_, bool>(6)?,
            ))
        })?;
        let mut clients = Vec::new();
        for row in rows {
            let (name, key_digest, program, servers, since, pin, container) = row?;
            // A row that does not parse was not written by us: it identifies nobody.
            let pin = pin.map(|pin| serde_json::from_str(&pin)).transpose();
            let (Ok(name), Ok(servers), Ok(pin)) = (name.parse(), serde_json::from_str(&servers), pin) else {
                continue;
            };
            let since = Timestamp::from_millis(since);
            clients.push(StoredClient { name, key_digest, program, pin, container, servers, since });
        }
        Ok(clients)
    }

    /// Adds a client; `Ok(false)` if the name is taken.
    pub fn add_client(&self, client: &StoredClient) -> Result<bool, StoreError> {
        let servers = serde_json::to_string(&client.servers).unwrap_or_else(|_| "[]".into());
        let added = self.connection().execute(
            "INSERT OR IGNORE INTO clients (name, key_digest, program, servers, since, pin, container)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                client.name.as_str(),
                client.key_digest,
                client.program,
                servers,
                client.since.as_millis(),
                written(client.pin.as_ref()),
                client.container
            ],
        )?;
        Ok(added == 1)
    }

    /// Remembers what the program of a client is known by.
    pub fn pin_client(&self, name: &ClientName, pin: &Pin) -> Result<(), StoreError> {
        let pin = written(Some(pin));
        self.connection().execute("UPDATE clients SET pin = ?2 WHERE name = ?1", params![name.as_str(), pin])?;
        Ok(())
    }

    /// Removes a client; `Ok(false)` if there is none of that name.
    pub fn remove_client(&self, name: &ClientName) -> Result<bool, StoreError> {
        Ok(self.connection().execute("DELETE FROM clients WHERE name = ?1", [name.as_str()])? == 1)
    }

    /// A remembered setting that is no person's business, such as the HTTP door's port.
    pub fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        let connection = self.connection();
        Ok(connection.query_row("SELECT value FROM settings WHERE name = ?1", [name], |row| row.get(0)).optional()?)
    }

    /// Remembers a setting.
    pub fn set(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.connection().execute(
            "INSERT INTO settings (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2",
            [name, value],
        )?;
        Ok(())
    }
}

fn written(pin: Option<&Pin>) -> Option<String> {
    pin.and_then(|pin| serde_json::to_string(pin).ok())
}

#[cfg(test)]
mod tests {
    use keybearer_model::program::{Digest, Stamp};

    use super::*;

    #[test]
    fn clients_outlive_the_process_and_names_are_taken_once() {
        let folder = tempfile::tempdir().unwrap();
        let client = StoredClient {
            container: true,
            name: "librechat".parse().unwrap(),
            key_digest: Some([7; 32]),
            program: None,
            pin: None,
            servers: vec!["crm".parse().unwrap()],
            since: Timestamp::from_millis(5),
        };
        let store = Store::open(folder.path()).unwrap();
        assert!(store.add_client(&client).unwrap());
        assert!(!store.add_client(&client).unwrap());
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.clients().unwrap(), std::slice::from_ref(&client));
        assert!(store.remove_client(&client.name).unwrap());
        assert!(!store.remove_client(&client.name).unwrap());
    }

    #[test]
    fn a_database_of_the_first_schema_goes_on_and_its_programs_can_be_pinned() {
        let folder = tempfile::tempdir().unwrap();
        let connection = Connection::open(folder.path().join("state.sqlite")).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE clients (name TEXT PRIMARY KEY, key_digest BLOB, program TEXT, servers TEXT NOT NULL, since INTEGER NOT NULL) STRICT;
                 INSERT INTO clients VALUES ('desk-app', NULL, '/opt/desk-app', '[]', 5);
                 PRAGMA user_version = 1;",
            )
            .unwrap();
        drop(connection);
        let store = Store::open(folder.path()).unwrap();
        let before = store.clients().unwrap().remove(0);
        assert_eq!((before.program.as_deref(), before.pin), (Some("/opt/desk-app"), None));
        let stamp = Stamp { device: 1, inode: 2, size: 3, modified: 4, changed: 5 };
        let pin = Pin { sha256: Digest([1; 32]), stamp };
        store.pin_client(&before.name, &pin).unwrap();
        drop(store);
        let pinned = Store::open(folder.path()).unwrap().clients().unwrap().remove(0);
        assert_eq!(pinned, StoredClient { pin: Some(pin), ..before });
    }

    #[test]
    fn a_newer_database_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        drop(Store::open(folder.path()).unwrap());
        let connection = Connection::open(folder.path().join("state.sqlite")).unwrap();
        connection.execute_batch("PRAGMA user_version = 99").unwrap();
        drop(connection);
        assert!(matches!(Store::open(folder.path()), Err(StoreError::TooNew)));
    }
}
