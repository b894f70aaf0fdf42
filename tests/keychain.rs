//! Where a sign-in is kept: in a real gnome-keyring in a session of its own, and nowhere else; or in memory, and then
//! the state says so. A keychain that hangs or is locked costs no sign-in and holds up nobody who does not need it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]
#![allow(clippy::disallowed_methods, reason = "how long a keychain that hangs holds others up is real time")]

use std::time::{Duration, Instant};

use keybearer_stories::company::Company;
use keybearer_stories::core::{Core, Ended, Home};
use keybearer_stories::keyring::Keyring;
use keybearer_stories::search;
use serde_json::{Value, json};

const ECHO: &str = r#"{"message":"hello"}"#;

/// What a keychain may take until a call that needs it fails, and what a busy machine adds.
const UNTIL_GIVEN_UP: Duration = Duration::from_secs(14);
/// Within this, whoever does not need the keychain is answered: much less than the ten seconds that it is given.
const AT_ONCE: Duration = Duration::from_secs(7);
/// How long something that is to happen by itself is waited for.
const PATIENCE: Duration = Duration::from_secs(60);

/// A company, a home with its servers, and the core that runs there.
struct Story {
    company: Company,
    home: Home,
    core: Option<Core>,
    logged: String,
}

impl Story {
    fn with(keyring: Option<&Keyring>) -> Self {
        let company = Company::open();
        let open = company.open.said("url");
        let config = format!("{}[servers.open]\nurl = \"{open}\"\nauth = \"none\"\n", company.config("system"));
        let mut home = Home::new(&config);
        home.set("KEYBEARER_LOG", "trace");
        if let Some(keyring) = keyring {
            keyring.serve(&mut home);
        }
        let core = Some(Core::start(&home));
        Self { company, home, core, logged: String::new() }
    }

    /// Ends the core in good order.
    fn stop(&mut self) {
        let core = self.core.take().unwrap();
        let logged = core.log();
        assert!(core.stop(&self.home).success());
        self.logged.push_str(&logged.read());
    }

    fn restart(&mut self) {
        self.stop();
        self.core = Some(Core::start(&self.home));
    }

    fn login(&self) {
        self.home.keybearer(&["login", "everything", "--json"]).json();
    }

    /// Calls a tool that answers at once.
    fn call(&self, server: &str) -> Ended {
        self.home.keybearer(&["call", server, "echo", ECHO, "--json"])
    }

    #[track_caller]
    fn assert_call_works(&self, server: &str) {
        let answer = self.call(server).json();
        assert_eq!(answer["content"][0]["text"], "Echo: hello", "{answer}");
    }

    fn status(&self) -> Value {
        self.home.keybearer(&["status", "--json"]).json()
    }

    /// Where the sign-in at `everything` stands.
    fn sign_in(&self) -> Value {
        let servers = self.status()["servers"].as_array().unwrap().clone();
        servers.iter().find(|server| server["name"] == "everything").unwrap()["state"].clone()
    }

    /// Waits until the sign-in at `everything` stands so.
    #[track_caller]
    fn until_sign_in_is(&self, wanted: &Value) {
        let start = Instant::now();
        let mut last = self.sign_in();
        while last != *wanted {
            assert!(start.elapsed() < PATIENCE, "it still is {last}, and not {wanted}");
            last = self.sign_in();
        }
    }

    /// What holds at the end of every story: no token was written anywhere below the home, nor logged.
    #[track_caller]
    fn end(mut self) {
        self.stop();
        let secrets = self.company.secrets();
        search::assert_not_in("the core's log", &self.logged, &secrets);
        self.home.assert_no_secret(&secrets);
    }
}

