//! SEC-70: a person leaves. What Keybearer had of them is gone: at the company, in the keychain, in files.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]

use keybearer_stories::company::Company;
use keybearer_stories::core::{Core, Home};
use keybearer_stories::keyring::Keyring;

/// A person who is signed in at two companies, and has a key for an old server.
fn settled(keyring: &Keyring, company: &Company) -> (Home, Core) {
    let mut home = Home::new(&company.config("system"));
    keyring.serve(&mut home);
    let core = Core::start(&home);
    for server in ["everything", "counting"] {
        home.keybearer(&["login", server, "--json"]).json();
    }
    let old = ["servers", "add", "legacy", "https://legacy.example.com/mcp", "--header", "X-API-Key", "--secret-stdin"];
    let added = home.keybearer_reading(&old, "a secret of this test alone");
    assert!(added.status.success(), "{added:?}");
    (home, core)
}

#[test]
fn sec_70_everything_is_gone_at_the_company_in_the_keychain_and_in_files() {
    let (keyring, company) = (Keyring::start(), Company::open());
    let (home, core) = settled(&keyring, &company);
    assert!(keyring.secrets().len() >= 3 && company.good_tokens() > 0);
    let gone = home.keybearer(&["remove-my-data", "--yes", "--json"]).json();
    let ends: Vec<_> = gone["signed_out"].as_array().unwrap().iter().map(|end| &end["revocation"]["kind"]).collect();
    assert_eq!(ends, ["revoked", "revoked", "nothing"], "{gone}");
    assert!(core.ended().success(), "the core did not end in good order");
    assert_eq!((keyring.secrets(), company.good_tokens()), (Vec::new(), 0));
    for place in ["config.toml", "state", "run"] {
        assert!(!home.path().join(place).exists(), "`{place}` is left");
    }
    let again = home.keybearer(&["remove-my-data", "--yes", "--json"]).json();
    assert_eq!(again["removed"].as_array().map(Vec::len), Some(0), "{again}");
}

#[test]
fn sec_70_nothing_is_removed_without_a_yes_and_what_is_to_stay_stays() {
    let (keyring, company) = (Keyring::start(), Company::open());
    let (home, core) = settled(&keyring, &company);
    let refused = home.keybearer(&["remove-my-data"]);
    assert_eq!(refused.code(), 2, "{refused:?}");
    assert!(refused.err.contains("nobody here to ask"), "{refused:?}");
    let looked = home.keybearer(&["remove-my-data", "--dry-run"]);
    assert!(looked.out.contains("everything") && looked.out.contains("config.toml"), "{looked:?}");
    assert!(keyring.secrets().len() >= 3 && home.path().join("config.toml").is_file());
    let kept = ["remove-my-data", "--keep", "settings", "--keep", "audit", "--yes", "--json"];
    let gone = home.keybearer(&kept).json();
    assert!(core.ended().success(), "{gone}");
    assert_eq!((keyring.secrets(), company.good_tokens()), (Vec::new(), 0));
    assert!(home.path().join("config.toml").is_file() && !home.path().join("run").exists());
    assert!(!home.audit().is_empty(), "the audit trail is gone");
    assert_eq!(std::fs::read_dir(home.path().join("state")).unwrap().count(), 1, "{gone}");
}
