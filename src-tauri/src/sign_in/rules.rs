//! Where the window may go. Pure: an address in, a judgement out.

use std::collections::HashSet;
use std::net::IpAddr;

use keybearer_control::sign_in_window::{Behind, SignInPage, Wall};
use url::{Host, Position, Url};

/// What a sign-in page may lead to.
#[derive(Debug)]
pub(super) struct Rules {
    redirects: Vec<Url>,
    /// Plain http is for issuers on this machine alone, and for theirs only.
    on_this_machine: bool,
    places: HashSet<String>,
    walls: Vec<Wall>,
    /// The place that the page which is being loaded was asked at last.
    on_the_way: Option<String>,
}

/// What becomes of a step to an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It may be loaded.
    Load,
    /// It is the redirect: never loaded, and this is its query.
    Redirect(String),
    /// It leads nowhere.
    Refuse,
}

/// A page that no window can be opened for.
#[derive(Debug, thiserror::Error)]
#[error("the sign-in page's address cannot be shown")]
pub(super) struct NoPage;

impl Rules {
    pub(super) fn of(page: &SignInPage) -> Result<Self, NoPage> {
        let url: Url = page.url.parse().map_err(|_| NoPage)?;
        let rules = Self {
            redirects: page
                .redirects
                .iter()
                .map(|address| address.parse())
                .collect::<Result<_, _>>()
                .map_err(|_| NoPage)?,
            on_this_machine: url.scheme() == "http",
            places: page.hosts.iter().cloned().collect(),
            walls: page.walls.clone(),
            on_the_way: None,
        };
        if rules.is_web(&url) { Ok(rules) } else { Err(NoPage) }
    }

    /// Judges a step of any frame.
    pub(super) fn step(&self, url: &str) -> Step {
        // Empty documents of frames, and our own pages.
        if matches!(url, "about:blank" | "about:srcdoc") {
            return Step::Load;
        }
        let Ok(url) = Url::parse(url) else { return Step::Refuse };
        if self.is_redirect(&url) {
            Step::Redirect(url.query().unwrap_or_default().to_owned())
        } else if self.is_web(&url) {
            Step::Load
        } else {
            Step::Refuse
        }
    }

    /// The place of a page that is about to be shown, if the person must be asked first.
    pub(super) fn leads_elsewhere(&self, url: &str) -> Option<String> {
        let place = place(url)?;
        (!self.places.contains(&place)).then_some(place)
    }

    /// The person goes on to that place.
    pub(super) fn allow(&mut self, place: String) {
        self.places.insert(place);
    }

    /// The window begins to load a page.
    #[cfg_attr(not(any(test, target_os = "linux")), expect(dead_code, reason = "wry does not tell who sent a page on"))]
    pub(super) fn sets_out(&mut self, url: &str) {
        self.on_the_way = place(url);
    }

    /// The server that was asked leads on: whom a listed one sends the window to is listed, too.
    #[cfg_attr(not(any(test, target_os = "linux")), expect(dead_code, reason = "wry does not tell who sent a page on"))]
    pub(super) fn is_sent_on(&mut self, url: &str) {
        let next = place(url);
        let sent_by_listed = self.on_the_way.as_ref().is_some_and(|sender| self.places.contains(sender));
        if let (true, Some(next)) = (sent_by_listed, next.clone()) {
            self.places.insert(next);
        }
        self.on_the_way = next;
    }

    /// What is behind a text that shows a wall: a page's address or title.
    pub(super) fn wall(&self, text: &str) -> Option<Behind> {
        let text = text.to_ascii_lowercase();
        self.walls.iter().find(|wall| text.contains(&wall.text.to_ascii_lowercase())).map(|wall| wall.behind)
    }

    fn is_redirect(&self, url: &Url) -> bool {
        // Only the query is the issuer's to choose; RFC 6749 §3.1.2.2 compares the rest to the letter.
        self.redirects.iter().any(|redirect| url[..Position::AfterPath] == redirect[..Position::AfterPath])
    }

    fn is_web(&self, url: &Url) -> bool {
        let plain = url.scheme() == "http" && self.on_this_machine && is_loopback(url);
        (url.scheme() == "https" || plain) && url.username().is_empty() && url.password().is_none()
    }
}

