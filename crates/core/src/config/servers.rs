//! The `[servers.*]` tables.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use http::HeaderName;
use keybearer_model::grant::ClientAuth;
use keybearer_model::name::{OWN_SERVER, ServerName};
use keybearer_model::url::{InvalidUrl, Upstream};
use toml::de::DeTable;

use super::reader::{Reader, shown};
use super::{AuthConfig, OAuthConfig, ServerConfig};

const KEYS: [&str; 8] =
    ["url", "auth", "header", "client_id", "client_auth", "scopes", "forward_headers", "identity_header"];

/// The values of `client_auth`, as RFC 7591 §2 writes them.
pub(super) const CLIENT_AUTH: [(&str, ClientAuth); 3] = [
    ("none", ClientAuth::None),
    ("client_secret_basic", ClientAuth::ClientSecretBasic),
    ("client_secret_post", ClientAuth::ClientSecretPost),
];

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
        self.known(table, &format!(" of server `{name}`"), &KEYS);
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

    fn oauth(&mut self, table: &DeTable<'t>) -> OAuthConfig {
        let mut oauth = OAuthConfig::default();
        if let Some(id) = self.text(table, "client_id") {
            if id.get_ref().is_empty() || id.get_ref().chars().any(char::is_control) {
                self.note(&id.span(), "`client_id` must be a text without control characters");
            }
            oauth.client_id = Some((*id.get_ref()).to_owned());
        }
        if let Some(auth) = self.choice(table, "client_auth", &CLIENT_AUTH) {
            oauth.client_auth = auth;
            if auth != ClientAuth::None && oauth.client_id.is_none() {
                let span = table.get("client_auth").map(toml::Spanned::span).unwrap_or_default();
                self.missing(&span, "`client_auth` needs a `client_id`");
            }
        }
        for scope in self.texts(table, "scopes").unwrap_or_default() {
            // RFC 6749 §3.3.
            let sound = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            if scope.get_ref().is_empty() || !scope.get_ref().bytes().all(sound) {
                let hint = "write several as a list: `scopes = [\"a\", \"b\"]`";
                self.advise(&scope.span(), "a scope is one word of visible characters", Some(hint.to_owned()));
            }
            oauth.scopes.push((*scope.get_ref()).to_owned());
        }
        oauth
    }

    /// Keys that say nothing with this `auth`: somebody expects something of them.
    fn idle_keys(&mut self, table: &DeTable<'t>, way: Way) {
        let idle: &[(&str, &str)] = match way {
            Way::OAuth => &[("header", "header")],
            Way::Header => &[("client_id", "oauth"), ("client_auth", "oauth"), ("scopes", "oauth")],
            Way::None => &[("header", "header"), ("client_id", "oauth"), ("client_auth", "oauth"), ("scopes", "oauth")],
        };
        for (key, needed) in idle {
            if let Some(value) = table.get(*key) {
                self.note(&value.span(), format!("`{key}` needs `auth = \"{needed}\"`"));
            }
        }
    }
}