#[test]
fn a_sign_in_is_kept_in_the_keychain_and_nowhere_else() {
    let keyring = Keyring::start();
    let mut story = Story::with(Some(&keyring));
    assert_eq!(keyring.secrets(), Vec::<String>::new(), "starting leaves nothing behind");

    story.login();
    assert_eq!(story.sign_in(), json!({ "kind": "signed_in", "saved": true }));
    assert_eq!(story.status()["key_store"], "system");
    let kept = keyring.secrets();
    let issued = story.company.secrets();
    assert_eq!(kept.len(), 1, "one entry for one sign-in");
    assert!(issued.iter().any(|token| kept[0].contains(token)), "the refresh token is in the keychain");
    assert!(!kept[0].contains("access_token"), "what is short-lived is not kept");
    search::assert_nowhere(&keyring.files(), &issued);

    story.restart();
    story.assert_call_works("everything");
    assert_eq!((story.home.visits(), story.company.count("by_grant/refresh_token")), (1, 1), "nobody signed in again");
    assert_eq!(story.sign_in(), json!({ "kind": "signed_in", "saved": true }));

    story.home.keybearer(&["logout", "everything", "--json"]).json();
    assert_eq!(keyring.secrets(), Vec::<String>::new(), "signing out leaves nothing behind");
    story.end();
}

#[test]
fn without_a_keychain_the_state_says_memory_only() {
    let mut story = Story::with(None);
    assert_eq!(story.status()["key_store"], "memory_for_want");
    story.login();
    assert_eq!(story.sign_in(), json!({ "kind": "signed_in", "saved": false }));
    let shown = story.home.keybearer(&["status"]).out;
    assert!(shown.contains("signed in, not saved") && shown.contains("memory"), "{shown}");
    story.assert_call_works("everything");

    story.restart();
    assert_eq!(story.sign_in()["kind"], "needed", "the sign-in has ended with the core that held it");
    story.assert_call_works("everything");
    assert_eq!(story.home.visits(), 2, "and the next call asks for another");
    story.end();
}

#[test]
fn a_keychain_that_hangs_holds_up_only_who_needs_it() {
    let keyring = Keyring::start();
    let mut story = Story::with(Some(&keyring));
    story.login();
    story.stop();

    keyring.hang();
    story.core = Some(Core::start(&story.home));
    within(AT_ONCE, "the status", || assert_eq!(story.status()["key_store"], "system"));
    within(AT_ONCE, "a server without a sign-in", || story.assert_call_works("open"));
    within(UNTIL_GIVEN_UP, "the refusal", || check_refused(&story.call("everything")));
    within(AT_ONCE, "the status", || assert_eq!(story.sign_in()["kind"], "key_store"));
    assert_eq!(story.home.visits(), 1, "a keychain that does not answer asks nobody to sign in");

    keyring.go_on();
    story.assert_call_works("everything");
    assert_eq!(story.home.visits(), 1, "nothing was lost");
    assert_eq!(story.sign_in(), json!({ "kind": "signed_in", "saved": true }));
    story.end();
}

/// The refresh token is spent while the keychain cannot take the next one: the core holds it until the keychain can.
#[test]
fn a_renewal_while_the_keychain_hangs_is_kept_when_it_goes_on() {
    let keyring = Keyring::start();
    let mut story = Story::with(Some(&keyring));
    story.login();
    story.restart();
    story.until_sign_in_is(&json!({ "kind": "signed_in", "saved": true }));

    // Access tokens are not kept: the first call of a new core must renew.
    keyring.hang();
    within(UNTIL_GIVEN_UP, "the renewal", || story.assert_call_works("everything"));
    story.until_sign_in_is(&json!({ "kind": "signed_in", "saved": false }));
    keyring.go_on();
    story.until_sign_in_is(&json!({ "kind": "signed_in", "saved": true }));

    story.restart();
    story.assert_call_works("everything");
    assert_eq!((story.home.visits(), story.company.count("refused_token")), (1, 0), "nothing was lost");
    story.end();
}