/// The host, in the letters that the network knows it by, and the port where it is unusual.
pub(super) fn place(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    let place = &url[Position::BeforeHost..Position::AfterPort];
    (!place.is_empty()).then(|| place.to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address).is_loopback(),
        Some(Host::Ipv6(address)) => IpAddr::V6(address).is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules_of(url: &str) -> Result<Rules, NoPage> {
        Rules::of(&SignInPage {
            url: url.to_owned(),
            redirects: vec!["http://127.0.0.1/callback".to_owned(), "http://localhost/callback".to_owned()],
            hosts: place(url).into_iter().collect(),
            walls: vec![Wall { text: "disallowed_useragent".to_owned(), behind: Behind::Refused }],
        })
    }

    fn rules() -> Rules {
        rules_of("https://idp.test/authorize?state=s").unwrap()
    }

    #[test]
    fn sec_51_only_the_web_is_gone_to() {
        let rules = rules();
        for good in ["https://idp.test/login", "https://other.test:8443/", "about:blank", "about:srcdoc"] {
            assert_eq!(rules.step(good), Step::Load, "{good}");
        }
        for bad in [
            "http://idp.test/login",
            "http://127.0.0.1:9/",
            "http://localhost/",
            "file:///etc/passwd",
            "tauri://localhost/",
            "ipc://localhost/sign_in",
            "javascript:alert(1)",
            "data:text/html,x",
            "blob:https://idp.test/0b6c",
            "about:config",
            "view-source:https://idp.test/",
            "ftp://idp.test/",
            "https://idp.test@evil.test/",
            "mailto:a@b.test",
            "",
            "no address",
        ] {
            assert_eq!(rules.step(bad), Step::Refuse, "{bad}");
        }
        let here = rules_of("http://127.0.0.1:4000/authorize").unwrap();
        assert_eq!(here.step("http://127.0.0.1:4001/"), Step::Load);
        assert_eq!(here.step("http://idp.test/"), Step::Refuse);
    }

    #[test]
    fn sec_51_the_redirect_is_the_redirect_to_the_letter() {
        let rules = rules();
        let redirect = |query: &str| Step::Redirect(query.to_owned());
        assert_eq!(rules.step("http://127.0.0.1/callback?code=c&state=s"), redirect("code=c&state=s"));
        assert_eq!(rules.step("http://127.0.0.1/callback"), redirect(""));
        assert_eq!(rules.step("http://127.0.0.1:80/callback?a#b"), redirect("a"));
        assert_eq!(rules.step("http://localhost/callback?code=c"), redirect("code=c"));
        for other in [
            "http://127.0.0.1/callback/?code=c",
            "http://127.0.0.1/callbacks?code=c",
            "http://127.0.0.1:81/callback?code=c",
            "http://localhost/elsewhere?code=c",
            "http://127.0.0.1.evil.test/callback?code=c",
            "http://a@127.0.0.1/callback?code=c",
        ] {
            assert_eq!(rules.step(other), Step::Refuse, "{other}");
        }
        assert_eq!(rules.step("https://127.0.0.1/callback?code=c"), Step::Load, "another scheme is another address");
    }

    #[test]
    fn a_page_that_is_not_on_the_web_opens_no_window() {
        for bad in ["http://idp.test/", "file:///etc/passwd", "javascript:1", "x"] {
            assert!(rules_of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn whom_a_listed_server_sends_the_window_to_is_listed() {
        let mut rules = rules();
        assert_eq!(rules.leads_elsewhere("https://idp.test/x"), None);
        assert_eq!(rules.leads_elsewhere("https://idp.test:444/x").as_deref(), Some("idp.test:444"));
        rules.sets_out("https://idp.test/authorize");
        rules.is_sent_on("https://company.test/saml");
        rules.is_sent_on("https://desk.company.test/");
        assert_eq!(rules.leads_elsewhere("https://desk.company.test/"), None);
        // Where a page leads by itself, and whom that place sends it to, is asked about.
        rules.sets_out("https://evil.test/");
        rules.is_sent_on("https://evil.example/");
        assert_eq!(rules.leads_elsewhere("https://evil.example/").as_deref(), Some("evil.example"));
        rules.allow("evil.example".to_owned());
        assert_eq!(rules.leads_elsewhere("https://evil.example/"), None);
    }

    #[test]
    fn names_are_shown_as_the_network_knows_them() {
        assert_eq!(place("https://bücher.test/").as_deref(), Some("xn--bcher-kva.test"));
        assert_eq!(place("https://ıdp.test:443/").as_deref(), Some("xn--dp-gpa.test"));
        assert_eq!(place("about:blank"), None);
    }

    #[test]
    fn walls_are_seen_in_any_case() {
        let rules = rules();
        assert_eq!(rules.wall("https://idp.test/error?error=DISALLOWED_useragent"), Some(Behind::Refused));
        assert_eq!(rules.wall("https://idp.test/login"), None);
    }
}
