//! What is no secret of grants: who gave them, whom they serve, and how they ended.

use keybearer_model::grant::{GrantFacts, Target};
use keybearer_model::name::{GrantId, ServerName};
use rusqlite::{OptionalExtension as _, params};

use super::{Store, StoreError};
use crate::grants::Ending;

/// A grant without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredGrant {
    /// Its public parts.
    pub facts: GrantFacts,
    /// How it ended; `None` while it is good.
    pub ending: Option<Ending>,
}

/// How a server is served by a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// By which.
    pub grant: GrantId,
    /// The server's address when it was signed in to: bearers go nowhere else (SEC-26).
    pub url: String,
    /// What its bearers are asked for.
    pub target: Target,
}

impl Store {
    /// A grant, if it is known.
    pub fn grant(&self, id: &GrantId) -> Result<Option<StoredGrant>, StoreError> {
        let row: Option<(String, Option<String>)> = self
            .connection()
            .query_row("SELECT facts, ending FROM grants WHERE id = ?1", [id.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        // A row that does not parse was not written by us: it stands for nothing.
        Ok(row.and_then(|(facts, ending)| {
            let ending = ending.map(|text| serde_json::from_str(&text)).transpose().ok()?;
            Some(StoredGrant { facts: serde_json::from_str(&facts).ok()?, ending })
        }))
    }

    /// All grants that are known.
    pub fn grants(&self) -> Result<Vec<GrantFacts>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT facts FROM grants ORDER BY id")?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?;
        Ok(rows.filter_map(|facts| serde_json::from_str(&facts.ok()?).ok()).collect())
    }

    /// Remembers a grant that is good.
    pub fn put_grant(&self, facts: &GrantFacts) -> Result<(), StoreError> {
        let text = serde_json::to_string(facts).unwrap_or_default();
        self.connection().execute(
            "INSERT INTO grants (id, facts) VALUES (?1, ?2)
             ON CONFLICT (id) DO UPDATE SET facts = ?2, ending = NULL, course = NULL",
            params![facts.id.as_str(), text],
        )?;
        Ok(())
    }

    /// Remembers how a grant ended.
    pub fn end_grant(&self, id: &GrantId, ending: Ending) -> Result<(), StoreError> {
        let text = serde_json::to_string(&ending).unwrap_or_default();
        self.connection().execute("UPDATE grants SET ending = ?2 WHERE id = ?1", params![id.as_str(), text])?;
        Ok(())
    }

    /// Forgets a grant and whom it served.
    pub fn remove_grant(&self, id: &GrantId) -> Result<(), StoreError> {
        let connection = self.connection();
        connection.execute("DELETE FROM served WHERE grant_id = ?1", [id.as_str()])?;
        connection.execute("DELETE FROM grants WHERE id = ?1", [id.as_str()])?;
        Ok(())
    }

    /// How `server` is served.
    pub fn served(&self, server: &ServerName) -> Result<Option<Served>, StoreError> {
        let row: Option<(String, String, String)> = self
            .connection()
            .query_row("SELECT grant_id, url, target FROM served WHERE server = ?1", [server.as_str()], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        Ok(row.and_then(|(grant, url, target)| {
            let grant = GrantId::from_stored(&grant)?;
            Some(Served { grant, url, target: serde_json::from_str(&target).ok()? })
        }))
    }

    /// Remembers how `server` is served.
    pub fn put_served(&self, server: &ServerName, served: &Served) -> Result<(), StoreError> {
        let target = serde_json::to_string(&served.target).unwrap_or_default();
        self.connection().execute(
            "INSERT INTO served (server, grant_id, url, target) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (server) DO UPDATE SET grant_id = ?2, url = ?3, target = ?4",
            params![server.as_str(), served.grant.as_str(), served.url, target],
        )?;
        Ok(())
    }

    /// Forgets how `server` was served.
    pub fn remove_served(&self, server: &ServerName) -> Result<(), StoreError> {
        self.connection().execute("DELETE FROM served WHERE server = ?1", [server.as_str()])?;
        Ok(())
    }

    /// The servers that a grant serves, by name.
    pub fn servers_of(&self, grant: &GrantId) -> Result<Vec<ServerName>, StoreError> {
        let connection = self.connection();
        let mut statement = connection.prepare("SELECT server FROM served WHERE grant_id = ?1 ORDER BY server")?;
        let names = statement.query_map([grant.as_str()], |row| row.get::<_, String>(0))?;
        Ok(names.filter_map(|name| name.ok()?.parse().ok()).collect())
    }
}

#[cfg(test)]
mod tests {
    use keybearer_model::time::Timestamp;

    use super::*;
    use crate::samples::facts;

    #[test]
    fn one_grant_serves_many_servers_and_takes_them_along() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let facts = facts();
        store.put_grant(&facts).unwrap();
        let names: [ServerName; 2] = ["crm", "wiki"].map(|name| name.parse().unwrap());
        for name in &names {
            let url = format!("https://{name}.test/mcp");
            let target = Target { resource: Some(url.clone()), scopes: Vec::new() };
            store.put_served(name, &Served { grant: facts.id.clone(), url, target }).unwrap();
        }
        drop(store);
        let store = Store::open(folder.path()).unwrap();
        assert_eq!(store.servers_of(&facts.id).unwrap(), names);
        assert_eq!(store.served(&names[1]).unwrap().unwrap().url, "https://wiki.test/mcp");
        let ending = Ending::Interrupted { at: Timestamp::from_millis(9) };
        store.end_grant(&facts.id, ending).unwrap();
        let ended = StoredGrant { facts: facts.clone(), ending: Some(ending) };
        assert_eq!(store.grant(&facts.id).unwrap(), Some(ended));
        store.put_grant(&facts).unwrap();
        assert_eq!(store.grant(&facts.id).unwrap().unwrap().ending, None, "another sign-in makes it good");
        store.remove_grant(&facts.id).unwrap();
        assert_eq!((store.grant(&facts.id).unwrap(), store.served(&names[0]).unwrap()), (None, None));
    }
}
