//! What a client's entry says, with the placeholders of the catalogue filled in.

use serde_json::{Map, Value};

use super::catalog::{Change, Way};
use super::edit::Op;

/// What stands for a key that is not minted yet, or must not be shown.
pub const UNKNOWN_KEY: &str = "‹key›";
/// What stands for the port of a door that has not been open yet.
pub const UNKNOWN_PORT: &str = "‹port›";
/// The entry of Keybearer's own server, which has the tools of all the others.
pub const OWN_ENTRY: &str = "keybearer";

/// What the placeholders stand for.
#[derive(Clone, Debug, Default)]
pub struct Filling {
    /// Our executable.
    pub program: String,
    /// What it needs in its environment.
    pub env: Vec<(String, String)>,
    /// By which name the client reaches this machine.
    pub host: String,
    /// The port of the door; absent before it was first open.
    pub port: Option<u16>,
    /// The address of the socket door, as far as `#`.
    pub socket: String,
}

/// A change with everything filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Filled {
    /// Of which file.
    pub file: String,
    /// What.
    pub op: Op,
    /// Only where this is there already.
    pub only_where: Option<Vec<String>>,
}

/// The changes of a way, for these servers; none means Keybearer's own server.
pub fn fill(way: &Way, servers: &[String], filling: &Filling, key: &str) -> Vec<Filled> {
    let own = [None];
    let each: Vec<Option<&str>> = servers.iter().map(|server| Some(server.as_str())).collect();
    let each = if each.is_empty() { &own[..] } else { &each };
    let mut filled = Vec::new();
    for change in &way.changes {
        let rounds = if change.is_per_server() { each } else { &each[..1] };
        filled.extend(rounds.iter().filter_map(|server| one(change, &Round { server: *server, filling, key })));
    }
    filled
}

fn one(change: &Change, round: &Round<'_>) -> Option<Filled> {
    let at = change.at.iter().map(|key| round.text(key)).collect();
    let op = match (&change.value, &change.item) {
        (Some(value), _) => Op::Put { at, value: round.value(value)? },
        (None, Some(item)) => Op::Add { at, item: round.value(item)? },
        (None, None) => return None,
    };
    Some(Filled { file: change.file.clone(), op, only_where: change.only_where.clone() })
}

/// The placeholders for one server.
struct Round<'a> {
    server: Option<&'a str>,
    filling: &'a Filling,
    key: &'a str,
}

impl Round<'_> {
    /// A value; `None` for a map that is to be left out because it is empty.
    fn value(&self, value: &Value) -> Option<Value> {
        Some(match value {
            Value::String(text) if text == "{args}" => {
                Value::from(["stdio"].into_iter().chain(self.server).collect::<Vec<_>>())
            }
            Value::String(text) if text == "{command_line}" => {
                Value::from([self.filling.program.as_str(), "stdio"].into_iter().chain(self.server).collect::<Vec<_>>())
            }
            Value::String(text) if text == "{env}" => {
                let pairs = self.filling.env.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str())));
                let map: Map<String, Value> = pairs.collect();
                return (!map.is_empty()).then_some(Value::Object(map));
            }
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(items.iter().filter_map(|item| self.value(item)).collect()),
            Value::Object(map) => Value::Object(
                map.iter().filter_map(|(key, value)| Some((self.text(key), self.value(value)?))).collect(),
            ),
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        })
    }

    fn text(&self, text: &str) -> String {
        let Filling { program, host, port, socket, .. } = self.filling;
        let port = port.map_or_else(|| UNKNOWN_PORT.to_owned(), |port| port.to_string());
        let path = self.server.map_or_else(|| "/mcp".to_owned(), |server| format!("/mcp/{server}"));
        let url = format!("http://{host}:{port}{path}");
        let socket = format!("{socket}#{path}");
        let known = [
            ("{entry}", self.server.unwrap_or(OWN_ENTRY)),
            ("{url}", &url),
            ("{socket}", &socket),
            ("{program}", program),
            ("{host}", host),
            ("{port}", &port),
            ("{key}", self.key),
        ];
        known.iter().fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}

/// The address of a local socket as clients write it: a path, or the name of a Windows pipe.
pub fn socket_address(path: &str) -> String {
    let escaped = |path: &str| path.replace('%', "%25").replace(' ', "%20").replace('#', "%23").replace('?', "%3F");
    match path.strip_prefix(r"\\.\pipe\") {
        Some(name) => format!("pipe:///pipe/{}", escaped(&name.replace('\\', "/"))),
        None => format!("unix://{}", escaped(path)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_and_pipes_have_addresses() {
        assert_eq!(socket_address("/run/user/1000/keybearer/http.sock"), "unix:///run/user/1000/keybearer/http.sock");
        assert_eq!(socket_address("/home/a b#c/http.sock"), "unix:///home/a%20b%23c/http.sock");
        assert_eq!(socket_address(r"\\.\pipe\keybearer-http"), "pipe:///pipe/keybearer-http");
    }
}
