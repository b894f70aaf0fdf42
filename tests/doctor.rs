//! The doctor says why a sign-in does not work, and changes nothing by looking.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a story stops where it fails")]

use keybearer_control::doctor::Severity;
use keybearer_control::error::Code;
use keybearer_control::wire::{Reply, Request};
use keybearer_stories::company::Company;
use keybearer_stories::core::{Core, Home};
use keybearer_testkit::world::World;
use serde_json::Value;

/// What the doctor finds at `target`, but for what is as it should be.
async fn ailments(world: &World, target: &str) -> Vec<String> {
    match world.ask(Request::Doctor { target: target.to_owned() }).await {
        Ok(Reply::Diagnosis { diagnosis }) => {
            let bad = diagnosis.findings.into_iter().filter(|finding| finding.severity > Severity::Note);
            // The world's clock is the core's and the issuer's; its servers have the machine's.
            bad.map(|finding| finding.code).filter(|code| code != "clock_off").collect()
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_issuer_lacks_is_found_before_anybody_signs_in() {
    let world = World::that_allows_all().await;
    assert_eq!(ailments(&world, "crm").await, [] as [String; 0]);
    world.company.idp.without_registration();
    assert_eq!(ailments(&world, "crm").await, ["registration_missing"]);
    world.company.idp.without_s256();
    assert_eq!(ailments(&world, "crm").await, ["pkce_missing", "registration_missing"]);
    let counts = world.company.idp.counts();
    assert_eq!(
        (counts.registrations, counts.token_requests, counts.logins_shown, world.browser.windows()),
        (0, 0, 0, 0)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_that_lead_nowhere_are_told_apart() {
    let world = World::that_allows_all().await;
    for (target, code) in [
        ("http://127.0.0.1:1/mcp", "server_unreachable"),
        ("https://169.254.169.254/mcp", "server_forbidden"),
        (&*format!("{}/nowhere", world.company.idp.issuer()), "server_not_there"),
    ] {
        assert!(ailments(&world, target).await.contains(&code.to_owned()), "{target}");
    }
    for (target, code) in [
        ("http://crm.example.com/", Code::BadRequest),
        ("https://user:secret@crm.example.com/", Code::BadRequest),
        ("nobody", Code::UnknownServer),
        ("No Name", Code::BadRequest),
    ] {
        let refused = world.ask(Request::Doctor { target: target.to_owned() }).await.unwrap_err();
        assert_eq!(refused.code, code, "{target}: {refused}");
    }
}

fn codes(diagnosis: &Value) -> Vec<&str> {
    diagnosis["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

#[test]
fn real_servers_and_a_real_issuer_are_told_what_is_good_and_what_is_not() {
    let company = Company::open();
    let home = Home::new(&company.config("memory"));
    let core = Core::start(&home);

    let sound = home.keybearer(&["doctor", "everything", "--json"]);
    assert!(sound.status.success(), "{} {}", sound.out, sound.err);
    let diagnosis = sound.json();
    let found = codes(&diagnosis);
    for code in ["asks_for_sign_in", "resource_found", "issuer_found", "pkce_offered", "registration_offered"] {
        assert!(found.contains(&code), "{code} is missing: {found:?}");
    }

    // Its library writes the issuer with a slash, which the issuer itself does not.
    let spelled = home.keybearer(&["doctor", "counting", "--json"]);
    assert!(codes(&spelled.json()).contains(&"issuer_spelled_otherwise"), "{}", spelled.out);

    let open = home.keybearer(&["doctor", company.open.said("url"), "--json"]);
    assert!(open.status.success() && codes(&open.json()).contains(&"open_server"), "{}", open.out);

    let dead = home.keybearer(&["doctor", "http://127.0.0.1:1/mcp"]);
    assert_eq!(dead.status.code(), Some(11));
    assert!(dead.out.contains("The server cannot be reached.") && dead.out.contains("Signing in does not work"));

    assert_eq!((company.count("registration"), company.count("token"), company.count("authorization")), (0, 0, 0));
    assert!(core.stop(&home).success());
    home.assert_no_secret(&company.secrets());
}
