//! The `[servers.*]` tables.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use http::HeaderName;
use keybearer_model::name::{OWN_SERVER, ServerName};
use keybearer_model::url::{InvalidUrl, Upstream};
use toml::de::DeTable;

use super::reader::{Reader, shown};
use super::{AuthConfig, ServerConfig, sign_in};

/// Keys beside those of [`sign_in::KEYS`].
const KEYS: [&str; 5] = ["url", "auth", "header", "forward_headers", "identity_header"];

/// Headers that Keybearer or the connection sets, beside those that begin with `mcp-`, `proxy-` or `sec-`.
pub(super) const NOT_STATIC: [&str; 22] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "cookie2",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "last-event-id",
    "origin",
    "referer",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];

/// The families of such headers.
pub(super) const OURS: [&str; 3] = ["mcp-", "proxy-", "sec-"];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    OAuth,
    Header,
    None,
}

impl<'t> Reader<'t> {
    /// Reads every server; returns the declared names, those with problems too, so that rules can speak of them.
    pub(super) fn servers(
        &mut self,
        top: &DeTable<'t>,
        servers: &mut BTreeMap<ServerName, ServerConfig>,
    ) -> BTreeSet<String> {
        let mut declared = BTreeSet::new();
        let Some(value) = top.get("servers") else { return declared };
        let Some(tables) = value.get_ref().as_table() else {
            self.wrong_type(value, "servers", "tables such as `[servers.crm]`");
            return declared;
        };
        for (key, value) in tables {
            let text = key.get_ref().as_ref();
            declared.insert(text.to_owned());
            let name = text.parse::<ServerName>().map_err(|error| self.note(&key.span(), error.to_string())).ok();
            if text == OWN_SERVER {
                self.note(&key.span(), format!("`{OWN_SERVER}` is kept for Keybearer's own tools"));
            }
            let Some(table) = value.get_ref().as_table() else {
                self.wrong_type(value, &shown(text), &format!("a table: `[servers.{}]`", shown(text)));
                continue;
            };
            let server = self.server(table, text, &key.span());
            if let (Some(name), Some(server)) = (name, server) {
                servers.insert(name, server);
            }
        }
        declared
    }

    fn server(&mut self, table: &DeTable<'t>, name: &str, at: &Range<usize>) -> Option<ServerConfig> {
        let name = shown(name);
        let known: Vec<&str> = KEYS.into_iter().chain(sign_in::KEYS).collect();
        self.known(table, &format!(" of server `{name}`"), &known);
        let url = self.url(table, &name, at);
        let ways = [("oauth", Way::OAuth), ("header", Way::Header), ("none", Way::None)];
        let way = if table.contains_key("auth") { self.choice(table, "auth", &ways) } else { Some(Way::OAuth) };
        let header = self.header(table);
        let oauth = self.oauth(table);
        let auth = match way? {
            Way::OAuth => AuthConfig::OAuth(oauth),
            Way::None => AuthConfig::None,
            Way::Header => {
                if !table.contains_key("header") {
                    self.missing(at, format!("server `{name}` has no `header`"));
                }
                AuthConfig::Header { name: header? }
            }
        };
        self.idle_keys(table, way?);
        let passing = self.passing(table);
        Some(ServerConfig { url: url?, auth, passing })
    }

    fn url(&mut self, table: &DeTable<'t>, name: &str, at: &Range<usize>) -> Option<Upstream> {
        if !table.contains_key("url") {
            self.missing(at, format!("server `{name}` has no `url`"));
        }
        let text = self.text(table, "url")?;
        // The URL itself is not repeated: somebody may have written a password into it.
        let message = match text.get_ref().parse::<Upstream>() {
            Ok(url) => return Some(url),
            Err(InvalidUrl::NotAUrl(_)) => "`url` is not a URL",
            Err(InvalidUrl::Scheme(_)) => {
                "`url` must begin with `https://`, or with `http://` for a server on this machine"
            }
            Err(InvalidUrl::Extra(_)) => "`url` must have no user name, password or `#` part",
        };
        self.note(&text.span(), message);
        None
    }

    fn header(&mut self, table: &DeTable<'t>) -> Option<HeaderName> {
        let text = self.text(table, "header")?;
        let Ok(name) = text.get_ref().parse::<HeaderName>() else {
            let hint = "write its name alone, its value is kept in the keychain";
            self.advise(&text.span(), "`header` is not the name of a header", Some(hint.to_owned()));
            return None;
        };
        let ours = OURS.iter().any(|prefix| name.as_str().starts_with(*prefix));
        if ours || NOT_STATIC.contains(&name.as_str()) {
            self.note(&text.span(), format!("header `{name}` cannot be set"));
            return None;
        }
        Some(name)
    }

    /// Keys that say nothing with this `auth`: somebody expects something of them.
    fn idle_keys(&mut self, table: &DeTable<'t>, way: Way) {
        let idle: &[(&str, &str)] = match way {
            Way::OAuth => &[],
            Way::Header | Way::None => &sign_in::KEYS.map(|key| (key, "oauth")),
        };
        let header: &[(&str, &str)] = if way == Way::Header { &[] } else { &[("header", "header")] };
        for (key, needed) in header.iter().chain(idle) {
            if let Some(value) = table.get(*key) {
                self.note(&value.span(), format!("`{key}` needs `auth = \"{needed}\"`"));
            }
        }
    }
}
