//! Resources keep their own addresses, so that a link in a tool's result can be read as it stands. Only an address that
//! several servers list is shown as `keybearer:SERVER:ADDRESS`, once for each; that form can always be read.

use std::collections::BTreeMap;

use keybearer_model::name::ServerName;

use super::raw::{Answer, Object, raw};

const SCHEME: &str = "keybearer:";

/// The address that says which server it is of.
pub(super) fn wrapped(server: &ServerName, uri: &str) -> String {
    format!("{SCHEME}{server}:{uri}")
}

/// Whether an address looks like a wrapped one, and so must be wrapped to be told from it.
pub(super) fn looks_wrapped(uri: &str) -> bool {
    uri.starts_with(SCHEME)
}

/// The server and the address at that server.
pub(super) fn unwrap(uri: &str) -> Option<(ServerName, &str)> {
    let (server, uri) = uri.strip_prefix(SCHEME)?.split_once(':')?;
    Some((server.parse().ok()?, uri))
}

/// What was read under the address that the client asked for.
pub(super) fn readdressed(answer: Answer, own: &str, shown: &str) -> Answer {
    let Answer::Result(result) = &answer else { return answer };
    let mut result = Object::of(Some(result));
    let contents = result.get("contents").and_then(|raw| serde_json::from_str::<Vec<Object>>(raw.get()).ok());
    let Some(mut contents) = contents else { return answer };
    for part in &mut contents {
        if part.text("uri").as_deref() == Some(own) {
            part.set("uri", raw(shown));
        }
    }
    result.set("contents", raw(&contents));
    Answer::Result(result.raw())
}

/// What servers have listed: addresses and templates of addresses.
#[derive(Clone, Debug, Default)]
pub(super) struct Listed {
    pub(super) uris: Vec<String>,
    pub(super) templates: Vec<String>,
}

/// Whose resource `uri` is, if that is certain: the one server that lists it, else the one whose template begins like it
/// for longest, else the one that lists others of the same kind and place.
pub(super) fn owner<'a>(servers: &'a BTreeMap<ServerName, Listed>, uri: &str) -> Option<&'a ServerName> {
    let exact = servers.iter().filter(|(_, listed)| listed.uris.iter().any(|found| found == uri));
    let mut exact = exact.map(|(server, _)| server);
    if let Some(first) = exact.next() {
        return exact.next().is_none().then_some(first);
    }
    let by_template = servers.iter().map(|(server, listed)| {
        let fixed = listed.templates.iter().map(|template| template.split('{').next().unwrap_or_default());
        (fixed.filter(|fixed| uri.starts_with(fixed)).map(str::len).max().unwrap_or(0), server)
    });
    longest(by_template).or_else(|| {
        let place = place(uri);
        let near = servers.iter().map(|(server, listed)| {
            let all = listed.uris.iter().chain(&listed.templates);
            (usize::from(all.into_iter().any(|found| self::place(found) == place)), server)
        });
        longest(near)
    })
}

/// The one with the highest count above zero, if it is one.
fn longest<'a>(counted: impl Iterator<Item = (usize, &'a ServerName)>) -> Option<&'a ServerName> {
    let mut best = (0, None);
    for (count, server) in counted {
        if count > best.0 {
            best = (count, Some(server));
        } else if count == best.0 {
            best.1 = None;
        }
    }
    best.1
}

/// The scheme and what follows its `//`, up to the next slash.
fn place(uri: &str) -> &str {
    let begin = uri.find("://").map_or_else(|| uri.find(':').map_or(0, |at| at + 1), |at| at + 3);
    let end = uri.get(begin..).and_then(|rest| rest.find('/')).map_or(uri.len(), |at| begin + at);
    uri.get(..end).unwrap_or(uri)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn servers() -> BTreeMap<ServerName, Listed> {
        let listed = |uris: &[&str], templates: &[&str]| Listed {
            uris: uris.iter().map(ToString::to_string).collect(),
            templates: templates.iter().map(ToString::to_string).collect(),
        };
        BTreeMap::from([
            ("crm".parse().unwrap(), listed(&["crm://home/a", "same://x"], &["crm://home/{id}", "t://{x}"])),
            ("wiki".parse().unwrap(), listed(&["wiki://w/1", "same://x"], &["t://{x}", "t://pages/{x}"])),
        ])
    }

    #[track_caller]
    fn check(uri: &str, want: Option<&str>) {
        assert_eq!(owner(&servers(), uri).map(ServerName::as_str), want, "{uri}");
    }

    #[test]
    fn an_address_finds_its_server_or_none() {
        check("crm://home/a", Some("crm"));
        check("crm://home/77", Some("crm"));
        check("same://x", None);
        check("t://pages/3", Some("wiki"));
        check("t://other", None);
        check("wiki://w/unlisted", Some("wiki"));
        check("nobody://x", None);
    }

    #[test]
    fn a_wrapped_address_comes_back_as_it_was() {
        let crm: ServerName = "crm".parse().unwrap();
        for uri in ["file:///a b", "x:", "keybearer:wiki:y", "urn:a:b:c"] {
            assert_eq!(unwrap(&wrapped(&crm, uri)), Some((crm.clone(), uri)));
        }
        assert_eq!(unwrap("file:///keybearer:crm:x"), None);
    }
}
