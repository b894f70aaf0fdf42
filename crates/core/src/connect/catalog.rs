//! The clients that are known: the data files, parsed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::edit::Format;
use super::places::{PerSystem, System};

/// The data files. A new client is a new file and a line here.
const FILES: [&str; 12] = [
    include_str!("../../clients/claude-desktop.toml"),
    include_str!("../../clients/claude-code.toml"),
    include_str!("../../clients/vscode.toml"),
    include_str!("../../clients/cursor.toml"),
    include_str!("../../clients/windsurf.toml"),
    include_str!("../../clients/zed.toml"),
    include_str!("../../clients/codex.toml"),
    include_str!("../../clients/gemini-cli.toml"),
    include_str!("../../clients/goose.toml"),
    include_str!("../../clients/librechat.toml"),
    include_str!("../../clients/open-webui.toml"),
    include_str!("../../clients/mcpo.toml"),
];

/// A sentence for the person, in each language that Keybearer speaks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sentence {
    /// English.
    pub en: String,
    /// German.
    pub de: String,
}

/// A client and what is known of it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// What it is called on the command line.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// Where this is documented.
    pub source: String,
    /// What has to be done before it sees a change.
    pub restart: Sentence,
    /// What a person should know before connecting it.
    #[serde(default)]
    pub warning: Option<Sentence>,
    /// Paths that show that it is installed.
    #[serde(default)]
    pub signs: PerSystem,
    /// Its executables: a client that starts our bridge, or comes to our socket, is known by them.
    #[serde(default)]
    pub programs: PerSystem,
    /// Its files; the first is the one that `--file` names.
    pub files: Vec<KnownFile>,
    /// The ways to connect it, the best first.
    pub ways: Vec<Way>,
    /// Switches of the company that keep it from seeing what we write.
    #[serde(default)]
    pub switches: Vec<Switch>,
    /// Whether it can be given a bundle instead.
    #[serde(default)]
    pub bundle: bool,
}

/// One of its files.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownFile {
    /// What the changes call it.
    pub id: String,
    /// Its name, for a file that lies where the person says, or beside the first one.
    pub name: String,
    /// How it is written.
    pub format: Format,
    /// Where it is, the likeliest first; empty where only the person knows.
    #[serde(default)]
    pub paths: PerSystem,
}

/// How a client reaches us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// It starts `keybearer stdio`.
    Stdio,
    /// It comes to the HTTP door, with a key.
    Http,
    /// It comes to the socket door.
    Socket,
}

impl Transport {
    /// Its name on the command line and in what we remember.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stdio => "stdio",
            Self::Http => "http",
            Self::Socket => "socket",
        }
    }
}

/// A way to connect a client.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Way {
    /// How it reaches us.
    pub transport: Transport,
    /// Where the client runs, for one that runs in several places: what `--placement` names.
    #[serde(default)]
    pub placement: Option<String>,
    /// The systems on which this is a way; empty means all.
    #[serde(default)]
    pub systems: Vec<System>,
    /// By which name the client reaches this machine.
    #[serde(default = "loopback")]
    pub host: String,
    /// Whether it runs in a container, and so calls this machine by another name.
    #[serde(default)]
    pub container: bool,
    /// Whether the container cannot reach loopback, and needs a door of its own.
    #[serde(default)]
    pub container_door: bool,
    /// The network interface at whose address that door opens.
    #[serde(default)]
    pub bridge: Option<String>,
    /// What is changed.
    pub changes: Vec<Change>,
    /// What the person has to know of this way.
    #[serde(default)]
    pub warning: Option<Sentence>,
    /// What the person has to do afterwards, besides the restart.
    #[serde(default)]
    pub afterwards: Vec<Sentence>,
}

fn loopback() -> String {
    "127.0.0.1".to_owned()
}

/// A change of one file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// Of which.
    pub file: String,
    /// The keys on the way, with placeholders.
    pub at: Vec<String>,
    /// An entry of a map.
    #[serde(default)]
    pub value: Option<Value>,
    /// An item of a list.
    #[serde(default)]
    pub item: Option<Value>,
    /// Only where this is there already: a list that shuts out what is not in it.
    #[serde(default)]
    pub only_where: Option<Vec<String>>,
}

impl Change {
    /// Whether there is one for each server.
    pub fn is_per_server(&self) -> bool {
        self.at.iter().any(|key| key.contains("{entry}"))
            || self.item.as_ref().is_some_and(|item| item.to_string().contains("{entry}"))
    }
}

/// A switch of the company.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// The setting.
    pub key: String,
    /// The value that means trouble; absent means that any value does.
    #[serde(default)]
    pub when: Option<bool>,
    /// What a person is told.
    pub says: Sentence,
    /// Windows: the key below `HKEY_LOCAL_MACHINE` and `HKEY_CURRENT_USER`.
    #[serde(default)]
    pub registry: Option<String>,
    /// Files of JSON or property lists in which the setting may stand; `*` stands for one name.
    #[serde(default)]
    pub files: PerSystem,
}

/// Every client that is known, the most used first.
///
/// # Errors
/// If a data file is wrong: which, and why. A test walks them all, so that a release has none.
pub fn known() -> Result<Vec<Known>, String> {
    FILES.iter().map(|text| toml::from_str(text).map_err(|error| error.to_string())).collect()
}

impl Known {
    /// A file by what the changes call it.
    pub fn file(&self, id: &str) -> Option<&KnownFile> {
        self.files.iter().find(|file| file.id == id)
    }

    /// The ways that there are on a system.
    pub fn ways_on(&self, system: System) -> impl Iterator<Item = &Way> {
        self.ways.iter().filter(move |way| way.systems.is_empty() || way.systems.contains(&system))
    }

    /// Where it may run, as far as that makes a difference.
    pub fn placements(&self, system: System) -> Vec<String> {
        let mut names: Vec<String> = self.ways_on(system).filter_map(|way| way.placement.clone()).collect();
        names.dedup();
        names
    }

    /// Every setting by which a client looks up our key, for reading it back.
    pub fn key_names(&self) -> BTreeMap<&str, &str> {
        let changes = self.ways.iter().flat_map(|way| &way.changes);
        let keys = changes.filter(|change| change.value.as_ref().and_then(Value::as_str) == Some("{key}"));
        keys.filter_map(|change| Some((change.at.last()?.as_str(), change.file.as_str()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_client_is_sound() {
        let clients = known().unwrap();
        let ids: BTreeSet<&str> = clients.iter().map(|client| client.id.as_str()).collect();
        assert_eq!(ids.len(), FILES.len());
        for client in &clients {
            let id = &client.id;
            assert!(id.parse::<keybearer_model::name::ClientName>().is_ok(), "{id} is no name of a client");
            assert!(client.source.starts_with("https://"), "{id}");
            assert!(!client.ways.is_empty() && !client.files.is_empty(), "{id}");
            for way in &client.ways {
                assert!(!way.changes.is_empty(), "{id}");
                for change in &way.changes {
                    assert!(client.file(&change.file).is_some(), "{id}: no file `{}`", change.file);
                    assert!(change.value.is_some() != change.item.is_some(), "{id}: a value or an item");
                    assert!(!change.at.is_empty(), "{id}");
                }
            }
        }
    }

    #[test]
    fn a_key_stands_only_where_its_client_reads_it() {
        for client in known().unwrap() {
            for way in &client.ways {
                let text = format!("{:?}", way.changes);
                let keyed = text.contains("{key}");
                assert_eq!(keyed, way.transport == Transport::Http, "{}: {:?}", client.id, way.transport);
            }
        }
    }
}
