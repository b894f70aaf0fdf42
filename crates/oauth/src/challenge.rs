//! `WWW-Authenticate`: what a server says when it wants a sign-in (RFC 9110 §11.6.1, RFC 6750 §3, RFC 9728 §5.1).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;
use keybearer_model::url::Endpoint;

/// The longest header value that is read; a challenge is a few hundred bytes.
const LONGEST: usize = 16 * 1024;

/// A `Bearer` challenge.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// Where the server's protected-resource metadata is; absent also where the address cannot be used.
    pub resource_metadata: Option<Endpoint>,
    /// The scopes that the request needs.
    pub scope: Option<String>,
    /// Why the request was refused: `invalid_token`, `insufficient_scope`, ...
    pub error: Option<String>,
}

impl Challenge {
    /// Whether it says that the sign-in is good and does not reach far enough (RFC 6750 §3.1).
    pub fn wants_more(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }

    /// The `Bearer` challenge among the headers of a refusal; the one that names metadata, if there are several.
    pub fn parse(headers: &HeaderMap) -> Option<Self> {
        let mut found = Vec::new();
        for value in headers.get_all(WWW_AUTHENTICATE) {
            let bytes = value.as_bytes();
            let text = String::from_utf8_lossy(bytes.get(..LONGEST).unwrap_or(bytes));
            found.extend(schemes(&text).into_iter().filter(Scheme::is_bearer).map(Self::from));
        }
        let best = found.iter().position(|challenge| challenge.resource_metadata.is_some()).unwrap_or(0);
        (!found.is_empty()).then(|| found.swap_remove(best))
    }
}

/// One challenge of any scheme, as written.
struct Scheme {
    name: String,
    parameters: Vec<(String, String)>,
}

impl Scheme {
    fn is_bearer(&self) -> bool {
        self.name.eq_ignore_ascii_case("bearer")
    }

    /// The first value of a parameter, whose name has no case; a repeated one cannot replace it.
    fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl From<Scheme> for Challenge {
    fn from(scheme: Scheme) -> Self {
        Self {
            resource_metadata: scheme.get("resource_metadata").and_then(|text| text.parse().ok()),
            scope: scheme.get("scope").map(str::to_owned),
            error: scheme.get("error").map(str::to_owned),
        }
    }
}

/// Splits a header into challenges. A comma separates both parameters and challenges: a word that no `=` follows
/// begins a challenge. What fits nowhere is skipped, so that one odd scheme does not hide the next.
fn schemes(text: &str) -> Vec<Scheme> {
    let mut rest = Cursor(text);
    let mut schemes: Vec<Scheme> = Vec::new();
    while rest.skip_to_word() {
        let word = rest.take_while(is_token);
        rest.skip_blanks();
        match (rest.eat('='), schemes.last_mut()) {
            (true, Some(scheme)) => {
                rest.skip_blanks();
                let value = if rest.eat('"') { rest.quoted() } else { rest.take_while(is_bare) };
                scheme.parameters.push((word, value));
            }
            (true, None) => drop(rest.take_while(is_bare)),
            (false, _) => schemes.push(Scheme { name: word, parameters: Vec::new() }),
        }
    }
    schemes
}

struct Cursor<'a>(&'a str);

impl Cursor<'_> {
    fn skip_to_word(&mut self) -> bool {
        self.0 = self.0.trim_start_matches(|c| !is_token(c));
        !self.0.is_empty()
    }

    fn skip_blanks(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn eat(&mut self, wanted: char) -> bool {
        self.0.strip_prefix(wanted).map(|rest| self.0 = rest).is_some()
    }

    fn take_while(&mut self, wanted: fn(char) -> bool) -> String {
        let end = self.0.find(|c| !wanted(c)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken.to_owned()
    }

    /// The rest of a quoted string; one that is not closed ends with the header.
    fn quoted(&mut self) -> String {
        let mut value = String::new();
        let mut characters = self.0.chars();
        while let Some(c) = characters.next() {
            match c {
                '"' => break,
                '\\' => value.extend(characters.next()),
                _ => value.push(c),
            }
        }
        self.0 = characters.as_str();
        value
    }
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

/// An unquoted value. Stricter than needed by the letter (a token), but servers leave URLs unquoted.
fn is_bare(c: char) -> bool {
    c.is_ascii_graphic() && c != ',' && c != '"'
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use http::HeaderValue;

    use super::*;

    fn check(headers: &[&str], want: &Expect) {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(header.as_bytes()).unwrap());
        }
        let got = Challenge::parse(&map).map_or("none".to_owned(), |c| {
            let metadata = c.resource_metadata.as_ref().map_or("-", Endpoint::as_str);
            format!("{metadata} | {} | {}", c.scope.as_deref().unwrap_or("-"), c.error.as_deref().unwrap_or("-"))
        });
        want.assert_eq(&got);
    }

    #[test]
    fn c2_reads_what_a_server_wants() {
        check(
            &[r#"Bearer resource_metadata="https://h/.well-known/x", scope="a b", error="invalid_token""#],
            &expect!["https://h/.well-known/x | a b | invalid_token"],
        );
        check(&["Bearer"], &expect!["- | - | -"]);
        check(&["bearer SCOPE = one,,error=x ,"], &expect!["- | one | x"]);
        check(&[r#"Bearer scope="q\"uo\\ted, Basic realm=x""#], &expect![[r#"- | q"uo\ted, Basic realm=x | -"#]]);
        check(&["Bearer resource_metadata=https://h/m, scope=a"], &expect!["https://h/m | a | -"]);
    }

    #[test]
    fn c2_finds_the_bearer_challenge_among_others() {
        check(&[r#"Basic realm="Bearer scope=no", Bearer scope="yes""#], &expect!["- | yes | -"]);
        check(&["Negotiate YIIabc+/==, Bearer scope=yes"], &expect!["- | yes | -"]);
        check(
            &["Basic realm=x", "Bearer scope=a", "Bearer resource_metadata=https://h/m"],
            &expect!["https://h/m | - | -"],
        );
        check(&["Basic realm=x, Digest nonce=y"], &expect!["none"]);
        check(&[], &expect!["none"]);
    }

    #[test]
    fn keeps_the_first_of_a_repeated_parameter_and_no_unusable_address() {
        check(&["Bearer scope=first, scope=second"], &expect!["- | first | -"]);
        check(&["Bearer resource_metadata=\"javascript:alert(1)\""], &expect!["- | - | -"]);
        check(&["Bearer resource_metadata=\"http://evil.test/\""], &expect!["- | - | -"]);
    }

    #[test]
    fn survives_what_is_no_challenge() {
        for odd in ["=", "\"", "Bearer scope=\"open", "Bearer scope=\"\\", ",,,", "= = =", "Bearer =x", "é Bearer ü=ö"]
        {
            check(&[odd, "Bearer scope=ok, resource_metadata=https://h/m"], &expect!["https://h/m | ok | -"]);
        }
    }
}