/// The person is told which sign-in would be lost, and decides; once the keychain answers there is nothing to decide.
#[test]
fn turning_off_asks_before_it_loses_what_the_keychain_has_not_taken() {
    let keyring = Keyring::start();
    let mut story = Story::with(Some(&keyring));
    story.login();
    story.restart();
    story.until_sign_in_is(&json!({ "kind": "signed_in", "saved": true }));
    keyring.hang();
    within(UNTIL_GIVEN_UP, "the renewal", || story.assert_call_works("everything"));
    story.until_sign_in_is(&json!({ "kind": "signed_in", "saved": false }));

    let mut asked = None;
    within(UNTIL_GIVEN_UP, "the question", || asked = Some(story.home.keybearer(&["stop"])));
    let asked = asked.unwrap();
    assert_eq!(
        (asked.code(), asked.err.as_str()),
        (
            1,
            "error: the keychain has not taken the sign-in to `everything`, which would be lost\nhint: unlock the \
             keychain and try again, or use `keybearer stop --anyway` and sign in again later\n"
        )
    );
    story.assert_call_works("everything");

    keyring.go_on();
    let core = story.core.take().unwrap();
    assert!(story.home.keybearer(&["stop"]).status.success(), "nothing is lost any more");
    story.logged.push_str(&core.log().read());
    assert!(core.ended().success());
    story.core = Some(Core::start(&story.home));
    story.assert_call_works("everything");
    assert_eq!((story.home.visits(), story.company.count("refused_token")), (1, 0), "nothing was lost");
    story.end();
}

/// Whoever would rather sign in again than wait for the keychain is not kept waiting.
#[test]
fn turning_off_anyway_loses_what_the_keychain_has_not_taken() {
    let keyring = Keyring::start();
    let mut story = Story::with(Some(&keyring));
    story.login();
    story.restart();
    story.until_sign_in_is(&json!({ "kind": "signed_in", "saved": true }));
    keyring.hang();
    within(UNTIL_GIVEN_UP, "the renewal", || story.assert_call_works("everything"));
    story.until_sign_in_is(&json!({ "kind": "signed_in", "saved": false }));
    assert_eq!(story.home.keybearer(&["stop"]).code(), 1);
    within(UNTIL_GIVEN_UP, "the end", || story.stop());
    assert!(story.home.keybearer(&["status"]).err.contains("turned off"));

    keyring.go_on();
    story.core = Some(Core::start(&story.home));
    story.end();
}

#[test]
fn a_locked_keychain_is_told_and_does_not_prevent_a_sign_in() {
    let mut keyring = Keyring::start();
    let mut story = Story::with(Some(&keyring));
    story.login();
    story.stop();

    keyring.lock();
    story.core = Some(Core::start(&story.home));
    story.until_sign_in_is(&json!({ "kind": "key_store", "detail": "the keychain is locked" }));
    let shown = story.home.keybearer(&["status"]).out;
    assert!(shown.contains("the keychain is locked"), "{shown}");
    check_refused(&story.call("everything"));
    assert_eq!((&story.status()["key_store"], story.home.visits()), (&json!("system"), 1));

    story.login();
    assert_eq!(story.sign_in(), json!({ "kind": "signed_in", "saved": false }), "it is held in memory");
    story.assert_call_works("everything");
    assert_eq!(story.home.visits(), 2);
    story.end();
}

#[test]
fn a_keychain_that_is_unlocked_later_gives_what_it_holds() {
    let mut keyring = Keyring::start();
    let mut story = Story::with(Some(&keyring));
    story.login();
    story.stop();

    keyring.lock();
    story.core = Some(Core::start(&story.home));
    check_refused(&story.call("everything"));
    story.stop();
    keyring.unlock();
    story.core = Some(Core::start(&story.home));
    story.assert_call_works("everything");
    assert_eq!(story.home.visits(), 1, "nobody signed in again");
    assert_eq!(story.sign_in(), json!({ "kind": "signed_in", "saved": true }));
    story.end();
}

/// A clear error: what is the matter with the keychain, and that it is the keychain.
#[track_caller]
fn check_refused(ended: &Ended) {
    assert_eq!(ended.code(), 1, "{ended:?}");
    let told: Value = serde_json::from_str(&ended.out).unwrap_or_else(|_| panic!("no JSON: {ended:?}"));
    assert!(told.to_string().contains("key_store"), "{ended:?}");
    assert!(told.to_string().contains("unlock the keychain to use everything"), "{ended:?}");
}

#[track_caller]
fn within(limit: Duration, what: &str, deed: impl FnOnce()) {
    let start = Instant::now();
    deed();
    let took = start.elapsed();
    assert!(took < limit, "{what} took {took:?}");
}
