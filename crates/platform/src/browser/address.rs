//! Which addresses may be given to a browser (SEC-29).

use keybearer_model::url::is_loopback;
use url::Url;

/// The longest address that every opener takes.
const LONGEST: usize = 2048;

/// The address of a sign-in page: https, or http on this machine; written the one way that a parser would write it.
pub(super) struct SignInPage(String);

impl SignInPage {
    /// `None` for everything that a browser, or what opens it, could take for something else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let plain = text.len() <= LONGEST && text.bytes().all(may_occur);
        let url = Url::parse(text).ok().filter(|_| plain)?;
        let web = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        let bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
        // A URL without a path may be written without its slash.
        let canonical = url.as_str() == text || (url.path() == "/" && url.as_str().replacen("/?", "?", 1) == text);
        (web && bare && canonical && url.has_host()).then(|| Self(url.into()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<SignInPage> for String {
    fn from(page: SignInPage) -> Self {
        page.0
    }
}

/// The characters of RFC 3986, which are neither spaces nor quotation marks nor control characters.
fn may_occur(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=%".contains(&byte)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn hostile() -> Vec<String> {
        let page = "https://idp.example.com/authorize?state=a";
        let mut all: Vec<String> = [
            "",
            "-",
            "--version",
            "https:",
            "https://",
            "//idp.example.com/",
            "idp.example.com",
            "https:idp.example.com",
        ]
        .map(String::from)
        .into();
        let schemes = "file javascript data ftp smb vbscript view-source blob about chrome ms-msdt search-ms vscode mailto ssh steam jar http ws";
        all.extend(schemes.split(' ').map(|scheme| format!("{scheme}://idp.example.com/authorize")));
        all.extend(["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "about:blank"].map(String::from));
        // Control characters, spaces and what shells or openers treat specially, in the middle and at the ends.
        let specials = (0_u8..=0x20)
            .chain([0x7f])
            .chain(*b"\"<>\\^`{|}")
            .map(char::from)
            .chain(['é', '\u{202e}', '\u{200b}', '。']);
        for special in specials {
            all.extend([format!("{page}{special}b"), format!("{special}{page}"), format!("{page}{special}")]);
        }
        let hosts = [
            "u@idp.example.com",
            "u:p@idp.example.com",
            "idp.example.com@evil.example",
            "IDP.example.com",
            "idp。example",
            "0x7f.1",
            "idp.example.com:443",
        ];
        all.extend(hosts.map(|host| format!("https://{host}/authorize")));
        all.extend(
            ["/a/../b", "/./a", "/a#fragment", "\\evil.example/"].map(|rest| format!("https://idp.example.com{rest}")),
        );
        all.extend(
            [
                "http://127.0.0.1.evil.example/",
                "http://10.0.0.1/",
                "http://localhost.evil.example/",
                "http://2130706433/",
            ]
            .map(String::from),
        );
        all.push(format!("https://idp.example.com/?{}", "a".repeat(LONGEST)));
        all
    }

    #[test]
    fn c21_hostile_addresses_are_refused() {
        let hostile = hostile();
        assert!(hostile.len() >= 60);
        for text in hostile {
            assert!(SignInPage::parse(&text).is_none(), "{text:?} would be opened");
        }
    }

    #[test]
    fn sign_in_pages_are_opened_as_they_are_written() {
        for text in [
            "https://idp.example.com/authorize?response_type=code&state=a-b_c~d&scope=a%20b+c&resource=https%3A%2F%2Fcrm.example.com%2Fmcp",
            "https://xn--bcher-kva.example/authorize?a=1",
            "https://idp.example.com:8443/oauth2/v2.0/authorize?p=$(x)&q=;!*",
            "https://[2001:db8::1]/a",
            "http://127.0.0.1:9400/auth?x=1",
            "http://localhost:9400/auth?x=1",
            "http://[::1]:9400/",
        ] {
            assert_eq!(SignInPage::parse(text).map(String::from).as_deref(), Some(text));
        }
        assert!(SignInPage::parse("https://idp.example.com?state=a").is_some());
    }

    proptest! {
        #[test]
        fn nothing_that_is_opened_can_be_taken_for_something_else(text in "(https?://)?[ -~]{0,40}") {
            if let Some(page) = SignInPage::parse(&text) {
                let opened = page.as_str();
                prop_assert!(opened.starts_with("https://") || opened.starts_with("http://"));
                prop_assert!(opened.bytes().all(may_occur) && !opened.contains('@') || opened.contains("/@"));
                let parsed = Url::parse(opened).unwrap();
                prop_assert_eq!(parsed.as_str(), opened);
            }
        }
    }
}
