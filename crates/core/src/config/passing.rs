//! Headers beyond MCP's own that a server is given: some of the client's, and one that says who is signed in.
//!
//! Both are off unless set. What could carry a credential, or change where a request goes, can be neither.

use std::fmt;

use http::header::{HeaderMap, HeaderName, HeaderValue};
use keybearer_model::grant::Account;
use toml::Spanned;
use toml::de::DeTable;

use super::reader::Reader;
use super::servers::{NOT_STATIC, OURS};

/// What nobody may pass on: credentials, and what servers take for the way that a request came.
const NEVER: [&str; 5] = ["authorization", "x-forwarded-", "x-real-ip", "x-original-", "x-rewrite-"];

const MOST_PATTERNS: usize = 16;

/// What else goes to a server.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passing {
    /// The client's headers that go on.
    pub forward: Vec<HeaderPattern>,
    /// The header that says who is signed in.
    pub identity: Option<IdentityHeader>,
}

/// A header's name, or the beginning of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderPattern {
    begins: String,
    exactly: bool,
}

/// A header that Keybearer sets itself, whatever the client sends under its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityHeader {
    /// Its name.
    pub name: HeaderName,
    /// What it says.
    pub value: IdentityValue,
}

/// What of an account a server is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdentityValue {
    /// The e-mail address.
    Email,
    /// The issuer's name for it: `sub` of the ID token (OpenID Connect Core §2).
    Subject,
}

impl IdentityValue {
    /// As the settings write it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Subject => "subject",
        }
    }
}

impl fmt::Display for HeaderPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.begins, if self.exactly { "" } else { "*" })
    }
}

impl Passing {
    /// Copies to `to` the headers of a client that go on, but none that are there already. Returns their names.
    pub fn copy(&self, from: &HeaderMap, to: &mut HeaderMap) -> Vec<HeaderName> {
        let mut names = Vec::new();
        if self.forward.is_empty() {
            return names;
        }
        for name in from.keys().filter(|name| self.passes(name)) {
            if to.contains_key(name) {
                continue;
            }
            for value in from.get_all(name) {
                to.append(name, value.clone());
            }
            names.push(name.clone());
        }
        names
    }

    fn passes(&self, name: &HeaderName) -> bool {
        // An identity is told by us alone.
        let is_identity = self.identity.as_ref().is_some_and(|identity| identity.name == *name);
        !is_identity && self.forward.iter().any(|pattern| pattern.matches(name))
    }

    /// The header that says who is signed in, where that is wanted and known.
    pub fn identity_of(&self, account: Option<&Account>) -> Option<(&HeaderName, HeaderValue)> {
        let identity = self.identity.as_ref()?;
        let text = match identity.value {
            IdentityValue::Email => account?.email.as_deref(),
            IdentityValue::Subject => account?.subject.as_deref(),
        };
        Some((&identity.name, HeaderValue::from_str(text?).ok()?))
    }
}

impl HeaderPattern {
    fn matches(&self, name: &HeaderName) -> bool {
        if self.exactly { name.as_str() == self.begins } else { name.as_str().starts_with(&self.begins) }
    }

    /// Whether it could match a name that is not to be passed on.
    fn is_open_to(&self, forbidden: &str) -> bool {
        let begins_so = self.begins.starts_with(forbidden);
        let whole_family = forbidden.ends_with('-');
        if self.exactly {
            self.begins == forbidden || (whole_family && begins_so)
        } else {
            forbidden.starts_with(&self.begins) || (whole_family && begins_so)
        }
    }
}

impl std::str::FromStr for HeaderPattern {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (begins, exactly) = match text.strip_suffix('*') {
            Some(begins) => (begins, false),
            None => (text, true),
        };
        let begins = begins.to_ascii_lowercase();
        // A star is a letter like any other to HTTP; here it would only be misunderstood.
        if begins.contains('*') || HeaderName::from_bytes(begins.as_bytes()).is_err() {
            return Err("is neither a header's name nor the beginning of one with `*` behind it");
        }
        let pattern = Self { begins, exactly };
        let mut forbidden = NOT_STATIC.iter().chain(&OURS).chain(&NEVER);
        match forbidden.any(|name| pattern.is_open_to(name)) {
            true => Err("could carry a credential, or belongs to the connection"),
            false => Ok(pattern),
        }
    }
}

