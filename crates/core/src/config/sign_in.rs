//! What a `[servers.*]` table says of its sign-in.

use std::ops::Range;
use std::time::Duration;

use keybearer_model::grant::ClientAuth;
use keybearer_model::url::Issuer;
use keybearer_oauth::document::ClientMetadataUrl;
use keybearer_oauth::exceptions::{Exceptions, ResourceException};
use keybearer_oauth::profile::{PkceSupport, RefreshReach};
use toml::Spanned;
use toml::de::DeTable;

use super::reader::Reader;
use super::{OAuthConfig, SurfaceChoice};

/// The keys that speak of a sign-in.
pub(super) const KEYS: [&str; 10] = [
    "client_id",
    "client_auth",
    "issuer",
    "scopes",
    "resource",
    "trusted_issuers",
    "pkce",
    "refresh_reach",
    "sign_in_life",
    "sign_in_surface",
];

/// The bounds of `sign_in_life`, in hours: a year is as good as more.
const SIGN_IN_LIFE: Range<u64> = 1..8761;

/// The values of `client_auth`, as RFC 7591 §2 writes them.
pub(super) const CLIENT_AUTH: [(&str, ClientAuth); 3] = [
    ("none", ClientAuth::None),
    ("client_secret_basic", ClientAuth::ClientSecretBasic),
    ("client_secret_post", ClientAuth::ClientSecretPost),
];

/// The value of `resource` that sends none.
pub(super) const OMIT: &str = "omit";

/// The values of `pkce`.
pub(super) const PKCE: [(&str, PkceSupport); 1] = [("assume", PkceSupport::Known)];

/// The values of `refresh_reach`.
pub(super) const REFRESH_REACH: [(&str, RefreshReach); 2] =
    [("its_server", RefreshReach::ItsServer), ("every_server", RefreshReach::EveryServer)];

/// The values of `sign_in_surface`.
pub(super) const SURFACES: [(&str, SurfaceChoice); 4] = [
    ("auto", SurfaceChoice::Auto),
    ("webview", SurfaceChoice::Window),
    ("browser", SurfaceChoice::Browser),
    ("device", SurfaceChoice::Device),
];

impl<'t> Reader<'t> {
    pub(super) fn oauth(&mut self, table: &DeTable<'t>) -> OAuthConfig {
        let mut oauth = OAuthConfig { client_id: self.client_id(table), ..OAuthConfig::default() };
        oauth.client_auth = self.choice(table, "client_auth", &CLIENT_AUTH);
        oauth.issuer = self.text(table, "issuer").and_then(|text| self.issuer(&text, "issuer"));
        for (key, is_set) in [
            ("client_auth", oauth.client_auth.is_some_and(|auth| auth != ClientAuth::None)),
            ("issuer", oauth.issuer.is_some()),
        ] {
            if is_set && oauth.client_id.is_none() {
                let span = table.get(key).map(Spanned::span).unwrap_or_default();
                self.missing(&span, format!("`{key}` needs a `client_id`"));
            }
        }
        oauth.scopes = self.scopes(table);
        oauth.exceptions = self.deviating(table);
        let hours = self.number(table, "sign_in_life", SIGN_IN_LIFE);
        oauth.sign_in_life = hours.map(|hours| Duration::from_secs(hours * 3600));
        oauth.surface = self.surface(table);
        oauth
    }

    /// Where people sign in, if it says so.
    pub(super) fn surface(&mut self, table: &DeTable<'t>) -> Option<SurfaceChoice> {
        self.choice(table, "sign_in_surface", &SURFACES)
    }

    /// Where our client id metadata document is.
    pub(super) fn client_metadata_url(&mut self, table: &DeTable<'t>) -> Option<ClientMetadataUrl> {
        let text = self.text(table, "client_metadata_url")?;
        text.get_ref()
            .parse()
            .map_err(|error| self.note(&text.span(), format!("`client_metadata_url` cannot be used: {error}")))
            .ok()
    }

    fn client_id(&mut self, table: &DeTable<'t>) -> Option<String> {
        let id = self.text(table, "client_id")?;
        if id.get_ref().is_empty() || id.get_ref().chars().any(char::is_control) {
            self.note(&id.span(), "`client_id` must be a text without control characters");
        }
        Some((*id.get_ref()).to_owned())
    }

    fn scopes(&mut self, table: &DeTable<'t>) -> Vec<String> {
        let mut scopes = Vec::new();
        for scope in self.texts(table, "scopes").unwrap_or_default() {
            // RFC 6749 §3.3.
            let sound = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
            if scope.get_ref().is_empty() || !scope.get_ref().bytes().all(sound) {
                let hint = "write several as a list: `scopes = [\"a\", \"b\"]`";
                self.advise(&scope.span(), "a scope is one word of visible characters", Some(hint.to_owned()));
            }
            scopes.push((*scope.get_ref()).to_owned());
        }
        scopes
    }

    fn deviating(&mut self, table: &DeTable<'t>) -> Exceptions {
        let trusted = self.texts(table, "trusted_issuers").unwrap_or_default();
        Exceptions {
            resource: self.resource(table),
            trusted_issuers: trusted.iter().filter_map(|text| self.issuer(text, "trusted_issuers")).collect(),
            pkce: self.choice(table, "pkce", &PKCE),
            refresh_reach: self.choice(table, "refresh_reach", &REFRESH_REACH),
        }
    }

    fn resource(&mut self, table: &DeTable<'t>) -> Option<ResourceException> {
        let text = self.text(table, "resource")?;
        let word = *text.get_ref();
        // RFC 8707 §2: an absolute URI without a fragment.
        let is_uri =
            url::Url::parse(word).is_ok_and(|url| url.fragment().is_none()) && !word.contains(char::is_whitespace);
        if word == OMIT {
            return Some(ResourceException::Omit);
        }
        if !is_uri {
            self.note(&text.span(), format!("`resource` must be \"{OMIT}\" or a URI without a `#` part"));
        }
        is_uri.then(|| ResourceException::Send(word.to_owned()))
    }

    fn issuer(&mut self, text: &Spanned<&str>, key: &str) -> Option<Issuer> {
        let issuer = text.get_ref().parse::<Issuer>().ok();
        if issuer.is_none() {
            self.note(&text.span(), format!("`{key}` must be the address of a sign-in, as its metadata writes it"));
        }
        issuer
    }
}