impl<'t> Reader<'t> {
    pub(super) fn passing(&mut self, table: &DeTable<'t>) -> Passing {
        let mut passing = Passing::default();
        for text in self.texts(table, "forward_headers").unwrap_or_default() {
            match text.get_ref().parse() {
                Ok(pattern) => passing.forward.push(pattern),
                Err(cause) => self.refuse(&text, cause),
            }
        }
        if passing.forward.len() > MOST_PATTERNS
            && let Some(value) = table.get("forward_headers")
        {
            self.note(&value.span(), format!("`forward_headers` has more than {MOST_PATTERNS} names"));
        }
        passing.identity = self.identity(table);
        passing
    }

    fn identity(&mut self, table: &DeTable<'t>) -> Option<IdentityHeader> {
        let value = table.get("identity_header")?;
        let Some(inner) = value.get_ref().as_table() else {
            self.wrong_type(
                value,
                "identity_header",
                "a table such as `{ name = \"X-User-Email\", value = \"email\" }`",
            );
            return None;
        };
        self.known(inner, " of `identity_header`", &["name", "value"]);
        for key in ["name", "value"] {
            if !inner.contains_key(key) {
                self.missing(&value.span(), format!("`identity_header` has no `{key}`"));
            }
        }
        let says = [IdentityValue::Email, IdentityValue::Subject].map(|value| (value.word(), value));
        let (name, says) = (self.text(inner, "name"), self.choice(inner, "value", &says));
        let name = name?;
        match name.get_ref().parse::<HeaderPattern>() {
            Ok(HeaderPattern { begins, exactly: true }) => {
                Some(IdentityHeader { name: begins.parse().ok()?, value: says? })
            }
            Ok(HeaderPattern { exactly: false, .. }) => {
                self.refuse(&name, "is no header's name");
                None
            }
            Err(cause) => {
                self.refuse(&name, cause);
                None
            }
        }
    }

    fn refuse(&mut self, name: &Spanned<&str>, cause: &str) {
        let shown = super::reader::shown(name.get_ref());
        self.note(&name.span(), format!("header `{shown}` cannot be passed on: it {cause}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_carry_a_credential_is_no_pattern() {
        for text in [
            "Authorization",
            "Auth*",
            "*",
            "a*",
            "Cookie",
            "Cook*",
            "Host",
            "X-Forwarded-For",
            "X-*",
            "X-Forwarded*",
            "Mcp-Session-Id",
            "MCP-*",
            "Proxy-Authorization",
            "Sec-Fetch-Site",
            "Content-Length",
            "Transfer-Encoding",
            "",
            "X User",
            "X-User-*-Id",
        ] {
            assert!(text.parse::<HeaderPattern>().is_err(), "{text} is taken");
        }
        for text in ["X-User-*", "X-Team", "Traceparent", "X-Request-Id"] {
            assert!(text.parse::<HeaderPattern>().is_ok(), "{text} is refused");
        }
    }

    fn headers(lines: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        lines.iter().map(pair).collect()
    }

    #[test]
    fn a_clients_headers_go_on_by_name_and_an_identity_is_told_by_us_alone() {
        let passing = Passing {
            forward: vec!["x-user-*".parse().unwrap()],
            identity: Some(IdentityHeader {
                name: HeaderName::from_static("x-user-email"),
                value: IdentityValue::Email,
            }),
        };
        let from = headers(&[("X-User-Team", "a"), ("X-User-Email", "mallory@example.com"), ("X-Other", "b")]);
        let mut to = headers(&[("Accept", "*/*")]);
        assert_eq!(passing.copy(&from, &mut to), ["x-user-team"]);
        let ada = Account { email: Some("ada@example.com".into()), ..Account::default() };
        assert_eq!(to, headers(&[("accept", "*/*"), ("x-user-team", "a")]));
        let (name, value) = passing.identity_of(Some(&ada)).unwrap();
        assert_eq!((name.as_str(), value.to_str().unwrap()), ("x-user-email", "ada@example.com"));
        assert_eq!(passing.identity_of(None), None, "nobody is signed in");
    }

    #[test]
    fn what_is_there_already_stays() {
        let passing = Passing { forward: vec!["x-team".parse().unwrap()], identity: None };
        let mut to = headers(&[("X-Team", "ours")]);
        assert!(passing.copy(&headers(&[("X-Team", "theirs")]), &mut to).is_empty());
        assert_eq!(to, headers(&[("x-team", "ours")]));
    }
}
